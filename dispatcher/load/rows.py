"""Events on their way into the target: each is read, routed to its partition and handed to the buffers."""

from __future__ import annotations

import io

from psycopg2.extensions import cursor as Cursor

from ..errors import BatchError, EventError
from ..events import Change, Event, Operation, read_change
from ..ledger import DeadLetters, Retry
from ..partitions import PeriodCache, Tables
from ..settings import Settings
from ..write import Insert, truncate
from .buffers import Buffer, Buffers, Identity
from .outcome import Needs, Outcome
from .plan import Fitter, Shape
from .routes import Routed, Router, check_truncate

LARGE = 16 << 20
"""Bytes of an event that is worth a line in the log."""

LETTER_BUFFER = 1 << 20
"""Bytes of dead letters gathered before they are written."""


class Loader:
    """Loads events within the transaction of `cursor`.

    When something has to be made first, loading ends and the rest is only looked through, so that `needs` is
    complete before all is tried again.

    Args:
        cursor: of the target.
        settings: the job's.
        tables: of the target.
        periods: partitions by value.
        letters: where events go that have no row.
        sources: tables of the source that were seen so far; those that come up are added.
        only_source: the one table of the source whose rows are loaded; None if there may be others.
        outcome: what became of the events; counted up.
        needs: what has to be made first; added to.
        careful: find every row that the target refuses; else the first one is a need for care.
    """

    def __init__(
        self,
        cursor: Cursor,
        settings: Settings,
        tables: Tables,
        periods: PeriodCache,
        letters: DeadLetters | Retry,
        sources: set[bytes],
        only_source: bytes | None,
        outcome: Outcome,
        needs: Needs,
        *,
        careful: bool,
    ) -> None:
        self._outcome = outcome
        self._needs = needs
        self._cursor = cursor
        self._settings = settings
        self._letters = letters
        self._sources = sources
        self._only_source = only_source
        self._router = Router(settings, periods)
        self._fitter = Fitter(settings, tables, self._needs)
        self._misfits: dict[Shape, str] = {}
        self._waiting: set[Shape] = set()
        self._dead: list[bytes] = []
        self._dead_size = 0
        self._buffers = Buffers(
            cursor,
            careful=careful,
            outcome=outcome,
            needs=needs,
            reject=self._reject,
            limit=settings.buffer_size // 2,
        )

    def add(self, line: bytes) -> None:
        """Take one event as COPY wrote it.

        Raises:
            EventError: it has no row, and bad events stop the job.
            BatchError: there are too many bad events.
            SetupError: the name of a table is too long.
            psycopg2.Error: the target refused, and not because of a row.
        """
        if self._needs.care:
            return
        event = Event.from_line(line)
        if len(line) >= LARGE:
            self._outcome.large[event.id] = len(line)
        operation = None
        try:
            try:
                header = event.header()
                operation = header.operation
            finally:
                self._outcome.see(operation)
            change = read_change(header, event) if operation else None
            if change is None or not self._router.wants(change):
                self._outcome.ignore(operation)
                return
            self._sources.add(event.table)
            if change.operation is Operation.TRUNCATE:
                self._truncate(event)
            elif routed := self._router.route(event, change):
                self._hand_over(event, change, routed)
            else:
                self._outcome.ignore(operation)
        except ValueError as error:
            self._reject(event, _words(error))

    def finish(self) -> None:
        """Write what is still held back; raises as `add` does."""
        if not self._needs:
            self._buffers.flush()
        if not self._needs:
            self._write_letters()

    def _truncate(self, event: Event) -> None:
        check_truncate(event, self._only_source, self._sources)
        self._buffers.flush()
        if not self._needs:
            truncate(self._cursor, self._fitter.roots)
            self._outcome.rows += 1

    def _hand_over(self, event: Event, change: Change, routed: Routed) -> None:
        if routed.shape.kind is not Insert:
            self._buffers.keep_order()
        if self._needs.care:
            return
        buffer = self._buffer(routed.shape, event, change)
        if buffer is not None and not self._needs:
            identities = _identities(change) if self._buffers.ordered and buffer.fit.names_rows else ()
            self._buffers.add(routed.shape, buffer, event, routed.values, routed.before, identities)

    def _buffer(self, shape: Shape, event: Event, change: Change) -> Buffer | None:
        """The buffer of a shape; None if something has to be made first."""
        found = self._buffers.find(shape)
        if found is not None or shape in self._waiting:
            return found
        if reason := self._misfits.get(shape):
            raise ValueError(reason)
        try:
            fit = self._fitter.fit(shape, event, change.key)
        except UnicodeDecodeError:
            raise
        except ValueError as error:
            self._misfits[shape] = str(error)
            raise
        if fit is None:
            self._waiting.add(shape)
            return None
        return self._buffers.make(shape, fit)

    # Dead letters.

    def _reject(self, event: Event, reason: str, sqlstate: str | None = None) -> None:
        if self._settings.bad_events == "stop":
            raise EventError(event.id, reason)
        outcome, limit = self._outcome, self._settings.bad_event_limit
        outcome.refuse(_operation(event))
        if event.id in outcome.large:
            outcome.large_dead.add(event.id)
        outcome.dead = min(outcome.dead or (event.id, reason), (event.id, reason))
        if outcome.dead_letters > limit:
            raise BatchError(
                f"more than {limit} of its events are bad (bad_event_limit), "
                f"the first is event {outcome.dead[0]}: {outcome.dead[1]}"
            )
        if not self._letters.exist():
            self._needs.letters = True
        if not self._needs:
            self._dead.append(self._letters.line(event.line, reason, sqlstate))
            self._dead_size += len(self._dead[-1])
            if self._dead_size >= LETTER_BUFFER:
                self._write_letters()

    def _write_letters(self) -> None:
        if self._dead:
            self._letters.write(self._cursor, io.BytesIO(b"".join(self._dead)))
            self._dead.clear()
            self._dead_size = 0


def _words(error: ValueError) -> str:
    """Why an event has no row."""
    return "the name of a column is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)


def _operation(event: Event) -> Operation | None:
    """What an event asks for; None if its header cannot be read."""
    try:
        return event.header().operation
    except ValueError:
        return None


def _identities(change: Change) -> list[Identity]:
    """The row that changes, before and after; empty if the event does not tell."""
    rows = [change.row] if change.old is None else [change.row, change.old]
    if not change.key or any(name not in row for row in rows for name in change.key):
        return []
    return list(dict.fromkeys((change.key, tuple(row[name] for name in change.key)) for row in rows))
