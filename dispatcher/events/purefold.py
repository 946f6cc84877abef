"""The fold in Python: the reference of the compiled one, and its stand-in where there was no compiler."""
# Long: one type is one file.

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from types import EllipsisType

from ..postgres import copytext
from .folded import (
    BY_EVENT_TIME,
    MAX_GROUPS,
    MAX_PERIODS,
    NO_MARK,
    NOT_PARTITIONED,
    Act,
    Deed,
    Description,
    Group,
    Stop,
)
from .lines import Key, Line, LineReader
from .moment import second_of
from .scan import Strange, Values

ROW_OVERHEAD = 200
"""Bytes that Python adds to a row, about."""

Acting = tuple[Act, int, tuple[int, ...]]


@dataclass(slots=True)
class _Row:
    """What is known of one row.

    Attributes:
        first: what is done to it if it is gone: FIND_ABSENT, REMOVE_PRESENT, DELETE, LEAVE or REMOVE.
            MARK: that is done first.
        values: those of the row; None: it is gone.
        period: number of its partition's.
        removed: number of the one that it was removed from, or marked in before it came back; None: it was
            not.
    """

    first: Act
    values: Values | None
    period: int
    removed: int | None = None

    def go(self) -> bool:
        """Remove it; returns whether it was there."""
        if self.values is None:
            return False
        self.values, self.removed = None, self.period if self.removed is None else self.removed
        return True


