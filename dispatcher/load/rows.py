"""The row path: each event is read, routed to its partition and handed to the buffers."""

from __future__ import annotations

from psycopg2.extensions import cursor as Cursor
from tdsup.jobtype import brief

from ..events import PASSED_OVER, Change, Event, Header, Operation
from ..partitions import LateRow, Missing, NotPermitted
from ..route import Gaps, Routed, Shape, WritePlan
from ..write import Insert, Replace, Truncate, Truncates, mark_all, refusal
from .buffers import Buffer, Buffers, Identity
from .deadevents import DeadEvents
from .destination import Destination
from .destinations import Destinations
from .outcome import Outcome
from .passes import End, PassFailed
from .work import Work

LARGE = 16 << 20
"""Bytes from which an event is large: the log mentions it."""

NO_PARTITION = "23514"
"""SQLSTATE of a row for which there is no partition, among others."""

PGQ_S_OWN = "it is PgQ's own, and asks for nothing"

MAX_MISFITS = 1000
"""Most shapes that are known to have no plan."""


class _Table:
    """One table of a pass: its planner, and what that has found.

    Args:
        destination: the table.
        number: of the table in this pass.
    """

    def __init__(self, destination: Destination, number: int) -> None:
        self.destination = destination
        self.number = number
        self.planner = destination.planner()
        self.waiting: set[Shape] = set()
        self._misfits: dict[Shape, str] = {}

    def plan(self, shape: Shape, event: Event, key: tuple[bytes, ...]) -> WritePlan | Gaps:
        """As `Planner.plan`; a shape without a plan is remembered."""
        if reason := self._misfits.get(shape):
            raise ValueError(reason)
        try:
            return self.planner.plan(shape, event, key)
        except (UnicodeDecodeError, NotPermitted):
            raise
        except ValueError as error:
            if len(self._misfits) >= MAX_MISFITS:
                self._misfits.clear()
            self._misfits[shape] = brief(str(error))
            raise


