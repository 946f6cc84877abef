"""What the events of the block path look like: `Prefix` and `Layout`, and what is known of them.

A layout is what the row path makes of one event, used for every event that looks like it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, auto

from ..events import (
    BY_EVENT_TIME,
    NOT_PARTITIONED,
    Event,
    Format,
    Operation,
    read_change,
    read_header,
)
from ..postgres import UTF8, Encoding, copytext
from ..settings import EVENT_TIME, Settings
from ..write import Insert
from .plan import Shape, WritePlan
from .routes import Router

MAX_PREFIXES = 64
"""Most prefixes known at a time. The block path is no good for a producer whose types all differ."""

MAX_LAYOUTS = 256
"""Most layouts known at a time."""


MAX_PLANS = 4096
"""Most plans known at a time: one for each partition that rows of a layout go to."""

MAX_NAMES = 1 << 16
"""Bytes of the names of a layout that is remembered."""

MAX_PREFIX = 4096
"""Bytes of a prefix that is remembered."""


class Handling(Enum):
    """What is done with the events of a prefix."""

    LOAD = auto()
    """Each is a row to add."""
    IGNORE = auto()
    IN_ORDER = auto()
    """They change rows, or may do so: the order of all events matters, so they are not for the block path."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """What a line begins with: ``ev_type`` and ``ev_extra1``.

    Attributes:
        text: as COPY writes it, up to the tab before ``ev_data``.
        handling: what is done with such events.
        operation: what they ask for; None if they do not tell.
        table: of the source.
        key: source names of the key's columns, if they are loaded.
    """

    text: bytes
    handling: Handling
    operation: Operation | None
    table: bytes
    key: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns that some rows have, and which of them are written.

    Attributes:
        names: of all columns, as they stand in ``ev_data``.
        routed: numbers of those that are routed, in the order of the shape.
        picked: numbers of those that are written, in the order in which they are written.
        day_column: which column tells the day; see `decode_block`.
        event: the one that the layout was made from, without its data.
        shape: of that event.
        key: source names of its key's columns.
    """

    names: tuple[bytes, ...]
    routed: tuple[int, ...]
    picked: tuple[int, ...]
    day_column: int
    event: Event
    shape: Shape
    key: tuple[bytes, ...]

    @property
    def day(self) -> bytes:
        """A day of the event's partition; empty if rows are not partitioned."""
        return self.shape.period.start.isoformat().encode() if self.shape.period else b""

    def picked_by(self, plan: WritePlan) -> tuple[int, ...]:
        """Numbers of the columns that a plan writes, in their order."""
        return self.routed if plan.written is None else tuple(self.routed[number] for number in plan.written)


_NOTHING = Event(0, b"", b"", None, b"", None, b"")

NO_LAYOUT = Layout((), (), (), NOT_PARTITIONED, _NOTHING, Shape(Insert, None, ()), ())
"""A layout that no row has."""


@dataclass(slots=True)
class LayoutCache:
    """What is known of a queue's events and of the tables they go to; emptied when anything goes wrong.

    Attributes:
        prefixes: by their text.
        layouts: by their names.
        plans: how rows of some names and a day are written.
    """

    prefixes: dict[bytes, Prefix] = field(default_factory=dict)
    layouts: dict[tuple[bytes, ...], Layout] = field(default_factory=dict)
    plans: dict[tuple[tuple[bytes, ...], bytes], WritePlan] = field(default_factory=dict)

    def handled(self, handling: Handling) -> tuple[Prefix, ...]:
        """The prefixes whose events are handled in that way."""
        return tuple(prefix for prefix in self.prefixes.values() if prefix.handling is handling)

    def clear(self) -> None:
        """Forget everything."""
        self.prefixes.clear()
        self.clear_layouts()

    def clear_layouts(self) -> None:
        """Forget everything but the prefixes."""
        self.layouts.clear()
        self.plans.clear()


class Classifier:
    """Tells prefixes and layouts from a job's settings.

    Args:
        settings: the job's.
        router: where its events go.
        encoding: of its events.
    """

    def __init__(self, settings: Settings, router: Router, encoding: Encoding = UTF8) -> None:
        self._router = router
        self._encoding = encoding
        self._part_field = settings.part_field.encode()
        self.by_event_time = settings.part_field == EVENT_TIME
        """Whether the event's time tells the partition."""

    def event(self, line: bytes) -> Event:
        """The event of a line of `Queue.stream`; what is not in the line is NULL."""
        type_, table, data, *others = copytext.split(line)
        time = others[0] if self.by_event_time else None
        type_, table = map(self._encoding.utf8_or_raw, (type_ or b"", table or b""))
        number = int(others[-1] or 0)
        return Event(number, time or b"", type_, data, table, None, line, self._encoding)

    def names(self, event: Event) -> tuple[bytes, ...]:
        """Names of an event's columns, as they stand in its data; one may be empty."""
        return tuple(element.partition(b"=")[0] for element in (event.data or b"").split(b"&"))

    def prefix(self, text: bytes) -> Prefix:
        """What is known of lines that begin with a text."""
        type_, table = (self._encoding.utf8_or_raw(value or b"") for value in copytext.split(text[:-1]))
        try:
            header = read_header(type_, table, has_data=False)
        except ValueError:
            return Prefix(text, Handling.IN_ORDER, None, table)
        operation = header.operation
        if operation and header.format not in {Format.URLENCODED, Format.OWN}:
            # Only the data tells what is asked for.
            handling = Handling.IN_ORDER
        else:
            handling = self._handling(operation, header.key)
        return Prefix(text, handling, operation, table, header.key if handling is Handling.LOAD else ())

    def _handling(self, operation: Operation | None, key: tuple[bytes, ...]) -> Handling:
        if operation is Operation.TRUNCATE and self._router.doubts_truncates():
            return Handling.IN_ORDER
        try:
            if operation is None or not self._router.wants(operation, key):
                return Handling.IGNORE
        except ValueError:
            # The row path says why.
            return Handling.IN_ORDER
        return Handling.LOAD if self._router.adds(operation, key) else Handling.IN_ORDER

    def layout(self, event: Event) -> Layout | None:
        """The layout of an event whose prefix says that it is loaded; None if it has none.

        Raises:
            ValueError: it has no row.
        """
        change = read_change(event.header(), event)
        names = self.names(event)
        position = {name: number for number, name in enumerate(change.row)}
        if event.looks_like_json or b"" in names or len(position) < len(names):
            return None
        if sum(map(len, names)) > MAX_NAMES:
            return None
        routed = self._router.route(event, change)
        assert routed is not None
        day_column = NOT_PARTITIONED
        if self._part_field:
            day_column = BY_EVENT_TIME if self.by_event_time else position[self._part_field]
        order = tuple(position[name] for name in routed.shape.names)
        # Its values may be large, and are of no use.
        example = replace(event, data=b"", line=b"")
        return Layout(names, order, order, day_column, example, routed.shape, change.key)
