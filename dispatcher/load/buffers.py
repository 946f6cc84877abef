"""Rows on their way: gathered by shape, kept in order where it matters, written in bulk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import psycopg2
from psycopg2.extensions import cursor as Cursor

from ..errors import is_data
from ..events import Event, Operation
from ..postgres import copytext
from ..write import Delete, Insert, Patch, Replace, refusal
from .outcome import Needs, Outcome
from .plan import Fit, Kind, Shape

TABLE_BUFFER = 1 << 20
"""Bytes gathered for one shape before they are written: enough to make a statement's own cost small."""

LINE_OVERHEAD = 96
"""Bytes that Python adds to a gathered line: the object's header, its place in a list, its event."""

FIRST_SEGMENT = 8
"""Rows of the first try after a bad one: where one is, others often are."""

ORDER: tuple[Kind, ...] = (Delete, Patch, Replace, Insert)
"""How buffers are written: what makes room comes first."""

Identity = tuple[tuple[bytes, ...], tuple[bytes | None, ...]]
"""A row, by the names and values of its key."""

Reject = Callable[[Event, str, str | None], None]
"""Takes an event that has no row: the reason and the SQLSTATE, if the target refused."""


class Buffer:
    """Rows of one shape.

    Attributes:
        fit: how they are written.
        lines: of COPY text.
        events: what they come from; empty where nobody will ask.
        size: bytes of both.
    """

    def __init__(self, fit: Fit) -> None:
        self.fit = fit
        self.clear()

    def clear(self) -> None:
        """Forget the rows."""
        self.lines: list[bytes] = []
        self.events: list[Event] = []
        self.size = 0

    def line(self, values: Sequence[bytes | None], before: Sequence[bytes | None]) -> bytes:
        """A row as COPY text: the values that are written, then the key that finds it."""
        picked = self.fit.picked
        return copytext.line(
            [*(values if picked is None else [values[number] for number in picked]), *before]
        )


