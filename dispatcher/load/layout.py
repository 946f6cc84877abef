"""Forms: what events look like that can be loaded by whole blocks.

A form is what the general way makes of one event, taken for all that look like it. Events are told by what
their lines begin with: `Head`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, auto

from ..events import BY_EVENT_TIME, NOT_PARTITIONED, Event, Format, Operation, read_change, read_header
from ..partitions import PeriodCache
from ..postgres import copytext
from ..settings import EVENT_TIME, Settings
from ..write import Insert
from .plan import Fit, Fitter, Shape
from .routes import Router

MAX_HEADS = 64
"""Heads known at a time; a producer whose types are all different is not for whole blocks."""

MAX_FORMS = 256
"""Forms known at a time."""


class Kind(Enum):
    """What is done with the events of a head."""

    ROW = auto()
    """Each is a row to add."""
    PASS = auto()
    """They are ignored."""
    CHANGE = auto()
    """They change rows, or may do so: the order of all events matters."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a line begins with: ``ev_type`` and ``ev_extra1``.

    Attributes:
        text: as COPY writes it, up to the tab before ``ev_data``.
        kind: what is done with such events.
        operation: what they ask for; None: not to be told.
        table: of the source.
        key: source names of the key's columns, of rows.
    """

    text: bytes
    kind: Kind
    operation: Operation | None
    table: bytes
    key: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """Rows that have the same columns.

    Attributes:
        names: of all columns, as they stand in ``ev_data``.
        order: which of them are routed, and in which order.
        part: as for the decoder.
        event: the one that the form was made of.
        shape: of that event.
        key: source names of its key's columns.
    """

    names: tuple[bytes, ...]
    order: tuple[int, ...]
    part: int
    event: Event
    shape: Shape
    key: tuple[bytes, ...]

    @property
    def day(self) -> bytes:
        """A day of the event's partition; empty if rows are not partitioned."""
        return self.shape.period.start.isoformat().encode() if self.shape.period else b""

    def picked(self, fit: Fit | None) -> tuple[int, ...]:
        """Which columns are written, and in which order."""
        if fit is None or fit.picked is None:
            return self.order
        return tuple(self.order[number] for number in fit.picked)


NO_FORM = (
    Form((), (), NOT_PARTITIONED, Event(0, b"", b"", None, b"", None, b""), Shape(Insert, None, ()), ()),
    (),
)
"""What no row looks like."""


@dataclass(slots=True)
class Forms:
    """What is known of a queue's events and of the tables they go to; forgotten when anything goes wrong.

    Attributes:
        heads: by their text.
        forms: by their names, with the columns that are written.
        fits: how rows of some names and a day are written.
    """

    heads: dict[bytes, Head] = field(default_factory=dict)
    forms: dict[tuple[bytes, ...], tuple[Form, tuple[int, ...]]] = field(default_factory=dict)
    fits: dict[tuple[tuple[bytes, ...], bytes], Fit] = field(default_factory=dict)

    def of_kind(self, kind: Kind) -> tuple[Head, ...]:
        """The heads of a kind."""
        return tuple(head for head in self.heads.values() if head.kind is kind)

    def clear(self) -> None:
        """Forget everything."""
        self.heads.clear()
        self.clear_forms()

    def clear_forms(self) -> None:
        """Forget all but the heads."""
        self.forms.clear()
        self.fits.clear()


class Sorter:
    """Tells heads and forms by a job's settings.

    Args:
        settings: the job's.
        periods: partitions by value.
    """

    def __init__(self, settings: Settings, periods: PeriodCache) -> None:
        self._router = Router(settings, periods)
        self._periods = periods
        self._part_field = settings.part_field

    @property
    def by_event_time(self) -> bool:
        """Whether the event's time tells the partition."""
        return self._part_field == EVENT_TIME

    def event(self, line: bytes) -> Event:
        """The event of a line of `Queue.stream`; what is not there is NULL."""
        type_, table, data, *others = copytext.split(line)
        time = others[0] if self.by_event_time else None
        return Event(int(others[-1] or 0), time or b"", type_ or b"", data, table or b"", None, line)

    def names(self, event: Event) -> tuple[bytes, ...]:
        """Names of an event's columns, as they stand in its data; one may be empty."""
        return tuple(element.partition(b"=")[0] for element in (event.data or b"").split(b"&"))

    def head(self, text: bytes) -> Head:
        """What a line begins with."""
        type_, table = (value or b"" for value in copytext.split(text[:-1]))
        try:
            header = read_header(type_, table, has_data=False)
        except ValueError:
            return Head(text, Kind.CHANGE, None, table)
        operation = header.operation
        if operation and header.format is not Format.URLENCODED:
            kind = Kind.CHANGE
        elif operation in self._router.wanted:
            kind = Kind.ROW if operation in self._router.adding else Kind.CHANGE
        else:
            kind = Kind.PASS
        return Head(text, kind, operation, table, header.key if kind is Kind.ROW else ())

    def form(self, event: Event) -> Form | None:
        """The form of an event whose head says that it is a row; None if it has none.

        Raises:
            ValueError: it has no row.
        """
        change = read_change(event.header(), event)
        names = self.names(event)
        position = {name: number for number, name in enumerate(change.row)}
        if b"" in names or len(position) < len(names):
            return None
        routed = self._router.route(event, change)
        assert routed is not None
        part = NOT_PARTITIONED
        if self._part_field:
            part = BY_EVENT_TIME if self.by_event_time else position[self._part_field.encode()]
        order = tuple(position[name] for name in routed.shape.names)
        return Form(names, order, part, event, routed.shape, change.key)

    def fit(self, form: Form, day: bytes, fitter: Fitter) -> Fit | None:
        """How rows of a form and day are written; None if something has to be made first.

        Raises:
            ValueError: they cannot be loaded, and why.
            BatchError, SetupError: as by `Fitter.fit`.
        """
        period = self._periods[day] if day else None
        return fitter.fit(replace(form.shape, period=period), form.event, form.key)
