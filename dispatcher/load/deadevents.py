"""Events that have no row, on their way to the dead letters."""

from __future__ import annotations

from psycopg2.extensions import cursor as Cursor
from tdsup.jobtype import brief

from ..errors import BatchError, EventError
from ..events import Event, Operation
from ..ledger import DeadLetter
from ..partitions import Missing
from .destinations import Destinations
from .outcome import Outcome
from .passes import End, PassFailed
from .work import Work

DEAD_LETTER_BUFFER = 1 << 20
"""Bytes of dead letters that are gathered before they are written."""

MAX_UNREAD = 1000
"""Most dead letters of a batch that are read again, because only a part of each was read."""


class DeadEvents:
    """Takes the events of one pass that have no row.

    Args:
        cursor: of the target.
        destinations: where events go; they mask them.
        work: keeps them.
        outcome: counted up.
        missing: added to. With anything in it, none is kept.
    """

    def __init__(
        self, cursor: Cursor, destinations: Destinations, work: Work, outcome: Outcome, missing: Missing
    ) -> None:
        self._cursor = cursor
        self._destinations = destinations
        self._settings = destinations.settings
        self._work = work
        self._outcome = outcome
        self._missing = missing
        self._dead: list[DeadLetter] = []
        self._dead_size = 0
        self._unread: dict[int, tuple[str, str | None]] = {}

    def reject(
        self, event: Event, operation: Operation | None, reason: str, sqlstate: str | None = None
    ) -> None:
        """Take an event.

        Args:
            event: it.
            operation: what it asks for.
            reason: why it has no row.
            sqlstate: what the target said; None: the target has not seen it.

        Raises:
            EventError: bad events stop the job.
            BatchError: there are too many.
            PassFailed: the events have to be read in another way.
        """
        reason = brief(reason)
        if self._settings.bad_events == "stop":
            raise EventError(event.id, reason)
        self._outcome.bury(event.id, operation, reason)
        if not self._settings.bad_event_share:
            self.check_limit()
        if not self._work.can_keep():
            self._missing.dead_letters = True
        if self._missing:
            return
        if event.line:
            self._bury(event, reason, sqlstate)
        elif event.id in self._unread or len(self._unread) == MAX_UNREAD:
            raise PassFailed(End.NOT_PLAIN)
        else:
            self._unread[event.id] = reason, sqlstate

    def check_limit(self) -> None:
        """See that no more events are bad than the settings allow; raises BatchError if there are."""
        settings, outcome = self._settings, self._outcome
        limit, key = settings.bad_event_limit * self._work.ticks, "bad_event_limit"
        if (share := int(settings.bad_event_share * outcome.events.total())) > limit:
            limit, key = share, "bad_event_share"
        if outcome.dead_letters.total() > limit and outcome.first_dead is not None:
            ticks = f", {self._work.ticks} ticks in one" if self._work.ticks > 1 else ""
            raise BatchError(
                f"more than {limit} of its events are bad ({key}{ticks}), "
                f"the first is event {outcome.first_dead[0]}: {outcome.first_dead[1]}"
            )

    def finish(self) -> None:
        """Keep what was taken; raises as `reject` does."""
        if not self._missing:
            self._read_unread()
            self._keep()

    def _bury(self, event: Event, reason: str, sqlstate: str | None) -> None:
        letter = DeadLetter(event.line, reason, sqlstate)
        if not self._work.is_letter:
            letter = self._destinations.sieves.letter(event, reason, sqlstate)
        self._dead.append(letter)
        self._dead_size += len(letter.event)
        if self._dead_size >= DEAD_LETTER_BUFFER:
            self._keep()

    def _read_unread(self) -> None:
        """Read the whole events of dead letters of which only a part was read."""

        def receive(line: bytes) -> None:
            number = int(line[: line.index(b"\t")])
            if number not in self._unread:
                # A producer may number events as it likes.
                raise PassFailed(End.NOT_PLAIN)
            event = Event.from_line(line, self._destinations.encoding)
            self._bury(event, *self._unread.pop(number))

        if self._unread:
            self._work.read(receive, list(self._unread))

    def _keep(self) -> None:
        if self._dead:
            self._work.keep(self._cursor, self._dead)
            self._dead.clear()
            self._dead_size = 0
