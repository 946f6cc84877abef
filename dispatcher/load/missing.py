"""What has to be made before the events of a pass can be loaded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..partitions import MissingColumn, MissingTable
from ..postgres import TableName


@dataclass(slots=True)
class Missing:
    """What a pass found missing; false if nothing.

    From the first find on, nothing more is written: the rest of the batch is only looked through, so that all
    is made before the next pass.

    Attributes:
        tables: partitions that rows are waiting for.
        columns: columns that rows have and their tables lack.
        dead_letters: whether it is the place for dead letters.
    """

    tables: dict[TableName, MissingTable] = field(default_factory=dict)
    columns: dict[tuple[TableName, str], MissingColumn] = field(default_factory=dict)
    dead_letters: bool = False

    def add(self, found: Iterable[MissingTable | MissingColumn]) -> None:
        """Take what is missing for some rows; of two that ask for one table, the first counts."""
        for each in found:
            if isinstance(each, MissingTable):
                self.tables.setdefault(each.table, each)
            else:
                self.columns.setdefault((each.table, each.name), each)

    def __bool__(self) -> bool:
        return bool(self.tables or self.columns or self.dead_letters)
