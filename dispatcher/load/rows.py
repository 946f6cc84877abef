"""The row path: each event is read, routed to its partition and handed to the buffers."""

from __future__ import annotations

from psycopg2.extensions import cursor as Cursor
from tdsup.jobtype import brief

from ..errors import BatchError, EventError
from ..events import PASSED_OVER, Change, Event, Header, Operation, read_change
from ..ledger import DeadLetter
from ..partitions import Missing, NotPermitted
from ..route import Routed, Shape, WritePlan
from ..write import Insert, truncate
from .buffers import Buffer, Buffers, Identity
from .destination import Destination
from .outcome import Outcome
from .passes import End, PassFailed
from .work import Work

LARGE = 16 << 20
"""Bytes from which an event is large: the log mentions it."""

NO_PARTITION = "23514"
"""SQLSTATE of a row for which there is no partition, among others."""

MAX_MISFITS = 1000
"""Most shapes that are known to have no plan."""

DEAD_LETTER_BUFFER = 1 << 20
"""Bytes of dead letters that are gathered before they are written."""

MAX_UNREAD = 1000
"""Most dead letters of a batch that are read again, because only a part of each was read."""


class RowLoader:
    """Loads events one by one, within the transaction of `cursor`.

    Args:
        cursor: of the target.
        destination: where events go.
        work: keeps events that have no row as dead letters.
        outcome: counted up.
        missing: added to. With anything in it, the rest of the events is only looked through.
        careful: find every row that the target refuses; else the first one ends the pass.
    """

    def __init__(
        self,
        cursor: Cursor,
        destination: Destination,
        work: Work,
        outcome: Outcome,
        missing: Missing,
        *,
        careful: bool,
    ) -> None:
        self._cursor = cursor
        self._destination = destination
        self._settings = destination.settings
        self._work = work
        self._outcome = outcome
        self._missing = missing
        self._planner = destination.planner()
        self._misfits: dict[Shape, str] = {}
        self._waiting: set[Shape] = set()
        self._dead: list[DeadLetter] = []
        self._dead_size = 0
        self._unread: dict[int, tuple[str, str | None]] = {}
        limit = self._settings.buffer_size // 2
        mend = destination.encoding.mended if careful else None
        self._buffers = Buffers(cursor, outcome, self._refused, limit, mend, self._settings.bad_sqlstates)

    def add(self, line: bytes) -> None:
        """Take one event as COPY wrote it.

        Raises:
            EventError: it has no row, and bad events stop the job.
            BatchError: there are too many bad events.
            PassFailed: the target refused a row, and this pass does not look for it.
            SetupError: the name of a table is too long.
            psycopg2.Error: the target refused, but not because of a row.
        """
        self.take(Event.from_line(line, self._destination.encoding), len(line))

    def take(self, event: Event, size: int) -> None:
        """Take one event of a size in bytes; raises as `add` does."""
        if event.type == PASSED_OVER:
            self._outcome.passed_over += 1
            return
        if size >= LARGE:
            self._outcome.large[event.id] = size
        try:
            header = event.header()
        except ValueError as error:
            self._outcome.events[None] += 1
            self._reject(event, None, str(error))
            return
        self._outcome.events[header.operation] += 1
        try:
            if not self._load(event, header):
                self._outcome.ignored[header.operation] += 1
        except UnicodeDecodeError:
            self._reject(event, header.operation, "the name of a column is not UTF-8")
        except ValueError as error:
            self._reject(event, header.operation, str(error))

    def _check_limit(self) -> None:
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

    def flush(self) -> None:
        """Write the rows that are held back; raises as `add` does."""
        if not self._missing:
            self._buffers.flush()

    def finish(self) -> None:
        """Write what is still held back; raises as `add` does."""
        self.flush()
        # The share is known when all events are.
        self._check_limit()
        if not self._missing:
            self._read_dead()
            self._keep_dead()

    def _load(self, event: Event, header: Header) -> bool:
        """Do what an event asks for; returns False if that is nothing. Raises ValueError if it has no row."""
        if header.operation is None:
            return False
        if header.operation is Operation.TRUNCATE and self._destination.asks_for_triggers():
            self._missing.triggers = True
            return False
        change = read_change(header, event)
        if not self._destination.router.wants(change.operation, change.key):
            return False
        self._destination.saw(event.table)
        if change.operation is Operation.TRUNCATE:
            self._truncate(event)
            return True
        routed = self._destination.router.route(event, change)
        if routed is not None:
            self._hand_over(event, change, routed)
        return routed is not None

    def _truncate(self, event: Event) -> None:
        self._destination.check_truncate(event)
        if not self._missing:
            self._buffers.flush()
        if not self._missing:
            truncate(self._cursor, self._planner.roots)
            self._outcome.rows += 1

    def _hand_over(self, event: Event, change: Change, routed: Routed) -> None:
        shape = routed.shape
        if shape.kind is not Insert and not self._missing:
            self._buffers.keep_order()
        buffer = self._buffer(shape, event, change.key)
        if buffer is None or self._missing:
            return
        buffer.plan.examine(routed.values)
        routed.values = buffer.plan.with_arrays(routed.values, event.encoding)
        identities = _identities(change) if self._buffers.ordered and buffer.plan.names_rows else ()
        self._buffers.add(buffer, event, routed, identities)

    def _buffer(self, shape: Shape, event: Event, key: tuple[bytes, ...]) -> Buffer | None:
        """The buffer of a shape; None if something has to be made first."""
        found = self._buffers.find(shape)
        if found is not None or shape in self._waiting:
            return found
        if reason := self._misfits.get(shape):
            raise ValueError(reason)
        try:
            plan = self._planner.plan(shape, event, key)
        except (UnicodeDecodeError, NotPermitted):
            raise
        except ValueError as error:
            if len(self._misfits) >= MAX_MISFITS:
                self._misfits.clear()
            self._misfits[shape] = brief(str(error))
            raise
        if isinstance(plan, WritePlan):
            return self._buffers.make(shape, plan)
        self._missing.add(plan)
        self._waiting.add(shape)
        return None

    # Dead letters.

    def _refused(self, event: Event, reason: str, sqlstate: str | None) -> None:
        """The target has refused the row of an event."""
        try:
            if sqlstate == NO_PARTITION and (missing := self._destination.true_table(event)):
                self._missing.add([missing])
                return
        except NotPermitted as error:
            reason = str(error)
        self._reject(event, event.header().operation, reason, sqlstate)

    def _reject(
        self, event: Event, operation: Operation | None, reason: str, sqlstate: str | None = None
    ) -> None:
        reason = brief(reason)
        if self._settings.bad_events == "stop":
            raise EventError(event.id, reason)
        self._outcome.bury(event.id, operation, reason)
        if not self._settings.bad_event_share:
            self._check_limit()
        if not self._work.can_keep():
            self._missing.dead_letters = True
        if self._missing:
            return
        if event.line:
            self._bury(event.line, reason, sqlstate)
        elif event.id in self._unread or len(self._unread) == MAX_UNREAD:
            raise PassFailed(End.NOT_PLAIN)
        else:
            self._unread[event.id] = reason, sqlstate

    def _bury(self, line: bytes, reason: str, sqlstate: str | None) -> None:
        self._dead.append(DeadLetter(line, reason, sqlstate))
        self._dead_size += len(line)
        if self._dead_size >= DEAD_LETTER_BUFFER:
            self._keep_dead()

    def _read_dead(self) -> None:
        """Read the whole events of dead letters of which only a part was read."""

        def receive(line: bytes) -> None:
            number = int(line[: line.index(b"\t")])
            if number not in self._unread:
                # A producer may number events as it likes.
                raise PassFailed(End.NOT_PLAIN)
            self._bury(line, *self._unread.pop(number))

        if self._unread:
            self._work.read(receive, list(self._unread))

    def _keep_dead(self) -> None:
        if self._dead:
            self._work.keep(self._cursor, self._dead)
            self._dead.clear()
            self._dead_size = 0


def _identities(change: Change) -> list[Identity]:
    """The row that changes, before and after; empty if the event does not tell."""
    rows = [change.row] if change.old is None else [change.row, change.old]
    if not change.key or any(name not in row for row in rows for name in change.key):
        return []
    return list(dict.fromkeys((change.key, tuple(row[name] for name in change.key)) for row in rows))
