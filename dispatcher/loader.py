"""Events on their way into the target: each is read, routed to its partition and handed to the buffers."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

from psycopg2.extensions import cursor as Cursor

from .buffers import Buffer, Buffers, Identity
from .change import Change, Operation, read
from .errors import BatchError, EventError
from .event import Event
from .letter import Letters, Retry
from .outcome import Needs, Outcome
from .partition import Period, PeriodCache
from .settings import EVENT_TIME, Settings
from .shape import Fitter, Shape
from .tables import Tables
from .urlencoded import Row
from .writer import Delete, Insert, Patch, Replace, truncate

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
        careful: find every row that the target refuses; else the first one is a need for care.

    Attributes:
        outcome: what became of the events.
        needs: what has to be made first.
    """

    def __init__(
        self,
        cursor: Cursor,
        settings: Settings,
        tables: Tables,
        periods: PeriodCache,
        letters: Letters | Retry,
        sources: set[bytes],
        only_source: bytes | None,
        *,
        careful: bool,
    ) -> None:
        self.outcome = Outcome()
        self.needs = Needs()
        self._cursor = cursor
        self._settings = settings
        self._periods = periods
        self._letters = letters
        self._sources = sources
        self._only_source = only_source
        self._part_field = settings.part_field.encode()
        self._fitter = Fitter(settings, tables, self.needs)
        self._misfits: dict[Shape, str] = {}
        self._waiting: set[Shape] = set()
        self._dead: list[bytes] = []
        self._dead_size = 0
        self._buffers = Buffers(
            cursor, careful=careful, outcome=self.outcome, needs=self.needs, reject=self._reject
        )
        self._routes: dict[Operation, Callable[[Event, Change], None]] = {
            Operation.INSERT: self._insert,
            Operation.UPDATE: self._update,
            Operation.DELETE: self._delete,
            Operation.TRUNCATE: self._truncate,
        }
        if settings.row_mode == "keep_all":
            self._routes = dict.fromkeys((Operation.INSERT, Operation.UPDATE), self._insert)

    def add(self, line: bytes) -> None:
        """Take one event as COPY wrote it.

        Raises:
            EventError: it has no row, and bad events stop the job.
            BatchError: there are too many bad events.
            SetupError: the name of a table is too long.
            psycopg2.Error: the target refused, and not because of a row.
        """
        if self.needs.care:
            return
        event = Event.from_line(line)
        self.outcome.events += 1
        if len(line) >= LARGE:
            self.outcome.large[event.id] = len(line)
        try:
            change = read(event)
            route = self._route(change)
            if change is None or route is None:
                self.outcome.ignored += 1
            else:
                self._sources.add(event.table)
                route(event, change)
        except UnicodeDecodeError:
            self._reject(event, "the name of a column is not UTF-8")
        except ValueError as error:
            self._reject(event, str(error))

    def finish(self) -> None:
        """Write what is still held back; raises as `add` does."""
        if not self.needs:
            self._buffers.flush()
        if not self.needs:
            self._write_letters()

    def _route(self, change: Change | None) -> Callable[[Event, Change], None] | None:
        """What to do for a change; None to ignore it."""
        if change is None or change.operation not in self._settings.event_types:
            return None
        return self._routes.get(change.operation)

    # Routes. They raise ValueError for an event that has no row.

    def _insert(self, event: Event, change: Change) -> None:
        if not change.whole:
            raise ValueError("it does not hold the whole row; with option backup its trigger would tell it")
        names, values = self._columns(change.row)
        shape = Shape(Insert, self._period(event, change), names)
        self._hand_over(shape, event, change, values)

    def _update(self, event: Event, change: Change) -> None:
        key = _needed_key(change)
        before = _key_values(change, change.old or change.row)
        period = self._period(event, change)
        if change.whole:
            names, values = self._columns(change.row)
            shape = Shape(Replace, period, names, key, rekeys=before != _key_values(change, change.row))
        else:
            changed = {name: value for name, value in change.row.items() if name not in key}
            names, values = self._columns(changed, partly=True)
            shape = Shape(Patch, period, names, key)
        if not names:
            self.outcome.ignored += 1
            return
        self._buffers.keep_order()
        self._hand_over(shape, event, change, values, before)

    def _delete(self, event: Event, change: Change) -> None:
        try:
            period = self._period(event, change)
        except ValueError:
            # Such a value is in no partition by name; the row may be anywhere.
            period = None
        shape = Shape(Delete, period, (), _needed_key(change))
        self._buffers.keep_order()
        self._hand_over(shape, event, change, (), _key_values(change, change.row))

    def _truncate(self, event: Event, _change: Change) -> None:
        if self._only_source != event.table or len(self._sources) > 1:
            raise ValueError(
                "it is a truncate, and dest_table may hold rows of other tables too (table_filter)"
            )
        self._buffers.flush()
        if not self.needs:
            truncate(self._cursor, self._fitter.roots)
            self.outcome.rows += 1

    def _period(self, event: Event, change: Change) -> Period | None:
        """The partition of a row; None if there is none or it cannot be known."""
        field = self._settings.part_field
        if not field:
            return None
        if field == EVENT_TIME:
            return None if change.operation is Operation.DELETE else self._periods[event.time]
        if self._part_field not in change.row:
            if change.whole:
                raise ValueError(f"it has no column {field}, which part_field names")
            return None
        if not change.whole and self._part_field not in change.key:
            raise ValueError(
                f"it changes {field}, which names the partition, and does not hold the whole row; "
                "with option backup its trigger would tell it"
            )
        return self._periods[change.row[self._part_field]]

    def _columns(self, row: Row, *, partly: bool = False) -> tuple[tuple[bytes, ...], Sequence[bytes | None]]:
        """Source names and values of the columns to load; `partly` if not all need be there."""
        pairs = self._settings.fields.pairs
        if pairs is None:
            if not row and not partly:
                raise ValueError("its data holds no column")
            return tuple(row), list(row.values())
        names = tuple(source for source, _ in pairs if not partly or source in row)
        try:
            return names, [row[name] for name in names]
        except KeyError as error:
            missing: bytes = error.args[0]
            raise ValueError(f"it has no column {missing.decode()}, which fields names") from None

    def _hand_over(
        self,
        shape: Shape,
        event: Event,
        change: Change,
        values: Sequence[bytes | None],
        before: Sequence[bytes | None] = (),
    ) -> None:
        if self.needs.care:
            return
        buffer = self._buffer(shape, event, change)
        if buffer is not None and not self.needs:
            identities = _identities(change) if self._buffers.ordered and buffer.fit.names_rows else ()
            self._buffers.add(shape, buffer, event, values, before, identities)

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
        outcome, limit = self.outcome, self._settings.bad_event_limit
        outcome.dead_letters += 1
        if event.id in outcome.large:
            outcome.large_dead.add(event.id)
        outcome.dead = min(outcome.dead or (event.id, reason), (event.id, reason))
        if outcome.dead_letters > limit:
            raise BatchError(
                f"more than {limit} of its events are bad (bad_event_limit), "
                f"the first is event {outcome.dead[0]}: {outcome.dead[1]}"
            )
        if not self._letters.exist():
            self.needs.letters = True
        if not self.needs:
            self._dead.append(self._letters.line(event.line, reason, sqlstate))
            self._dead_size += len(self._dead[-1])
            if self._dead_size >= LETTER_BUFFER:
                self._write_letters()

    def _write_letters(self) -> None:
        if self._dead:
            self._letters.write(self._cursor, io.BytesIO(b"".join(self._dead)))
            self._dead.clear()
            self._dead_size = 0


def _needed_key(change: Change) -> tuple[bytes, ...]:
    if not change.key:
        raise ValueError("it changes a row and does not tell by which key")
    return change.key


def _key_values(change: Change, row: Row) -> list[bytes | None]:
    """What finds the row."""
    try:
        return [row[name] for name in change.key]
    except KeyError as error:
        missing: bytes = error.args[0]
        shown = missing.decode("utf-8", "backslashreplace")
        raise ValueError(f"it has no column {shown}, which is part of its key") from None


def _identities(change: Change) -> list[Identity]:
    """The row that changes, before and after; empty if the event does not tell."""
    rows = [change.row] if change.old is None else [change.row, change.old]
    if not change.key or any(name not in row for row in rows for name in change.key):
        return []
    return list(dict.fromkeys((change.key, tuple(row[name] for name in change.key)) for row in rows))
