"""The table that a job loads, and what decides where in it an event goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..events import Change, Event, read_change
from ..partitions import Branch, MissingTable, Period, Permit, Spot, Tables
from ..pgq import Reading, SourcePart
from ..postgres import Encoding, TableName, copytext
from ..route import Classifier, Planner, Routed, Router, RowMode
from ..settings import RowSettings, Settings
from ..sieve import Masking, Sieve
from ..write import Insert, Replace
from .known import Known

UNTRANSLATABLE = "22P05"
"""SQLSTATE of characters that the target lacks."""

MAX_SOURCES = 1000
"""Most tables of the source that are remembered: whoever writes events names them as he likes."""

MAX_SOURCE = 260
"""Bytes of a name that are remembered: more than two identifiers in quotes have."""


def sieve_of(settings: RowSettings, encoding: Encoding) -> Sieve:
    """What is done to rows before anything else; raises SetupError if there is no key to mask with."""
    masking = None
    if settings.mask.of:
        masking = Masking(settings.mask, settings.mask_key_file, encoding)
    return Sieve(settings.where, masking, encoding)


class Destination:
    """One ``dest_table``.

    Args:
        settings: of a job that loads this table alone.
        tables: tables of the target.
        feed: the tables of the source whose rows come here.
        row_mode: the table's.
        reading: how values are read.
        leading: columns of events that lines of `Queue.stream` begin with.

    Raises:
        SetupError: periods cannot be told, or there is no key to mask with, and what to do.

    Attributes:
        settings: as given.
        tables: as given.
        periods: partitions by value.
        sieve: masks rows, and lets those pass that are loaded.
        router: where events go.
        row_mode: as given.
        classifier: tells kinds of events.
        known: what the block path has learned.
        example: an event of late, without its data.
        leading: as given.
        sources: the tables of the source that were seen so far.
        encoding: of events.
        is_bound: foreign keys tie the table to others that the job loads.
        constants: values of columns that are the same in each row, by their source names.
        route: as `Router.route`, and into the branch of the row, if the table has branches.
    """

    def __init__(
        self,
        settings: Settings,
        tables: Tables,
        feed: SourcePart,
        row_mode: RowMode,
        reading: Reading,
        *,
        leading: Sequence[str],
    ) -> None:
        self.settings = settings
        self.tables = tables
        self.periods = settings.partitioning.periods(tables.time_zone, reading.styles.date_order)
        self.sieve = sieve_of(settings, reading.encoding)
        self.router = Router(settings, self.periods, row_mode, feed, reading.encoding, self.sieve)
        self.route = self._route_into_branch if tables.branches else self.router.route
        self.constants = dict(zip(settings.fields.constant_names, self.router.given.constants, strict=True))
        self.classifier = Classifier(self.router, reading.encoding)
        self.known = Known(self.router.given)
        self.example = Event(0, b"", b"", None, b"", None, b"")
        self.leading = leading
        self.is_bound = False
        self.sources: set[bytes] = set()
        self.row_mode = row_mode
        self._feed = feed
        self._styles = reading.styles
        self.encoding = reading.encoding
        self.begin()

    def begin(self, moment: float | None = None) -> None:
        """A batch begins: what may be made for it is counted anew.

        Args:
            moment: of the tick that ends it, in seconds since 1970; None: its rows are never late.
        """
        self._permit = Permit(self.tables, self.settings.partitioning, self.settings.lifespan, moment)
        self._has_asked = False

    def asks_for_triggers(self) -> bool:
        """Whether triggers of the source are to be looked at again for a truncate: once for a batch."""
        if self._has_asked or not self.router.doubts_truncates():
            return False
        self._has_asked = True
        return True

    def planner(self) -> Planner:
        """A planner for the tables as they are now."""
        return Planner(self.settings, self.tables, self._styles, self.encoding, self._permit)

    def is_late(self, period: Period | None) -> bool:
        """Whether the partition of a period was gone, and is made again in this batch."""
        return period in self._permit.renewed

    @property
    def first_field(self) -> int:
        """Number of the field of a line of `Queue.stream` that holds ``ev_type``."""
        return len(self.leading)

    def event(self, line: bytes) -> Event:
        """As `event_of`."""
        return event_of(line, self.encoding, self.leading)

    def can_merge(self, key: tuple[bytes, ...]) -> bool:
        """Whether rows can be found by the text of a key, and none has the key of another."""
        table, names = self._sample(), self.settings.fields.rename(key)
        if table is None or len(names) < len(key):
            return False
        columns = self.tables.columns(table)
        return (
            all(name in columns and columns[name].canonical for name in names)
            and self.tables.uniqueness.names_one(table, self.settings.fields.rename_key(key))
            and self.tables.takes_copy(table)
        )

    def refers_to_itself(self) -> bool:
        """Whether a foreign key refers from rows that are loaded to such rows."""
        table = self._sample()
        return self.is_bound or (table is not None and self.tables.uniqueness.refers_to_itself(table))

    def _sample(self) -> TableName | None:
        """A table that rows go to; None if there is none yet."""
        table: TableName | None = self.settings.dest_table
        if self.settings.part_field:
            newest = self.tables.newest()
            table = newest[0] if newest else table
        return table if table and self.tables.exists(table) else None

    def saw(self, table: bytes) -> None:
        """Remember a table of the source, unless that are too many."""
        if len(self.sources) < MAX_SOURCES:
            self.sources.add(table[:MAX_SOURCE])

    def _route_into_branch(self, event: Event, change: Change) -> Routed | None:
        routed = self.router.route(event, change)
        # Of rows that are not whole, or are to go, it is not known: they are looked for in all branches.
        if routed is not None and routed.shape.kind in {Insert, Replace} and routed.shape.period is not None:
            routed.shape = replace(routed.shape, period=_spot(self, routed.shape.period, change))
        return routed

    def branch(self, values: Sequence[bytes | None]) -> Branch:
        """The branch of values of the columns by whose lists the table is partitioned.

        Raises:
            ValueError: there is none, and why.
            SetupError: the table is not partitioned so.
            psycopg2.Error: the target cannot be asked.
        """
        find, encoding = self.tables.branches.of, self.encoding
        try:
            return find(tuple(None if value is None else encoding.decode(value) for value in values))
        except ValueError as error:
            if not (encoding.replaces and getattr(error.__cause__, "pgcode", None) == UNTRANSLATABLE):
                raise
        return find(tuple(None if value is None else encoding.replaced(value) for value in values))

    def true_table(self, event: Event) -> MissingTable | None:
        """The partition to be made for a row that PostgreSQL takes for one of another place; None: none.

        Such a row is from a producer in another time zone than the source's, or its offset is of no matter to
        the target; or somebody has changed which values a list partition takes, and it is there by now.

        Raises:
            ValueError: it is not to be made, and why.
            psycopg2.Error: the target cannot be asked.
        """
        change = read_change(event.header(), event)
        value = change.row.get(self.settings.partitioning.column.encode())
        if value is None or (self.tables.branches and not change.whole):
            return None
        before = period = _spot(self, self.periods[value], change)
        if self.tables.branches:
            self.tables.forget_places()
            period = _spot(self, self.periods[value], change)
        has_moved = period != before
        if not has_moved:
            if not self.tables.place(period).is_routed:
                return None
            time = self.tables.of(period).bounds.time_of(value.decode())
            period = _spot(self, self.periods[time.encode()], change)
        place = self.tables.place(period)
        if place.table is not None and not has_moved:
            return None
        named = self.tables.name_for(period)
        missing = MissingTable(named, period, self.settings.fields.rename(change.key), place.gap)
        if place.table is None:
            self._permit.table(missing)
        return missing

    def check_truncate(self, event: Event) -> None:
        """Make sure that a truncate removes no rows of other tables.

        Raises:
            ValueError: it might.
        """
        if self.settings.constants:
            raise ValueError("it is a truncate, and dest_table may hold rows with other constants")
        only, root = self._feed.only, self._feed.root
        if root(event.table) != event.table:
            raise ValueError("it is a truncate of one partition, and the target does not tell its rows")
        if only != event.table or {root(name) for name in self.sources} - {only}:
            raise ValueError(
                "it is a truncate, and dest_table may hold rows of other tables too (table_filter)"
            )


def _spot(where: Destination, period: Period, change: Change) -> Period:
    """A period in the branch of a whole row, if there are branches; ValueError if the row has none."""
    if not where.tables.branches:
        return period
    known, sources = {**change.row, **where.constants}, where.settings.list_sources
    for name in sources:
        if name not in known:
            raise ValueError(f"it has no column {name.decode()}, which part_by names")
    return Spot.of(period, where.branch([known[name] for name in sources]))


def event_of(line: bytes, encoding: Encoding, leading: Sequence[str]) -> Event:
    """The event of a line of `Queue.stream`, without its own `line`; what it does not hold is NULL."""
    fields = copytext.split(line)
    type_, data, table, old = [*fields, None][len(leading) :][:4]
    type_, table = map(encoding.utf8_or_raw, (type_ or b"", table or b""))
    told = dict(zip(leading, fields, strict=False))
    number, time, txid = int(told["ev_id"] or 0), told.get("ev_time") or b"", told.get("ev_txid") or b""
    return Event(number, time, type_, data, table, old, b"", encoding, txid, told.get("ev_extra3"))
