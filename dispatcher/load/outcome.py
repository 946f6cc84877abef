"""What became of events, and what has to be made before they can be loaded."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ..events import Operation
from ..partitions import MissingColumn, MissingTable
from ..postgres import TableName


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
        seen, passed, refused: all events, those ignored, dead letters, by operation; None: not to be told.
        large: bytes of large events by ``ev_id``.
        large_dead: those of them that are dead letters.
    """

    events: int = 0
    rows: int = 0
    ignored: int = 0
    dead_letters: int = 0
    dead: tuple[int, str] | None = None
    seen: Counter[Operation | None] = field(default_factory=Counter)
    passed: Counter[Operation | None] = field(default_factory=Counter)
    refused: Counter[Operation | None] = field(default_factory=Counter)
    large: dict[int, int] = field(default_factory=dict)
    large_dead: set[int] = field(default_factory=set)

    def see(self, operation: Operation | None, number: int = 1) -> None:
        """Count events."""
        self.events += number
        self.seen[operation] += number

    def ignore(self, operation: Operation | None, number: int = 1) -> None:
        """Count events that ask for nothing."""
        self.ignored += number
        self.passed[operation] += number

    def refuse(self, operation: Operation | None) -> None:
        """Count an event without a row."""
        self.dead_letters += 1
        self.refused[operation] += 1

    def by_operation(self) -> dict[tuple[str, str], int]:
        """Events by operation (``other`` if it cannot be told) and outcome, less what did not occur."""
        found = {}
        for operation, number in self.seen.items():
            word = operation.name.lower() if operation else "other"
            ignored, dead = self.passed[operation], self.refused[operation]
            outcomes = {"row": number - ignored - dead, "ignored": ignored, "dead_letter": dead}
            found.update({(word, outcome): count for outcome, count in outcomes.items() if count})
        return found


@dataclass(slots=True)
class Needs:
    """What has to be made first; false if nothing.

    Attributes:
        tables: partitions that rows are waiting for.
        columns: columns that rows have and their tables lack.
        letters: a place for dead letters.
        care: the target refused some rows, and the culprits have to be found by careful writing.
        order: events change rows, or are too odd for whole blocks: all have to be read one by one, in order.
    """

    tables: dict[TableName, MissingTable] = field(default_factory=dict)
    columns: dict[tuple[TableName, str], MissingColumn] = field(default_factory=dict)
    letters: bool = False
    care: bool = False
    order: bool = False

    def __bool__(self) -> bool:
        return bool(self.tables or self.columns or self.letters or self.care or self.order)
