"""What rows need and the target lacks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..postgres import TableName
from .period import Period
from .place import Range


@dataclass(frozen=True, slots=True)
class MissingTable:
    """A table that rows are waiting for.

    Attributes:
        table: its name.
        period: the days of the partition; None if the table is not partitioned.
        key: columns of the primary key, as the first event for the table names them.
        gap: what a partition may hold of its period, as others hold the rest; None: all of it.
    """

    table: TableName
    period: Period | None
    key: tuple[str, ...]
    gap: Range | None = None

    @property
    def bounds(self) -> tuple[str, str]:
        """The first moment that it may hold, and the first one after that, as PostgreSQL reads them."""
        if self.gap:
            return self.gap.start_text, self.gap.end_text
        assert self.period is not None
        return self.period.start.isoformat(), self.period.end.isoformat()


@dataclass(frozen=True, slots=True)
class MissingColumn:
    """A column that rows have and their table lacks.

    Attributes:
        table: the table.
        name: the column's name there.
        source_table: the source table that has it, as ``ev_extra1`` names it; may be empty.
        source_name: its name there.
        type: the type that it gets; None: the one that it has there.
    """

    table: TableName
    name: str
    source_table: str
    source_name: str
    type: ColumnType | None = None


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A column's type as another server tells it: names, and never SQL.

    Attributes:
        schema: its schema.
        name: ``pg_type.typname``.
        modifier: ``pg_attribute.atttypmod``, such as a length; -1: none.
    """

    schema: str
    name: str
    modifier: int


TEXT = ColumnType("pg_catalog", "text", -1)
"""The type of a column of which nothing is known."""


@dataclass(slots=True)
class Missing:
    """What a pass found missing; false if nothing.

    From the first find on, nothing more is written: the rest of the batch is only looked through, so that all
    is made before the next pass.

    Attributes:
        tables: partitions that rows are waiting for.
        columns: columns that rows have and their tables lack.
        dead_letters: whether it is the place for dead letters.
        triggers: whether it is to be known which triggers of the source write truncates.
        sources: tables of the source, as ``ev_extra1`` names them, whose events have no destination yet.
        roots: whether it is to be known of which tables of the source some are parts.
        parents: the ``dest_table`` of each table that is missing, or has a column missing.
    """

    tables: dict[TableName, MissingTable] = field(default_factory=dict)
    columns: dict[tuple[TableName, str], MissingColumn] = field(default_factory=dict)
    dead_letters: bool = False
    triggers: bool = False
    sources: set[bytes] = field(default_factory=set)
    roots: bool = False
    parents: dict[TableName, TableName] = field(default_factory=dict)

    def add(self, found: Iterable[MissingTable | MissingColumn], parent: TableName) -> None:
        """Take what is missing for some rows; of two that ask for one table, the first counts.

        Args:
            found: it.
            parent: the ``dest_table`` that the rows are for.
        """
        for each in found:
            self.parents.setdefault(each.table, parent)
            if isinstance(each, MissingTable):
                self.tables.setdefault(each.table, each)
            else:
                self.columns.setdefault((each.table, each.name), each)

    def __bool__(self) -> bool:
        asks = self.triggers or self.roots
        return bool(self.tables or self.columns or self.dead_letters or asks or self.sources)
