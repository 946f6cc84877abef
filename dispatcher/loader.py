"""One batch on its way: lines of events in, rows into the target's tables by COPY."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from . import copytext
from .errors import EventError, is_data, one_line
from .event import Event
from .identifier import TableName
from .partition import Period, PeriodCache
from .settings import EVENT_TIME, Settings
from .tables import Tables, Wanted
from .urlencoded import Row, decode

TABLE_BUFFER = 1 << 20
"""Bytes gathered for one table before they are copied: enough to make the COPY's own cost small."""

TOTAL_BUFFER = 16 << 20
"""Bytes gathered for all tables together before all are copied: the bound on memory."""

LINE_OVERHEAD = 96
"""Bytes that Python adds to a gathered line: the object's header, its place in a list, its event's id."""

_COPY_BLOCK = 1 << 16
_LINE = re.compile(r"\D+(\d+)(?:, (column .*))?")


class _Buffer:
    """Rows of one table with the same columns."""

    def __init__(self, table: TableName, columns: tuple[str, ...]) -> None:
        self.table = table
        self.columns = columns
        self.clear()

    def clear(self) -> None:
        self.lines: list[bytes] = []
        self.events: list[int] = []
        self.size = 0

    def add(self, event_id: int, line: bytes) -> None:
        self.lines.append(line)
        self.events.append(event_id)
        self.size += len(line) + LINE_OVERHEAD


class Loader:
    """Loads one batch within the transaction of `cursor`.

    When a row meets a table that does not exist, loading ends and the rest of the batch is only looked
    through, so that `missing` names every table to create before the batch is tried again.

    Attributes:
        events: events seen.
        rows: rows loaded.
        missing: tables that rows are waiting for.
    """

    def __init__(self, cursor: Cursor, settings: Settings, tables: Tables, periods: PeriodCache) -> None:
        self._cursor = cursor
        self._settings = settings
        self._tables = tables
        self._periods = periods
        self._part_field = settings.part_field.encode()
        self._buffers: dict[tuple[Period | None, tuple[bytes, ...]], _Buffer] = {}
        self._size = 0
        self.events = 0
        self.rows = 0
        self.missing: dict[TableName, Wanted] = {}

    def add(self, line: bytes) -> None:
        """Take one event as COPY wrote it.

        Raises:
            EventError: it has no row.
            psycopg2.Error: the target refused.
        """
        event = Event.from_line(line)
        self.events += 1
        if event.is_system:
            return
        try:
            row = decode(event.row_data())
            period = self._period(event, row)
            names, values = self._columns(row)
            buffer = self._buffer(event, period, names)
        except UnicodeDecodeError as error:
            raise EventError(event.id, "the name of a column is not UTF-8") from error
        except ValueError as error:
            raise EventError(event.id, str(error)) from error
        if not self.missing:
            self._append(buffer, event.id, copytext.line(values))

    def finish(self) -> None:
        """Load what is still held back.

        Raises:
            EventError: a row does not fit its table.
            psycopg2.Error: the target refused.
        """
        if self.missing:
            return
        for buffer in self._buffers.values():
            self._copy(buffer)

    def _period(self, event: Event, row: Row) -> Period | None:
        field = self._settings.part_field
        if not field:
            return None
        if field == EVENT_TIME:
            return self._periods[event.time]
        if self._part_field not in row:
            raise ValueError(f"it has no column {field}, which part_field names")
        return self._periods[row[self._part_field]]

    def _columns(self, row: Row) -> tuple[tuple[bytes, ...], Sequence[bytes | None]]:
        pairs = self._settings.fields.pairs
        if pairs is None:
            if not row:
                raise ValueError("its data holds no column")
            return tuple(row), list(row.values())
        names = tuple(source for source, _ in pairs)
        try:
            return names, [row[name] for name in names]
        except KeyError as error:
            missing: bytes = error.args[0]
            raise ValueError(f"it has no column {missing.decode()}, which fields names") from None

    def _buffer(self, event: Event, period: Period | None, names: tuple[bytes, ...]) -> _Buffer:
        buffer = self._buffers.get((period, names))
        if buffer is None:
            parent = self._settings.dest_table
            table = parent if period is None else parent.with_suffix(period.suffix)
            fields = self._settings.fields
            if not self._tables.exists(table):
                self.missing.setdefault(table, Wanted(table, period, fields.rename(event.key)))
            buffer = self._buffers[period, names] = _Buffer(table, fields.rename(names))
        return buffer

    def _append(self, buffer: _Buffer, event_id: int, line: bytes) -> None:
        buffer.add(event_id, line)
        self._size += len(line) + LINE_OVERHEAD
        if buffer.size >= TABLE_BUFFER:
            self._copy(buffer)
        elif self._size >= TOTAL_BUFFER:
            self.finish()

    def _copy(self, buffer: _Buffer) -> None:
        if not buffer.lines:
            return
        statement = sql.SQL("copy {} ({}) from stdin").format(
            sql.SQL(buffer.table.sql), sql.SQL(", ").join(map(sql.Identifier, buffer.columns))
        )
        try:
            self._cursor.copy_expert(statement, io.BytesIO(b"".join(buffer.lines)), _COPY_BLOCK)
        except psycopg2.Error as error:
            if is_data(error):
                raise _explain(error, buffer) from error
            raise
        self.rows += len(buffer.lines)
        self._size -= buffer.size
        buffer.clear()


def _explain(error: psycopg2.Error, buffer: _Buffer) -> EventError:
    """The event whose line COPY complains of: ``COPY table, line 3, column id: "x"`` in any language."""
    prefix = f"COPY {buffer.table.table}, "
    where = (error.diag.context or "").splitlines()[:1]
    number = _LINE.match(where[0].removeprefix(prefix)) if where and where[0].startswith(prefix) else None
    if number is None or not 1 <= int(number[1]) <= len(buffer.events):
        return EventError(None, one_line(error))
    at = f", {number[2]}" if number[2] else ""
    return EventError(buffer.events[int(number[1]) - 1], f"{one_line(error)} in {buffer.table}{at}")
