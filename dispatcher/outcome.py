"""What became of events, and what has to be made before they can be loaded."""

from __future__ import annotations

from dataclasses import dataclass, field

from .identifier import TableName
from .tables import NewColumn, Wanted


@dataclass(slots=True)
class Outcome:
    """What became of events; ``events = rows + dead_letters + ignored``.

    Attributes:
        events: how many were seen.
        rows: events that were applied: rows added, changed or removed, and truncates.
        ignored: events that ask for nothing: PgQ's own, those that settings leave out, deletes of rows that
            are not there.
        dead_letters: events without a row.
        dead: ``ev_id`` and reason of the first of these, None if there is none.
        large: bytes of large events by ``ev_id``.
        large_dead: those of them that are dead letters.
    """

    events: int = 0
    rows: int = 0
    ignored: int = 0
    dead_letters: int = 0
    dead: tuple[int, str] | None = None
    large: dict[int, int] = field(default_factory=dict)
    large_dead: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Needs:
    """What has to be made first; false if nothing.

    Attributes:
        tables: partitions that rows are waiting for.
        columns: columns that rows have and their tables lack.
        letters: a place for dead letters.
        care: the target refused some rows, and the culprits have to be found by careful writing.
    """

    tables: dict[TableName, Wanted] = field(default_factory=dict)
    columns: dict[tuple[TableName, str], NewColumn] = field(default_factory=dict)
    letters: bool = False
    care: bool = False

    def __bool__(self) -> bool:
        return bool(self.tables or self.columns or self.letters or self.care)