# Long: what a line does to a row is a method for each kind of it.
class PureFold:
    """Takes lines of COPY text, and keeps what they do to each row.

    Args:
        description: of the lines.

    Attributes:
        size: bytes held, about.
    """

    def __init__(self, description: Description) -> None:
        self._described = description
        self._reader = LineReader(description)
        self._loads_all = all(description.loaded)
        self._starts: list[int] = []
        self._stretches: list[tuple[int, int, bool]] = []
        self._counts: tuple[list[int], list[int]] = ([], [])
        self.counts()
        self.clear()

    def allow(self, start: int, end: int, period: int, rows: bool) -> None:
        """Take events of some seconds, from now on.

        Args:
            start: the first of them, as `second_of` tells it.
            end: the one after the last. The seconds may have been told before, and no others of them.
            period: number of the period in which they lie, from 1 on.
            rows: whether rows may be there; else events that only remove them.
        """
        if not start < end or not 0 < period < MAX_PERIODS:
            raise ValueError("no such period")
        at = bisect_right(self._starts, start)
        if at and self._starts[at - 1] == start:
            self._stretches[at - 1] = end, period, rows
        else:
            self._starts.insert(at, start)
            self._stretches.insert(at, (end, period, rows))

    def counts(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Lines taken of each prefix since the last call, and how many of them ask for nothing."""
        taken, ignored = self._counts
        none = [0] * len(self._described.prefixes)
        self._counts = none, none.copy()
        return tuple(taken), tuple(ignored)

    def clear(self) -> None:
        """Forget all rows."""
        self._rows: dict[Key, _Row] = {}
        self._used_columns: set[frozenset[int]] = set()
        self.size = 0

    def add(self, block: bytes, start: int) -> tuple[int, Stop]:
        """Take lines from a byte of a block on; returns where that ended, and why."""
        while start < len(block):
            end = block.index(b"\n", start) + 1
            try:
                stop = self._take(block[start : end - 1])
            except Strange:
                stop = Stop.STRANGE
            if stop is not Stop.ALL:
                return start, stop
            self.size += end - start + ROW_OVERHEAD
            start = end
        return start, Stop.ALL

    def groups(self) -> tuple[Group, ...]:
        """What is to be done, in groups."""
        grouped: dict[Acting, list[tuple[Key, _Row]]] = {}
        for pair in self._rows.items():
            for each in self._acts(pair[1]):
                grouped.setdefault(each, []).append(pair)
        self._groups = list(grouped.items())
        return tuple(Group(*each, len(rows)) for each, rows in self._groups)

    def text(self, number: int, picked: Sequence[int], prefix: bytes = b"") -> bytes:
        """The rows of a group as COPY text: of rows that go, their keys; of others, the columns picked.

        Each line begins with the prefix. Rows to be added come in the order of their lines, others in that of
        their keys.
        """
        (act, _period, _columns), rows = self._groups[number]
        if act is not Act.INSERT:
            rows = sorted(rows, key=_order)
        if act >= Act.DELETE:
            lines = (_line(key) + b"\n" for key, _ in rows)
        else:
            lines = (copytext.line([(row.values or {})[each] for each in picked]) for _, row in rows)
        return b"".join(prefix + line for line in lines)

    def _acts(self, row: _Row) -> list[Acting]:
        key = self._described.key
        columns = tuple(sorted(row.values or ()))
        if row.first is Act.MARK:
            mark = row.first, row.period if row.removed is None else row.removed, columns
            return [mark] if row.removed is None else [mark, (Act.REPLACE, row.period, columns)]
        if row.first is Act.FIND_ABSENT:
            return [(row.first, row.period, key) if row.values is None else (Act.INSERT, row.period, columns)]
        if row.removed is None:
            return [(Act.PATCH if row.first is Act.REMOVE_PRESENT else Act.REPLACE, row.period, columns)]
        gone = row.first, row.removed, key
        return [gone, (Act.INSERT, row.period, columns)] if row.values is not None else [gone]

    # One line.

    def _take(self, text: bytes) -> Stop:
        line = self._reader.read(text)
        end, is_ignored = self._do(line)
        if end is Stop.ALL:
            self._counts[0][line.prefix] += 1
            self._counts[1][line.prefix] += is_ignored
        return end

    def _do(self, line: Line) -> tuple[Stop, bool]:
        """Do what a line asks for; also returns whether that is nothing."""
        if line.deed is Deed.NOTHING:
            return Stop.ALL, False
        rekeys = line.before not in {None, line.key}
        line = _masked(line, self._described, self._reader)
        leaves = not _passes(line, self._described)
        if leaves and line.deed is Deed.INSERT:
            return Stop.ALL, True
        if leaves:
            line = line._replace(deed=Deed.DELETE)
        period = self._period(line)
        if line.deed is Deed.DELETE and self._described.mark != NO_MARK:
            return self._mark(line, period), False
        loaded = line.values
        if not self._loads_all:
            loaded = {number: value for number, value in loaded.items() if self._described.loaded[number]}
        told = len(loaded) - len(self._described.given)
        if line.is_whole and line.deed is not Deed.DELETE and told < self._described.least:
            raise Strange
        if not line.is_whole and line.deed is Deed.UPDATE and told == len(self._described.key):
            return Stop.ALL, True
        if line.deed is not Deed.DELETE and not self._has_room(frozenset(loaded)):
            return Stop.FULL, False
        if not self._described.key:
            self._rows[(b"%d" % len(self._rows),)] = _Row(Act.FIND_ABSENT, loaded, period)
            return Stop.ALL, False
        if rekeys:
            raise Strange
        return self._change(line, loaded, period, Act.LEAVE if leaves else Act.DELETE)

    def _period(self, line: Line) -> int:
        """Number of the row's period; 0: there is none, or it is of no matter."""
        part, apart = self._described.part, self._described.apart
        may_be_anywhere = line.deed is Deed.DELETE and not apart
        if part == NOT_PARTITIONED or (part == BY_EVENT_TIME and may_be_anywhere):
            return 0
        if part == BY_EVENT_TIME:
            second = second_of(line.time, self._described.dial)
        elif part in line.values or line.is_whole:
            if not line.is_whole and part not in self._described.key:
                raise Strange
            value = line.values.get(part)
            second = second_of(value, self._described.dial) if value is not None else None
        elif apart:
            raise Strange
        else:
            return 0
        if second is None and may_be_anywhere:
            return 0
        at = bisect_right(self._starts, -1 if second is None else second)
        end, period, rows = self._stretches[at - 1] if at else (0, 0, False)
        if second is None or not at or second >= end or not (rows or line.deed is Deed.DELETE):
            raise Strange
        return period

    def _has_room(self, columns: frozenset[int]) -> bool:
        """Whether one more set of columns may be used; it is from now on."""
        if columns in self._used_columns:
            return True
        if len(self._used_columns) == MAX_GROUPS:
            return False
        self._used_columns.add(columns)
        return True

    def _change(self, line: Line, loaded: Values, period: int, removal: Act) -> tuple[Stop, bool]:
        """Change a row; `removal` is what a delete of one that is not known does."""
        known = self._rows.get(line.key)
        if self._described.apart and known is not None and period != known.period:
            return Stop.FULL, False
        if line.deed is Deed.DELETE:
            if known is None:
                self._rows[line.key] = _Row(removal, None, period, period)
                return Stop.ALL, False
            return Stop.ALL, not known.go()
        if known is not None and known.first is Act.MARK and known.removed is None:
            return self._come_back(known, line, loaded, period), False
        if known is None:
            whole = Act.FIND_ABSENT if line.deed is Deed.INSERT else Act.REMOVE
            self._rows[line.key] = _Row(whole if line.is_whole else Act.REMOVE_PRESENT, loaded, period)
            return Stop.ALL, False
        if known.values is None:
            if not line.is_whole:
                return Stop.BAD, False
            return self._return(known, loaded, period), False
        if line.deed is Deed.INSERT:
            return Stop.BAD, False
        if period != known.period and (period or line.is_whole):
            return Stop.FULL, False
        merged = {**known.values, **loaded}
        if not self._has_room(frozenset(merged)):
            return Stop.FULL, False
        known.values = merged
        return Stop.ALL, False

    def _mark(self, line: Line, period: int) -> Stop:
        """Say when a row was deleted."""
        named = {*range(len(self._described.given)), *self._described.key}
        loaded = {number: value for number, value in line.values.items() if number in named}
        if not self._has_room(frozenset(loaded)):
            return Stop.FULL
        known = self._rows.get(line.key)
        if known is None:
            self._rows[line.key] = _Row(Act.MARK, loaded, period)
            return Stop.ALL
        if known.first is Act.MARK and known.removed is None:
            # Whether the row was there is told by the first mark.
            return Stop.FULL
        assert known.values is not None, "marked rows stay"
        merged = {**known.values, **loaded}
        if period not in {0, known.period} or not self._has_room(frozenset(merged)):
            return Stop.FULL
        known.values = merged
        return Stop.ALL

    def _come_back(self, known: _Row, line: Line, loaded: Values, period: int) -> Stop:
        """A row is whole again that was marked."""
        if line.deed is not Deed.UPDATE or not line.is_whole:
            return Stop.FULL
        known.values, known.removed, known.period = loaded, known.period, period
        return Stop.ALL

    def _return(self, known: _Row, loaded: Values, period: int) -> Stop:
        """A row is added that was removed."""
        if known.first is Act.FIND_ABSENT:
            if period != known.period:
                return Stop.FULL
        elif not self._described.replaces:
            return Stop.FULL
        known.values, known.period = loaded, period
        return Stop.ALL


def _masked(line: Line, described: Description, reader: LineReader) -> Line:
    """The line with masked values; raises Strange if they cannot be told."""
    if described.mask is None:
        return line
    before = tuple(line.values.get(number, ...) for number in described.masked)
    if line.is_whole and line.deed is not Deed.DELETE and ... in before:
        raise Strange
    after = described.mask(before)
    if after is None:
        raise Strange
    pairs = zip(described.masked, after, strict=True)
    hidden = {number: value for number, value in pairs if not isinstance(value, EllipsisType)}
    values = line.values | hidden
    return line._replace(values=values, key=reader.key(values) if line.key else ())


def _passes(line: Line, described: Description) -> bool:
    """Whether the row is loaded after the line; raises Strange if that cannot be told."""
    if described.sift is None or line.deed is Deed.DELETE:
        return True
    passes = described.sift(tuple(line.values.get(number, ...) for number in described.sifted))
    if passes is None:
        raise Strange
    return passes


def _order(row: tuple[Key, _Row]) -> tuple[int, bytes]:
    """By what rows are sorted: numbers come in their order."""
    return len(_line(row[0])), _line(row[0])


def _line(key: Key) -> bytes:
    return b"\t".join(key)
