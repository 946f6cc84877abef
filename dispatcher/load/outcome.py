"""What became of the events of a batch."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ..events import Operation

Counts = Counter[Operation | None]
"""Events by operation; None where the event does not tell."""


@dataclass(slots=True)
class Outcome:
    """What became of events. Each of `events` is a row, one of `ignored` or one of `dead_letters`.

    Attributes:
        events: all events.
        ignored: events that ask for nothing: PgQ's own, those that settings leave out, deletes of rows that
            are not there.
        dead_letters: events that have no row.
        passed_over: events of tables that ``table_filter`` leaves out, or ``unlisted_tables``; `events` does
            not have them.
        left_out: why the last of the events that the settings leave out was; empty if none was.
        late: events of `ignored` or `dead_letters` whose partition is gone by ``retention_period``, and rows
            for which such a partition was made again.
        rows: events that were applied, as their writers count them: rows added, changed or removed, and
            truncates.
        first_dead: ``ev_id`` and reason of the first dead letter; None if there is none.
        large: bytes of large events by ``ev_id``.
        large_dead: those of them that are dead letters.
    """

    events: Counts = field(default_factory=Counter)
    ignored: Counts = field(default_factory=Counter)
    dead_letters: Counts = field(default_factory=Counter)
    passed_over: int = 0
    left_out: str = ""
    late: int = 0
    rows: int = 0
    first_dead: tuple[int, str] | None = None
    large: dict[int, int] = field(default_factory=dict)
    large_dead: set[int] = field(default_factory=set)

    def bury(self, event: int, operation: Operation | None, reason: str) -> None:
        """Count a dead letter.

        Args:
            event: its ``ev_id``.
            operation: what it asks for.
            reason: why it has no row.
        """
        self.dead_letters[operation] += 1
        self.first_dead = min(self.first_dead or (event, reason), (event, reason))
        if event in self.large:
            self.large_dead.add(event)

    def count_absent(self, operation: Operation, number: int) -> None:
        """Count events that remove rows, which were not there, and were counted as rows."""
        self.rows -= number
        if number:
            self.ignored[operation] += number

    def by_operation(self) -> dict[str, int]:
        """Events by operation (``other`` if they do not tell) and outcome, such as ``insert,row``.

        What did not occur is left out.
        """
        found = {}
        for operation, number in self.events.items():
            word = operation.name.lower() if operation else "other"
            ignored, dead = self.ignored[operation], self.dead_letters[operation]
            outcomes = (("row", number - ignored - dead), ("ignored", ignored), ("dead_letter", dead))
            found.update({f"{word},{outcome}": count for outcome, count in outcomes if count})
        return found