class Buffers:
    """All rows of a transaction that are not written yet.

    Attributes:
        ordered: the order of changes matters from here on.

    Args:
        cursor: of the target.
        careful: write under savepoints, so that every bad row is found; else the first one ends all writing.
        outcome: what is counted up.
        needs: where a bad row is noted that was met without care.
        reject: takes the event of a bad row.
        limit: bytes gathered for all shapes together before all are written.
    """

    def __init__(
        self, cursor: Cursor, *, careful: bool, outcome: Outcome, needs: Needs, reject: Reject, limit: int
    ) -> None:
        self._cursor = cursor
        self._careful = careful
        self._outcome = outcome
        self._needs = needs
        self._reject = reject
        self._limit = limit
        self._buffers: dict[Shape, Buffer] = {}
        self._size = 0
        self.ordered = False
        self._keyless = False
        self._last: Buffer | None = None
        self._pending: dict[Identity, tuple[Buffer, int]] = {}

    def find(self, shape: Shape) -> Buffer | None:
        """The buffer of a shape, if there is one."""
        return self._buffers.get(shape)

    def make(self, shape: Shape, fit: Fit) -> Buffer:
        """A new buffer for a shape."""
        self._buffers[shape] = buffer = Buffer(fit)
        return buffer

    def keep_order(self) -> None:
        """From the first change of a row on, remember which rows are here."""
        if not self.ordered:
            self.flush()
            self.ordered = True

    def add(
        self,
        shape: Shape,
        buffer: Buffer,
        event: Event,
        values: Sequence[bytes | None],
        before: Sequence[bytes | None],
        identities: Sequence[Identity],
    ) -> None:
        """Take a row.

        Args:
            shape: of the row.
            buffer: of the shape.
            event: where it comes from.
            values: of the shape's columns.
            before: of the shape's key.
            identities: of the row before and after; empty if the event does not tell, or no order is kept.
        """
        if self._careful and self.ordered and self._last is not buffer:
            # Rows may depend on each other by more than their keys: with care, they go in as in the source.
            self.flush()
        self._last = buffer
        line = buffer.line(values, before)
        if self.ordered and not self._make_way(shape, buffer, event, line, identities):
            return
        size = len(line) + LINE_OVERHEAD
        if self._careful or shape.kind is not Insert:
            buffer.events.append(event)
            size += len(event.line)
        buffer.lines.append(line)
        buffer.size += size
        self._size += size
        if self._size >= self._limit or (self.ordered and buffer.size >= TABLE_BUFFER):
            self.flush()
        elif buffer.size >= TABLE_BUFFER:
            self._write(buffer)

    def _make_way(
        self, shape: Shape, buffer: Buffer, event: Event, line: bytes, identities: Sequence[Identity]
    ) -> bool:
        """Keep the order of changes of one row; returns False if the new state took the old one's place."""
        if not identities:
            if shape.kind is not Insert:
                self.flush()
            self._keyless = True
            return True
        held = [self._pending[identity] for identity in identities if identity in self._pending]
        if self._supersedes(shape, buffer, held, identities):
            number = held[0][1]
            more = len(line) + len(event.line) - len(buffer.lines[number]) - len(buffer.events[number].line)
            buffer.lines[number], buffer.events[number] = line, event
            buffer.size += more
            self._size += more
            self._outcome.rows += 1
            if self._size >= self._limit:
                self.flush()
            return False
        if held or (self._keyless and shape.kind is not Insert):
            self.flush()
        for identity in identities:
            self._pending[identity] = buffer, len(buffer.lines)
        return True

    def _supersedes(
        self, shape: Shape, buffer: Buffer, held: Sequence[tuple[Buffer, int]], identities: Sequence[Identity]
    ) -> bool:
        """Whether only the last of several states needs to be written; with care each counts by itself."""
        same = shape.kind is Replace and len(identities) == 1 and bool(held) and held[0][0] is buffer
        return same and not self._careful

    def flush(self) -> None:
        """Write everything."""
        for kind in ORDER:
            for shape, buffer in self._buffers.items():
                if shape.kind is kind and buffer.lines and not self._needs:
                    self._write(buffer)
        self._pending.clear()
        self._keyless = False

    def _write(self, buffer: Buffer) -> None:
        if self._careful:
            self._write_carefully(buffer)
        else:
            try:
                absent = buffer.fit.writer.write(self._cursor, buffer.lines)
            except psycopg2.Error as error:
                if not is_data(error):
                    raise
                self._needs.care = True
                return
            self._written(buffer, 0, len(buffer.lines), absent)
        self._size -= buffer.size
        buffer.clear()

    def _write_carefully(self, buffer: Buffer) -> None:
        """Write the good rows and reject the bad ones.

        COPY tells the row that it stumbled over: those before it are written again, for the savepoint took
        them back, then that row by itself. Where the target does not tell, the rows are halved. No row is
        rejected that was not tried alone: docs/decisions/0005.
        """
        copied = buffer.fit.writer.copied
        start, length, suspected = 0, len(buffer.lines), False
        while start < len(buffer.lines):
            end = min(start + length, len(buffer.lines))
            error = self._try(buffer, start, end)
            if error is None:
                length = 1 if suspected else 2 * length
                start, suspected = end, False
            elif end - start == 1:
                self._reject(buffer.events[start], refusal.reason(error, copied), error.pgcode)
                start, length, suspected = end, FIRST_SEGMENT, False
            else:
                bad = refusal.row_of(error, copied, end - start)
                length = (end - start) // 2 if bad is None else max(1, bad)
                suspected = bool(bad)

    def _try(self, buffer: Buffer, start: int, end: int) -> psycopg2.Error | None:
        """Write some rows; returns the error if there is a bad one among them, and none is written then."""
        self._cursor.execute("savepoint tdsup")
        try:
            absent = buffer.fit.writer.write(self._cursor, buffer.lines[start:end])
        except psycopg2.Error as error:
            if not is_data(error):
                raise
            self._cursor.execute("rollback to savepoint tdsup; release savepoint tdsup")
            return error
        self._cursor.execute("release savepoint tdsup")
        self._written(buffer, start, end, absent)
        return None

    def _written(self, buffer: Buffer, start: int, end: int, absent: Iterable[int]) -> None:
        """Count rows, less those that were not there to be changed."""
        self._outcome.rows += end - start
        for number in absent:
            self._outcome.rows -= 1
            if isinstance(buffer.fit.writer, Delete):
                self._outcome.ignore(Operation.DELETE)
            else:
                self._reject(
                    buffer.events[start + number], "it changes a row that the target does not have", None
                )
