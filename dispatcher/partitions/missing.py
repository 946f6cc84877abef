"""What rows need and the target lacks."""

from __future__ import annotations

from dataclasses import dataclass

from ..postgres import TableName
from .period import Period


@dataclass(frozen=True, slots=True)
class MissingTable:
    """A table that rows are waiting for.

    Attributes:
        table: its name.
        period: the days of the partition; None if the table is not partitioned.
        key: columns of the primary key, as the first event for the table names them.
    """

    table: TableName
    period: Period | None
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MissingColumn:
    """A column that rows have and their table lacks.

    Attributes:
        table: the table.
        name: the column's name there.
        source_table: the source table that has it, as ``ev_extra1`` names it; may be empty.
        source_name: its name there.
    """

    table: TableName
    name: str
    source_table: str
    source_name: str