class RowLoader:
    """Loads events one by one, within the transaction of `cursor`.

    Args:
        cursor: of the target.
        destinations: where events go.
        work: keeps events that have no row as dead letters.
        outcome: counted up.
        missing: added to. With anything in it, the rest of the events is only looked through.
        careful: find every row that the target refuses; else the first one ends the pass.
    """

    def __init__(
        self,
        cursor: Cursor,
        destinations: Destinations,
        work: Work,
        outcome: Outcome,
        missing: Missing,
        *,
        careful: bool,
    ) -> None:
        self._cursor = cursor
        self._destinations = destinations
        self._outcome = outcome
        self._missing = missing
        self._tables: dict[Destination, _Table] = {}
        self._last: _Table | None = None
        settings = destinations.settings
        self._is_letter = work.is_letter
        self._dead = DeadEvents(cursor, destinations, work, outcome, missing)
        mend = destinations.encoding.mended if careful else None
        limit = settings.buffer_size // 2
        self._careful = careful
        self._truncates = Truncates(cursor, settings.bad_sqlstates)
        self._buffers = Buffers(cursor, outcome, self._refused, limit, mend, settings.bad_sqlstates)
        if destinations.is_bound:
            self._buffers.keep_order()

    def add(self, line: bytes) -> None:
        """Take one event as COPY wrote it.

        Raises:
            EventError: it has no row, and bad events stop the job.
            BatchError: there are too many bad events.
            PassFailed: the target refused a row, and this pass does not look for it.
            SetupError: the name of a table is too long.
            psycopg2.Error: the target refused, but not because of a row.
        """
        self.take(Event.from_line(line, self._destinations.encoding), len(line))

    def take(self, event: Event, size: int) -> None:
        """Take one event of a size in bytes; raises as `add` does."""
        if event.type == PASSED_OVER:
            self._pass_over()
            return
        if size >= LARGE:
            self._outcome.large[event.id] = size
        operation = None
        try:
            header = event.header()
            operation = header.operation
            destination = self._destinations.find(event.table, self._missing) if operation else None
        except ValueError as error:
            self._outcome.events[operation] += 1
            self._dead.reject(event, operation, str(error))
            return
        if operation and destination is None:
            self._pass_over()
            return
        self._outcome.events[operation] += 1
        try:
            why_not = self._load(event, header, destination) if destination else PGQ_S_OWN
            if why_not:
                self._outcome.ignored[operation] += 1
                self._outcome.left_out = why_not
        except UnicodeDecodeError:
            self._dead.reject(event, operation, "the name of a column is not UTF-8")
        except LateRow as error:
            self._late(event, error)
        except ValueError as error:
            self._dead.reject(event, operation, str(error))

    def _pass_over(self) -> None:
        self._outcome.passed_over += 1
        self._outcome.left_out = "its table is left out now (table_filter, unlisted_tables)"

    def flush(self) -> None:
        """Write the rows that are held back, as rows of others follow; raises as `add` does."""
        if self._missing:
            return
        self._buffers.flush()
        if self._truncates.are_due():
            self._empty()
        elif self._truncates.are_waiting:
            # The rows may be of tables that are emptied, too, and events one by one tell.
            raise PassFailed(End.NOT_PLAIN)

    def finish(self) -> None:
        """Write what is still held back; raises as `add` does."""
        if not self._missing:
            self._empty()
            self._buffers.flush()
        # The share is known when all events are.
        self._dead.check_limit()
        self._dead.finish()

    def _load(self, event: Event, header: Header, destination: Destination) -> str:
        """Do what an event asks for; returns why that is nothing. Raises ValueError if it has no row."""
        if header.operation is Operation.TRUNCATE and destination.asks_for_triggers():
            self._missing.triggers = True
            return _ignored(header.operation)
        change = destination.sieve.read(header, event, is_letter=self._is_letter)
        if not destination.router.wants(change.operation, change.key):
            return _ignored(change.operation)
        destination.saw(event.table)
        table = self._table(destination)
        if change.operation is Operation.TRUNCATE:
            self._truncate(event, table)
            return ""
        if self._truncates.are_waiting and self._truncates.are_due(table.planner.roots) and not self._missing:
            self._empty()
        routed = destination.route(event, change)
        if routed is None:
            return "nothing of its row is loaded now (where, fields)"
        self._hand_over(event, change, routed, table)
        return ""

    def _table(self, destination: Destination) -> _Table:
        """The table of an event; rows of others are written if its own may refer to them."""
        table = self._tables.get(destination)
        if table is None:
            table = self._tables[destination] = _Table(destination, len(self._tables))
        if table is not self._last:
            if destination.is_bound and self._last is not None and not self._missing:
                self._buffers.flush()
            self._last = table
        return table

    def _truncate(self, event: Event, table: _Table) -> None:
        table.destination.check_truncate(event)
        if self._missing:
            return
        self._buffers.flush()
        if mark := table.destination.settings.deleted_at:
            told = table.destination.router.given.values(event, Operation.TRUNCATE)
            mark_all(self._cursor, table.planner.markers(told), mark)
        else:
            tied = self._destinations.parents_first
            rank = tied.index(table.destination) if table.destination.is_bound else 0
            self._truncates.add(Truncate(event, table.planner.roots, rank))
            if not table.destination.is_bound and self._truncates.are_due():
                self._empty()
        self._outcome.rows += 1

    def _empty(self) -> None:
        """Empty the tables whose truncates wait."""
        for event, error in self._truncates.run() if self._truncates.are_waiting else ():
            if not self._careful:
                raise PassFailed(End.REFUSED) from error
            self._outcome.rows -= 1
            self._dead.reject(event, Operation.TRUNCATE, refusal.reason(error, ""), error.pgcode)

    def _hand_over(self, event: Event, change: Change, routed: Routed, table: _Table) -> None:
        shape = routed.shape
        if shape.kind is not Insert and not self._missing:
            self._buffers.keep_order()
        buffer = self._buffer(shape, event, change.key, table)
        if buffer is None or self._missing:
            return
        buffer.plan.examine(routed.values)
        routed.values = buffer.plan.with_arrays(routed.values, event.encoding)
        is_named = self._buffers.ordered and buffer.plan.names_rows
        self._buffers.add(buffer, event, routed, _identities(change, table.number) if is_named else ())
        if shape.kind in {Insert, Replace} and table.destination.is_late(shape.period):
            self._outcome.late += 1

    def _buffer(self, shape: Shape, event: Event, key: tuple[bytes, ...], table: _Table) -> Buffer | None:
        """The buffer of a shape; None if something has to be made first."""
        found = self._buffers.find(table.number, shape)
        if found is not None or shape in table.waiting:
            return found
        plan = table.plan(shape, event, key)
        if isinstance(plan, WritePlan):
            return self._buffers.make(table.number, shape, plan)
        self._missing.add(plan, table.destination.settings.dest_table)
        table.waiting.add(shape)
        return None

    def _refused(self, event: Event, reason: str, sqlstate: str | None) -> None:
        """The target has refused the row of an event."""
        destination = self._destinations.find(event.table, self._missing)
        try:
            if sqlstate == NO_PARTITION and destination and (missing := destination.true_table(event)):
                self._missing.add([missing], destination.settings.dest_table)
                return
        except LateRow as error:
            self._late(event, error)
            return
        except ValueError as error:
            reason = str(error)
        self._dead.reject(event, event.header().operation, reason, sqlstate)

    def _late(self, event: Event, error: LateRow) -> None:
        """The partition of an event's row is gone."""
        operation = event.header().operation
        self._outcome.late += 1
        if error.is_ignored:
            self._outcome.ignored[operation] += 1
        else:
            self._dead.reject(event, operation, str(error))


def _ignored(operation: Operation) -> str:
    """Why an event is not wanted."""
    return f"{operation.name.lower()}s are ignored now (event_types, row_mode)"


def _identities(change: Change, table: int) -> list[Identity]:
    """The row that changes, before and after; empty if the event does not tell."""
    rows = [change.row] if change.old is None else [change.row, change.old]
    if not change.key or any(name not in row for row in rows for name in change.key):
        return []
    # Whatever the order in which an event names the columns of the key.
    key = change.key if len(change.key) == 1 else tuple(sorted(change.key))
    return list(dict.fromkeys((table, key, tuple(row[name] for name in key)) for row in rows))
