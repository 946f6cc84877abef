"""Rows on their way: gathered by shape, kept in order where it matters, written in bulk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

import psycopg2
from psycopg2.extensions import cursor as Cursor

from ..errors import is_data
from ..events import Event, Operation
from ..postgres import copytext
from ..route import Kind, Routed, Shape, WritePlan
from ..write import Delete, Insert, Mark, Patch, Replace, refusal, write
from .outcome import Outcome
from .passes import End, PassFailed

TABLE_BUFFER = 1 << 20
"""Bytes gathered for one shape before they are written: enough to make the cost of a statement small."""

LINE_OVERHEAD = 96
"""Bytes that Python adds to a gathered line: the object's header, its place in a list, its event."""

FIRST_SEGMENT = 8
"""Rows of the next try after a bad one: bad rows often come together."""

MAX_SHAPES = 1000
"""Most shapes that have buffers: whoever writes events chooses which columns each has."""

ORDER: tuple[Kind, ...] = (Delete, Mark, Patch, Replace, Insert)
"""The order in which buffers are written: what makes room comes first."""

Identity = tuple[int, tuple[bytes, ...], tuple[bytes | None, ...]]
"""A row, by the number of its table, and the sorted names and the values of its key."""

ABSENT = psycopg2.Error("a row is not there")
"""Stands for what the target does not say: some columns are to change of a row that it does not have."""

Mend = Callable[[bytes], bytes | None]
"""Gives a line with replacement characters, or None."""

_NO_CHARACTERS = frozenset({"22021", "22P05"})
"""SQLSTATEs of bytes that are no characters, in the source's encoding or in the target's."""

Reject = Callable[[Event, str, str | None], None]
"""Takes an event whose row the target refused, the reason, and the SQLSTATE if there is one."""


class Buffer:
    """Rows of one shape.

    Attributes:
        shape: the shape.
        plan: how they are written.
        lines: the rows as COPY text.
        events: where the rows come from; empty if that will not be needed.
        size: bytes of both.
    """

    def __init__(self, shape: Shape, plan: WritePlan) -> None:
        self.shape = shape
        self.plan = plan
        self.clear()

    def clear(self) -> None:
        """Forget the rows."""
        self.lines: list[bytes] = []
        self.events: list[Event] = []
        self.size = 0

    def line(self, routed: Routed) -> bytes:
        """A row as COPY text: the values that are written, then the key that finds the row."""
        values, written = routed.values, self.plan.written
        picked = values if written is None else [values[number] for number in written]
        return copytext.line([*picked, *routed.before] if self.plan.appends_key else picked)


