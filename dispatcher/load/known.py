"""What is known of a queue's events and of the table that they go to; kept from batch to batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..events import (
    BY_EVENT_TIME,
    NOT_PARTITIONED,
    SPELLING,
    SPELLINGS,
    Act,
    Description,
    Prefix,
    Writing,
)
from ..partitions import EVENT_TIME, Period, Stretch
from ..postgres import UTF8, TableName
from ..route import MAX_COLUMNS, EventKind, Given, Handling, WritePlan
from ..settings import FieldMap, Settings
from ..sieve import LETS_ALL_PASS, Sieve
from ..write import Writer

MAX_KINDS = 64
"""Most kinds known at a time. The block path is no good for a producer whose types all differ."""

MAX_FIELD = 4096
"""Bytes of a type or table that is remembered."""

MAX_NAMES = 1 << 16
"""Bytes of all names that are remembered."""

MAX_STRETCHES = 4096
"""Most stretches of time known at a time."""

MAX_PLANS = 4096
"""Most ways to write known at a time."""


NONE_GIVEN = Given(FieldMap(), UTF8)
"""For rows that have the columns of their data only."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a group of rows is written.

    Attributes:
        writer: what writes them.
        picked: numbers of the columns that are written, in order.
        plan: the plan that this is of.
        prefix: what each line begins with.
    """

    writer: Writer
    picked: tuple[int, ...]
    plan: WritePlan
    prefix: bytes = b""


@dataclass(slots=True)
class Known:
    """What is known; emptied when anything goes wrong.

    Attributes:
        given: columns that are not of the data; they are numbered first.
        kinds: by type and table as they stand in a line.
        names: source names of columns, by number.
        key: source names of the columns that name a row; empty: not known.
        periods: by number, from 1 on.
        stretches: seconds that lie in one period; its number, and whether it may have rows. See `Fold.allow`.
        ways: by act, period and columns.
        roots: the tables among which `ways` look for rows.
        refers_to_itself: a foreign key of the table refers to it.
    """

    given: Given = NONE_GIVEN
    kinds: dict[tuple[bytes, bytes], EventKind] = field(default_factory=dict)
    names: list[bytes] = field(default_factory=list)
    key: tuple[bytes, ...] = ()
    periods: list[Period] = field(default_factory=list)
    stretches: dict[tuple[int, int], tuple[int, bool]] = field(default_factory=dict)
    ways: dict[tuple[Act, Period | None, tuple[int, ...]], Way] = field(default_factory=dict)
    roots: tuple[TableName, ...] = ()
    refers_to_itself: bool = False
    _numbers: dict[bytes, int] = field(default_factory=dict)
    _spellings: list[list[bytes]] = field(default_factory=list)
    _periods: dict[Period, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.kinds.clear()
        self.names[:] = self.given.names
        self.key = ()
        self.periods.clear()
        self.stretches.clear()
        self._periods.clear()
        self.ways.clear()
        self.roots = ()
        self.refers_to_itself = False
        self._numbers.clear()
        self._spellings[:] = [[b""] * SPELLINGS for _ in self.names]

    @property
    def is_crowded(self) -> bool:
        """Whether there may soon be no room for more stretches."""
        return len(self.stretches) > MAX_STRETCHES // 2

    def admit(self, stretch: Stretch, *, rows: bool) -> bool:
        """Know a stretch of time, and perhaps that its period has a table for rows.

        Returns False if that was known, or if there is no room.
        """
        times = stretch[:2]
        before = self.stretches.get(times)
        if before is None and len(self.stretches) == MAX_STRETCHES:
            return False
        if stretch.period not in self._periods:
            self.periods.append(stretch.period)
            self._periods[stretch.period] = len(self.periods)
        now = self._periods[stretch.period], rows or (before is not None and before[1])
        self.stretches[times] = now
        return now != before

    def doubt_tables(self) -> None:
        """See again that periods have tables before rows go there."""
        self.stretches = {times: (number, False) for times, (number, _) in self.stretches.items()}
        self.ways.clear()

    def has(self, kind: EventKind) -> bool:
        """Whether a kind is known: there was room for it."""
        return any(kind is each for each in self.kinds.values())

    def lacks(self, name: bytes, spelled: bytes, writing: Writing) -> bool:
        """Whether a column is not known, or not as it is spelled."""
        number = self._numbers.get(name)
        return number is None or self._spellings[number][SPELLING[writing]] != spelled

    @property
    def key_numbers(self) -> tuple[int, ...]:
        """Numbers of the columns that find a row: constants, which are numbered first, and the key."""
        return (*range(len(self.given.constants)), *(self._numbers[name] for name in self.key))

    def can_take(self, columns: Sequence[tuple[bytes, bytes]], writing: Writing) -> bool:
        """Whether some columns can be known; each is its name, and how it is spelled."""
        names = {name for name, _ in columns}
        if len(names) < len(columns):
            return False
        for name, text in columns:
            number = self._numbers.get(name)
            if not text or (
                number is not None and self._spellings[number][SPELLING[writing]] not in {b"", text}
            ):
                return False
        return True

    def has_room(self, names: Iterable[bytes]) -> bool:
        """Whether there is room for some names."""
        known = {*self.names, *names}
        return len(known) <= MAX_COLUMNS and sum(map(len, known)) <= MAX_NAMES

    def take(self, columns: Sequence[tuple[bytes, bytes]], writing: Writing) -> None:
        """Know some columns from now on."""
        for name, text in columns:
            if name not in self._numbers:
                self._numbers[name] = len(self.names)
                self.names.append(name)
                self._spellings.append([b""] * SPELLINGS)
            self._spellings[self._numbers[name]][SPELLING[writing]] = text

    def described(
        self, settings: Settings, leading: Sequence[str], *, ordered: bool, sieve: Sieve = LETS_ALL_PASS
    ) -> tuple[Description, tuple[EventKind, ...]]:
        """What lines are like, and the kinds that a fold takes, in the order of its prefixes.

        Args:
            settings: the job's.
            leading: columns of events that lines begin with.
            ordered: lines come in the order of events.
            sieve: lets rows pass that are loaded.
        """
        part, sifted, masked = self._part(settings), self._all_of(sieve.columns), self._all_of(sieve.masked)
        fields, given, key = settings.fields, self.given, self.key if ordered else ()
        taken = self._taken(key, takes_rows=None not in (part, sifted, masked))
        description = Description(
            len(leading),
            tuple(
                Prefix(type_, table, kind.deed, kind.writing, given.of_prefix(kind.operation, table))
                for (type_, table), kind in taken
            ),
            tuple(map(tuple, self._spellings)),
            tuple(number < len(given.names) or fields.loads(name) for number, name in enumerate(self.names)),
            tuple(self._numbers[name] for name in key),
            NOT_PARTITIONED if part is None else part,
            len(fields.required) or int(fields.others),
            replaces=not self.refers_to_itself,
            given=given.fields(leading),
            dial=settings.partitioning.dial,
            sifted=sifted or (),
            sift=sieve.sift if sifted else None,
            masked=masked or (),
            mask=sieve.mask if masked else None,
            apart=settings.keeps_latest,
            mark=given.mark,
        )
        return description, tuple(kind for _, kind in taken)

    def _taken(
        self, key: tuple[bytes, ...], *, takes_rows: bool
    ) -> list[tuple[tuple[bytes, bytes], EventKind]]:
        """The kinds that a fold takes, and how they stand in a line.

        Rows of another key than the fold's are for the row path.
        """

        def is_taken(kind: EventKind) -> bool:
            if kind.handling is Handling.CHANGE:
                return takes_rows and bool(key) and (kind.writing.tells_key or set(kind.key) == set(key))
            return kind.handling is Handling.IGNORE or (takes_rows and kind.handling is Handling.ADD)

        return [each for each in self.kinds.items() if is_taken(each[1])]

    def _all_of(self, names: Iterable[bytes]) -> tuple[int, ...] | None:
        """Numbers of some columns; None: no row can be taken, as one of them is not known yet."""
        numbers = [self._numbers.get(name) for name in names]
        return None if None in numbers else tuple(number for number in numbers if number is not None)

    def _part(self, settings: Settings) -> int | None:
        """What tells the period; None if no row can be taken, as that column is not known yet."""
        if column := settings.partitioning.column:
            return self._numbers.get(column.encode())
        return BY_EVENT_TIME if settings.part_field == EVENT_TIME else NOT_PARTITIONED
