"""Routes: which partition a change belongs to, and which columns of it are loaded how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from ..events import Change, Event, Operation, Row
from ..partitions import Period, PeriodCache
from ..postgres import UTF8, Encoding
from ..settings import Settings
from ..sieve import LETS_ALL_PASS, Sieve
from ..write import Delete, Insert, Mark, Patch, Replace
from .given import Given
from .rowmode import Mode, RowMode
from .shape import Shape


@dataclass(slots=True)
class Routed:
    """What one change of a row becomes.

    Attributes:
        shape: what it has in common with others.
        values: values of the shape's columns.
        before: values of the shape's key, which find the row.
    """

    shape: Shape
    values: Sequence[bytes | None]
    before: Sequence[bytes | None] = ()


_Route = Callable[[Event, Change], Routed | None]


MAX_COLUMNS = 1600
"""Most columns of a table (PostgreSQL manual, appendix K); a row is remembered with all names."""


class Feed(Protocol):
    """What is known of the triggers that feed the queue, as `SourceTables` knows it."""

    @property
    def truncates(self) -> bool:
        """Whether one of them is on truncate."""


# Long: what becomes of each kind of change is a method.
class Router:
    """Finds the routes of a job's events.

    Args:
        settings: the job's.
        periods: partitions by value.
        row_mode: the job's.
        feed: triggers of the queue.
        encoding: of its events.
        sieve: lets rows pass that are loaded.

    Attributes:
        given: columns that rows have besides those of their data.
    """

    def __init__(
        self,
        settings: Settings,
        periods: PeriodCache,
        row_mode: RowMode,
        feed: Feed,
        encoding: Encoding = UTF8,
        sieve: Sieve = LETS_ALL_PASS,
    ) -> None:
        self.given = Given(settings.fields, encoding)
        self._sieve = sieve
        self._settings = settings
        self._required = settings.fields.required
        self._feed = feed
        self._periods = periods
        self._part_field = settings.part_field.encode()
        self._by_column = bool(settings.partitioning.column)
        self._row_mode = row_mode
        add: _Route = self._insert
        keep_all = dict.fromkeys((Operation.INSERT, Operation.UPDATE), add)
        self._routes: dict[Mode, dict[Operation, _Route]] = {
            "append": {**keep_all, Operation.DELETE: add},
            "plain": {
                Operation.INSERT: add,
                Operation.UPDATE: self._update,
                Operation.DELETE: self._delete,
            },
            "keep_all": keep_all,
            "keep_latest": {
                Operation.INSERT: self._put,
                Operation.UPDATE: self._put,
                Operation.DELETE: self._take,
            },
        }
        self._inserts = add
        if settings.keeps_latest:
            self._inserts = self._put
        elif settings.deleted_at:
            self._inserts = self._bring
            self._routes["plain"][Operation.DELETE] = self._mark

    def wants(self, operation: Operation | None, key: tuple[bytes, ...]) -> bool:
        """Whether the job loads events of an operation and key; it ignores others, and PgQ's own (None).

        Raises:
            ValueError: that cannot be told of this event.
            BatchError: as by `RowMode.of`.
        """
        types = self._settings.event_types
        if operation is None or (types is not None and operation not in types):
            return False
        if operation is Operation.TRUNCATE:
            # Whoever may insert events could else empty the target.
            is_meant = types is not None or self._feed.truncates
            return is_meant and self._row_mode.of_truncates() == "plain"
        return operation is Operation.INSERT or operation in self._routes[self._row_mode.of(key)]

    def doubts_truncates(self) -> bool:
        """Whether truncates are ignored only because no trigger is known that writes them."""
        return self._settings.event_types is None and not self._feed.truncates and self._row_mode.empties

    def adds(self, operation: Operation, key: tuple[bytes, ...]) -> bool:
        """Whether events of an operation and key that are wanted add a row, whichever rows are there."""
        if operation is Operation.INSERT:
            # Without a key, nothing tells which row it would replace.
            return not (key and self._settings.inserts_replace)
        return (
            operation is not Operation.TRUNCATE
            and self._routes[self._row_mode.of(key)][operation] == self._insert
        )

    def route(self, event: Event, change: Change) -> Routed | None:
        """The route of a change, which is wanted and no truncate; None if nothing of it is loaded.

        Raises:
            ValueError: it has no row, and why.
        """
        if not self.passes(change):
            return self._leave(event, change)
        if change.operation is Operation.INSERT:
            return self._inserts(event, change) if change.key else self._insert(event, change)
        return self._routes[self._row_mode.of(change.key)][change.operation](event, change)

    def passes(self, change: Change) -> bool:
        """Whether the row after a change is one to load; of rows that are deleted no more is known.

        Raises:
            ValueError: that cannot be told, and why.
        """
        return change.operation is Operation.DELETE or self._sieve.passes(change.row)

    def _leave(self, event: Event, change: Change) -> Routed | None:
        """The route of a change whose row is not loaded: one that was loaded before is removed."""
        if self.adds(change.operation, change.key):
            return None
        remove = self._routes[self._row_mode.of(change.key)].get(Operation.DELETE)
        gone = replace(change, operation=Operation.DELETE, row=change.old or change.row)
        routed = remove and remove(event, gone)
        if routed:
            routed.shape = replace(routed.shape, leaves=True)
        return routed

    def _insert(self, event: Event, change: Change) -> Routed:
        if not change.whole:
            raise ValueError(f"it {_not_whole(event)}")
        names, values = self._columns(event, change)
        return Routed(Shape(Insert, self._period(event, change), names), values)

    def _update(self, event: Event, change: Change) -> Routed | None:
        key = self._needed_key(change)
        before = self._key_values(change, change.old or change.row)
        period = self._period(event, change)
        if change.whole:
            names, values = self._columns(event, change)
            shape = Shape(Replace, period, names, key, rekeys=before != self._key_values(change, change.row))
        else:
            changed = {name: value for name, value in change.row.items() if name not in change.key}
            if not (names := self._settings.fields.choose(changed)):
                return None
            values = [*self.given.values(event, change.operation), *(changed[name] for name in names)]
            shape = Shape(Patch, period, (*self.given.names, *names), key)
        return Routed(shape, values, before) if names else None

    def _delete(self, event: Event, change: Change) -> Routed:
        period = None
        if self._by_column:
            # Else the row was written at another time; and a value may name no partition.
            with suppress(ValueError):
                period = self._period(event, change)
        shape = Shape(Delete, period, (), self._needed_key(change))
        return Routed(shape, (), self._key_values(change, change.row))

    def _put(self, event: Event, change: Change) -> Routed | None:
        """A row is in its partition; others keep the states that it had there."""
        self._own_period(event, change)
        return self._bring(event, change)

    def _bring(self, event: Event, change: Change) -> Routed | None:
        """A row is there, whether a former state of it was or not."""
        if change.operation is Operation.INSERT:
            change = replace(change, old=None)
        return self._update(event, change)

    def _mark(self, event: Event, change: Change) -> Routed:
        """A row stays that was deleted, and says so."""
        found = self._delete(event, change)
        shape = replace(found.shape, kind=Mark, names=self.given.names)
        return Routed(shape, self.given.values(event, change.operation), found.before)

    def _take(self, event: Event, change: Change) -> Routed:
        """A row is gone from the partition that the event tells; others keep their states."""
        shape = Shape(Delete, self._own_period(event, change), (), self._needed_key(change))
        return Routed(shape, (), self._key_values(change, change.row))

    def _own_period(self, event: Event, change: Change) -> Period | None:
        """The partition that a change is about; None if there are none. ValueError if it tells none."""
        period = self._period(event, change)
        field = self._settings.part_field
        if period is None and field:
            raise ValueError(f"it does not tell {field}, which names the partition (row_mode = keep_latest)")
        return period

    def _period(self, event: Event, change: Change) -> Period | None:
        """The partition of a row; None if there is none, or it is not known."""
        field = self._settings.part_field
        if not field:
            return None
        if not self._by_column:
            return self._periods.present or self._periods[event.time]
        if self._part_field not in change.row:
            if change.whole:
                raise ValueError(f"it has no column {field}, which part_field names")
            return None
        if not change.whole and self._part_field not in change.key:
            raise ValueError(f"it changes {field}, which names the partition, and {_not_whole(event)}")
        return self._periods[change.row[self._part_field]]

    def _needed_key(self, change: Change) -> tuple[bytes, ...]:
        """Source names of the columns that find the row."""
        if not change.key:
            raise ValueError("it changes a row and does not tell by which key")
        return (*self._settings.fields.constant_names, *change.key)

    def _key_values(self, change: Change, row: Row) -> list[bytes | None]:
        """Their values."""
        return [*self.given.constants, *_values(change, row)]

    def _columns(self, event: Event, change: Change) -> tuple[tuple[bytes, ...], Sequence[bytes | None]]:
        """Source names and values of the columns of a whole row; ValueError if it lacks one."""
        row = change.row
        for name in self._required:
            if name not in row:
                raise ValueError(f"it has no column {name.decode()}, which fields names")
        if not self._required:
            self._check_any(row)
        names = self._required or self._settings.fields.choose(row)
        values = [row[name] for name in names]
        if not self.given.names:
            if not names:
                raise ValueError("none of its columns is loaded (skip_fields)")
            return names, values
        return (*self.given.names, *names), [*self.given.values(event, change.operation), *values]

    def _check_any(self, row: Row) -> None:
        """See that a row of which all columns are loaded has some, and not more than a table may have."""
        if not row:
            raise ValueError("its data holds no column")
        if len(row) > MAX_COLUMNS:
            raise ValueError(f"it has {len(row)} columns, and no table has more than {MAX_COLUMNS}")


def _not_whole(event: Event) -> str:
    """What an event lacks that has some columns only, and what to do about it."""
    if event.old:
        remedy = "sqltriga of PgQ without C never does, logutriga and jsontriga do"
    else:
        remedy = "with option backup its trigger would tell it"
    return f"does not hold the whole row; {remedy}"


def _values(change: Change, row: Row) -> list[bytes | None]:
    """The values of the key; ValueError if the row lacks one."""
    try:
        return [row[name] for name in change.key]
    except KeyError as error:
        missing: bytes = error.args[0]
        shown = missing.decode("utf-8", "backslashreplace")
        raise ValueError(f"it has no column {shown}, which is part of its key") from None