class Buffers:
    """All rows of a transaction that are not written yet.

    Attributes:
        ordered: a change of a row has come, so order matters from now on.

    Args:
        cursor: of the target.
        outcome: counted up.
        reject: takes the event of a bad row.
        limit: bytes gathered for all shapes together before all are written.
        mend: write under savepoints and find every bad row; for one with bytes that are no characters, this
            gives the line to write instead, or None. Without it, the first bad row ends the pass.
        bad_states: see `is_data`.
    """

    def __init__(
        self,
        cursor: Cursor,
        outcome: Outcome,
        reject: Reject,
        limit: int,
        mend: Mend | None = None,
        bad_states: AbstractSet[str] = frozenset(),
    ) -> None:
        self._bad_states = bad_states
        self._cursor = cursor
        self._outcome = outcome
        self._reject = reject
        self._limit = limit
        self._mend = mend
        self._careful = mend is not None
        self._buffers: dict[tuple[int, Shape], Buffer] = {}
        self._size = 0
        self.ordered = False
        self._keyless = False
        self._last: Buffer | None = None
        self._pending: dict[Identity, tuple[Buffer, int]] = {}
        self._keys: dict[int, tuple[bytes, ...]] = {}

    def find(self, table: int, shape: Shape) -> Buffer | None:
        """The buffer of a table's shape, if there is one."""
        return self._buffers.get((table, shape))

    def make(self, table: int, shape: Shape, plan: WritePlan) -> Buffer:
        """A new buffer for a table's shape; raises as `add` does."""
        if len(self._buffers) >= MAX_SHAPES:
            self.flush()
            self._buffers.clear()
        self._buffers[table, shape] = buffer = Buffer(shape, plan)
        return buffer

    def keep_order(self) -> None:
        """From the first change of a row on, remember which rows are in the buffers."""
        if not self.ordered:
            self.flush()
            self.ordered = True

    def add(self, buffer: Buffer, event: Event, routed: Routed, identities: Sequence[Identity]) -> None:
        """Take a row.

        Args:
            buffer: of the row's shape.
            event: where the row comes from.
            routed: the row.
            identities: of the row before and after; empty if the event does not tell, or no order is kept.

        Raises:
            PassFailed: the target refuses a row, and this pass does not look for it.
        """
        if self._careful and self.ordered and self._last is not buffer:
            # Rows may depend on each other in more than their keys: with care, they go in as in the source.
            self.flush()
        self._last = buffer
        line = buffer.line(routed)
        if self.ordered and not self._make_way(buffer, line, identities):
            return
        size = len(line) + LINE_OVERHEAD
        if self._careful:
            buffer.events.append(event)
            size += len(event.line)
        buffer.lines.append(line)
        buffer.size += size
        self._size += size
        if self._size >= self._limit or (self.ordered and buffer.size >= TABLE_BUFFER):
            self.flush()
        elif buffer.size >= TABLE_BUFFER:
            self._write(buffer)

    def _make_way(self, buffer: Buffer, line: bytes, identities: Sequence[Identity]) -> bool:
        """Keep the order of changes of one row; returns False if the new state replaced the old one."""
        kind = buffer.shape.kind
        if not identities:
            if kind is not Insert:
                self.flush()
            self._keyless = True
            return True
        table, key, _ = identities[0]
        if self._keys.setdefault(table, key) != key:
            # By other columns, it may be a row that is held.
            self.flush()
            self._keys[table] = key
        held = [self._pending[identity] for identity in identities if identity in self._pending]
        if self._supersedes(buffer, held, identities):
            number = held[0][1]
            more = len(line) - len(buffer.lines[number])
            buffer.lines[number] = line
            buffer.size += more
            self._size += more
            self._outcome.rows += 1
            if self._size >= self._limit:
                self.flush()
            return False
        if held or (self._keyless and kind is not Insert):
            self.flush()
        for identity in identities:
            self._pending[identity] = buffer, len(buffer.lines)
        return True

    def _supersedes(
        self, buffer: Buffer, held: Sequence[tuple[Buffer, int]], identities: Sequence[Identity]
    ) -> bool:
        """Whether only the last of several states has to be written; with care each counts by itself."""
        same = buffer.shape.kind is Replace and len(identities) == 1 and bool(held) and held[0][0] is buffer
        return same and not self._careful

    def flush(self) -> None:
        """Write everything; raises as `add` does."""
        for kind in ORDER:
            for buffer in self._buffers.values():
                if buffer.shape.kind is kind and buffer.lines:
                    self._write(buffer)
        self._pending.clear()
        self._keys.clear()
        self._keyless = False

    def _write(self, buffer: Buffer) -> None:
        if self._careful:
            self._write_carefully(buffer)
        else:
            try:
                absent = write(buffer.plan.writer, self._cursor, buffer.lines, len(buffer.lines))
            except psycopg2.Error as error:
                if is_data(error, self._bad_states):
                    raise PassFailed(End.REFUSED) from error
                raise
            if absent and buffer.shape.kind is Patch:
                raise PassFailed(End.REFUSED)
            self._written(buffer, len(buffer.lines), absent)
        self._size -= buffer.size
        buffer.clear()

    def _write_carefully(self, buffer: Buffer) -> None:
        """Write the good rows and reject the bad ones.

        COPY tells which row it stumbled over. The rows before it are written again, because rolling back to
        the savepoint removed them, and then that row alone. Where the target does not tell, the rows are
        halved. No row is rejected that was not tried alone: docs/decisions/0005.
        """
        copied = buffer.plan.writer.copied
        start, length, suspected = 0, len(buffer.lines), False
        while start < len(buffer.lines):
            end = min(start + length, len(buffer.lines))
            error = self._try(buffer, start, end)
            if error is None:
                length = 1 if suspected else 2 * length
                start, suspected = end, False
            elif end - start == 1 and (mended := self._mended(buffer.lines[start], error)):
                buffer.lines[start], length = mended, 1
            elif end - start == 1:
                self._reject(buffer.events[start], *_reason(error, copied))
                start, length, suspected = end, FIRST_SEGMENT, False
            else:
                bad = None if error is ABSENT else refusal.row_of(error, copied, end - start)
                length = (end - start) // 2 if bad is None else max(1, bad)
                suspected = bool(bad)

    def _mended(self, line: bytes, error: psycopg2.Error) -> bytes | None:
        """What to write instead of a line that was refused for its characters; None: nothing."""
        return self._mend(line) if self._mend and error.pgcode in _NO_CHARACTERS else None

    def _try(self, buffer: Buffer, start: int, end: int) -> psycopg2.Error | None:
        """Write some rows; if one of them is bad, returns the error and writes none."""
        self._cursor.execute("savepoint tdsup")
        lines, error = buffer.lines[start:end], None
        try:
            absent = write(buffer.plan.writer, self._cursor, lines, len(lines))
            if absent and buffer.shape.kind is Patch:
                error = ABSENT
        except psycopg2.Error as refused:
            if not is_data(refused, self._bad_states):
                raise
            error = refused
        if error is not None:
            self._cursor.execute("rollback to savepoint tdsup; release savepoint tdsup")
            return error
        self._cursor.execute("release savepoint tdsup")
        self._written(buffer, len(lines), absent)
        return None

    def _written(self, buffer: Buffer, count: int, absent: int) -> None:
        """Count rows; what would remove those that were not there is ignored."""
        self._outcome.rows += count
        if absent and buffer.shape.kind in {Delete, Mark}:
            asked = Operation.UPDATE if buffer.shape.leaves else Operation.DELETE
            self._outcome.count_absent(asked, absent)


def _reason(error: psycopg2.Error, copied: str) -> tuple[str, str | None]:
    """Why a row is not written, and the SQLSTATE if there is one."""
    if error is ABSENT:
        return "it changes a row that the target does not have", None
    return refusal.reason(error, copied), error.pgcode
