"""What the block path learns of a line that it does not know yet: it does as the row path would."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..events import (
    Act,
    Change,
    Deed,
    Event,
    Group,
    Writing,
    name_of,
    spelled,
)
from ..partitions import EVENT_TIME, Branch, Missing, Period, Spot, Stretch
from ..postgres import TableName, copytext
from ..route import EventKind, Handling, Shape, WritePlan
from ..write import Delete, Insert, Mark, Patch, Replace
from .destination import Destination
from .known import MAX_FIELD, MAX_KINDS, MAX_PLANS, Way
from .passes import End, PassFailed


@dataclass(frozen=True, slots=True)
class Lesson:
    """What was learned of a line.

    Attributes:
        times: a fold may take events of that stretch from now on; None: no new one.
        more: a fold needs a new description.
    """

    times: tuple[int, int] | None
    more: bool


class Learner:
    """Learns for one table.

    Args:
        destination: the table, and what is known of it.
        missing: added to.
        ordered: lines come in the order of events.

    Attributes:
        is_passing: what is known is of no use for later batches: columns are left out because the table lacks
            them, or there is no room for more.
    """

    def __init__(self, destination: Destination, missing: Missing, *, ordered: bool) -> None:
        self._destination = destination
        self._known = destination.known
        self._settings = destination.settings
        self._planner = destination.planner()
        self._missing = missing
        self._ordered = ordered
        self.is_passing = False

    def learn(self, line: bytes) -> Lesson | None:
        """Learn from a line; None if there is nothing to learn.

        Raises:
            PassFailed: the block path cannot load these events.
            BatchError, SetupError: no row can be loaded until a person does something.
            psycopg2.Error: the target cannot be asked.
        """
        kind, is_new = self._kind(line)
        if kind.handling is Handling.IN_ORDER or not self._known.has(kind):
            return None
        nothing = Lesson(None, more=True) if is_new else None
        if kind.writing is Writing.UNREAD or (
            kind.handling is Handling.IGNORE and kind.writing is Writing.URLENCODED
        ):
            return nothing
        event = self._destination.event(line)
        try:
            lesson = self._columns(kind, event)
        except ValueError:
            # It has no row: the row path says why.
            return nothing
        return Lesson(lesson.times, more=True) if lesson and is_new else lesson or nothing

    def only_adds(self, line: bytes) -> bool:
        """Whether the order of such events does not matter."""
        return self._kind(line)[0].handling in {Handling.ADD, Handling.IGNORE}

    def way(self, group: Group, branch: Branch | None = None) -> Way | None:
        """How rows of a group, or those in a branch, are written; None if something has to be made first.

        Raises:
            PassFailed: they have no way.
            BatchError, SetupError, psycopg2.Error: as by `learn`.
        """
        known = self._known
        if self._settings.part_field and group.act != Act.INSERT and known.roots != self._planner.roots:
            # Somebody has made, or dropped, a partition that is not attached to the table.
            known.roots = self._planner.roots
            known.ways.clear()
        period = self.period(group, branch)
        found = known.ways.get((group.act, period, group.columns))
        if found is not None:
            return found
        shape, numbers = self._shape(group, period)
        try:
            plan = self._planner.plan(shape, self._destination.example, known.key)
        except ValueError:
            # It is no longer known which events these rows come from.
            raise PassFailed(End.NOT_PLAIN) from None
        if not isinstance(plan, WritePlan):
            self._missing.add(plan, self._settings.dest_table)
            return None
        self.is_passing = self.is_passing or plan.lacks
        picked = numbers if plan.written is None else tuple(numbers[number] for number in plan.written)
        if group.act < Act.DELETE and plan.appends_key:
            picked += known.key_numbers
        writer = plan.writer
        if group.act == Act.FIND_ABSENT and isinstance(writer, Delete):
            writer = replace(writer, tables=self._own(writer.tables))
        # Of rows that go, the fold knows the key only.
        given = known.given.constants if group.act >= Act.DELETE else ()
        prefix = b"".join(copytext.escape(value) + b"\t" for value in given)
        way = Way(writer, picked, plan, prefix)
        self._remember(group, period, way)
        return way

    def _own(self, tables: tuple[TableName, ...]) -> tuple[TableName, ...]:
        """Of some tables, those where a key would have been in the way of a row: its own, or any branch's."""
        return (tables[:-1] or tables) if self._settings.part_by else tables[:1]

    def _remember(self, group: Group, period: Period | None, way: Way) -> None:
        """Remember a way, unless it finds no table that could have its rows: there may soon be one."""
        if isinstance(way.writer, Patch | Delete) and not way.writer.tables:
            return
        if len(self._known.ways) >= MAX_PLANS:
            self._known.ways.clear()
        self._known.ways[group.act, period, group.columns] = way

    def period(self, group: Group, branch: Branch | None) -> Period | None:
        """The period of a group's rows in a branch; None if there is none, or it is not known."""
        if group.period:
            period = self._known.periods[group.period - 1]
            return Spot.of(period, branch) if branch else period
        is_anywhere = group.act in {Act.DELETE, Act.MARK} and not self._settings.keeps_latest
        return None if is_anywhere else self._destination.periods.present

    def _shape(self, group: Group, period: Period | None) -> tuple[Shape, tuple[int, ...]]:
        """The shape of a group's rows, and the numbers of its columns."""
        known = self._known
        numbers = group.columns
        key = (*self._settings.fields.constant_names, *known.key)
        if group.act == Act.MARK:
            numbers = tuple(range(len(known.given.names)))
        if group.act in {Act.PATCH, Act.MARK}:
            numbers = tuple(number for number in numbers if known.names[number] not in key)
        names = tuple(known.names[number] for number in numbers)
        if group.act == Act.INSERT:
            return Shape(Insert, period, names), numbers
        if group.act == Act.REPLACE:
            return Shape(Replace, period, names, key), numbers
        if group.act == Act.PATCH:
            return Shape(Patch, period, names, key), numbers
        if group.act == Act.MARK:
            return Shape(Mark, period, names, key), numbers
        return Shape(Delete, period, (), key), ()

    # Learning.

    def _kind(self, line: bytes) -> tuple[EventKind, bool]:
        """The kind of a line, and whether it is a new one; raises as `learn` does."""
        fields = line.rstrip(b"\n").split(b"\t")
        first = self._destination.first_field
        type_, table = fields[first], fields[first + 2]
        if len(type_) + len(table) > MAX_FIELD:
            raise PassFailed(End.NOT_PLAIN)
        kinds = self._known.kinds
        known = kinds.get((type_, table))
        kind = known or self._destination.classifier.kind(type_, table)
        if not self._ordered and kind.handling in {Handling.CHANGE, Handling.IN_ORDER}:
            raise PassFailed(End.NOT_PLAIN)
        if known is None and len(kinds) == MAX_KINDS:
            self.is_passing = True
            return kind, False
        if known is None:
            if kind.handling is Handling.ADD and any(other.key != kind.key for other in kinds.values()):
                # New tables get the key that rows have now.
                self._known.doubt_tables()
            kinds[type_, table] = kind
        return kind, known is None

    def _columns(self, kind: EventKind, event: Event) -> Lesson | None:
        """Learn columns, the key and the period of an event; ValueError if it has no row."""
        known = self._known
        change = self._destination.sieve.read(event.header(), event)
        rows = list(self._named(kind, event))
        is_new = any(known.lacks(*each, writing) for names, writing in rows for each in names)
        if not known.has_room(name for names, _ in rows for name, _ in names):
            self.is_passing = True
            return None
        if not all(known.can_take(names, writing) for names, writing in rows):
            return None
        if kind.handling is Handling.CHANGE and not self._changes(kind, change):
            return None
        stretch = self._stretch(kind, event, change)
        for names, writing in rows:
            known.take(names, writing)
        if self._ordered and not known.key and (key := change.key or kind.key):
            is_new = self._learn_key(kind, key) or is_new
        times = stretch[:2] if stretch and known.admit(stretch, rows=not kind.removes) else None
        return Lesson(times, is_new) if is_new or times else None

    def _named(self, kind: EventKind, event: Event) -> Iterator[tuple[list[tuple[bytes, bytes]], Writing]]:
        """Names of the columns of an event's rows, each with how it is spelled; ValueError if strange."""
        writing = kind.writing
        if writing is Writing.EITHER:
            writing = Writing.JSON if event.looks_like_json else Writing.URLENCODED
        texts = [(event.data or b"", writing)]
        if event.old and kind.deed is Deed.UPDATE and b" where " not in event.old:
            texts.append((event.old, Writing.URLENCODED if writing is Writing.CHANGES else writing))
        for text, way in texts:
            names = spelled(text, way)
            # An update of sqltriga may name a column of the key twice.
            found = [(event.encoding.utf8(name_of(name, way)), name) for name in dict.fromkeys(names)]
            self._settings.fields.rename([name for name, _ in found])
            yield found, way

    def _changes(self, kind: EventKind, change: Change) -> bool:
        """Whether a change is one for the block path, by its key."""
        known, router = self._known, self._destination.router
        if not change.key or (known.key and set(known.key) != set(change.key)):
            return False
        if not known.key and not self._destination.can_merge(change.key):
            raise PassFailed(End.NOT_PLAIN)
        return not kind.writing.tells_key or not router.adds(change.operation, change.key)

    def _learn_key(self, kind: EventKind, key: tuple[bytes, ...]) -> bool:
        """Know the key from now on, if rows can be merged by it."""
        if kind.handling is not Handling.CHANGE and not self._destination.can_merge(key):
            return False
        if not set(key) <= set(self._known.names):
            return False
        self._known.key = key
        self._known.refers_to_itself = self._destination.refers_to_itself()
        self._known.ways.clear()
        return True

    def _stretch(self, kind: EventKind, event: Event, change: Change) -> Stretch | None:
        """The stretch of time that an event is of; None if it is of no matter.

        If it has a row, the table of that is there from now on.

        Raises:
            ValueError: the event has no row, or its moment is not sure.
        """
        if kind.handling is Handling.IGNORE or not change.whole:
            return None
        removes = kind.removes
        if not (removes or self._destination.router.passes(change)):
            if kind.deed is Deed.INSERT:
                return None
            removes = True
        periods, value = self._destination.periods, self._moment(kind, event, change)
        if removes:
            return periods.stretch(value) if value else None
        routed = self._destination.route(event, change)
        if routed is None:
            raise ValueError("nothing of it is loaded")
        stretch = None
        if value is not None and (stretch := periods.stretch(value)) is None:
            raise ValueError("its moment is not sure")
        shape = replace(routed.shape, kind=Insert, key=(), rekeys=False)
        self._destination.example = replace(event, data=b"", old=None, line=b"")
        plan = self._planner.plan(shape, event, change.key)
        if not isinstance(plan, WritePlan):
            self._missing.add(plan, self._settings.dest_table)
        return stretch

    def _moment(self, kind: EventKind, event: Event, change: Change) -> bytes | None:
        """The value that tells the moment of a row; None if none does, or it is not told."""
        if column := self._settings.partitioning.column:
            return change.row.get(column.encode())
        is_anywhere = kind.removes and not self._settings.keeps_latest
        by_event = self._settings.part_field == EVENT_TIME and not is_anywhere
        return event.time if by_event else None
