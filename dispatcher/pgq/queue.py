"""One consumer's queue: registration, batches and their events."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from psycopg2 import sql

from ..errors import Enough
from ..events import COLUMNS, PASSED_OVER
from ..partitions import TEXT, ColumnType
from ..postgres import UTF8, Connection, queries
from ..settings import Settings
from .batch import Batch
from .reading import Reading
from .sourcetables import SourceTables
from .standing import Standing, standings

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

BLOCK = 1 << 18
"""Bytes of COPY text handed over at a time."""


_MASKED = {
    "ev_type": f"case when wanted then ev_type else '{PASSED_OVER.decode()}' end",
    **{
        name: f"case when wanted then {name} else '' end"
        for name in ("ev_data", "ev_extra1", "ev_extra2", "ev_extra3", "ev_extra4")
    },
}
"""Columns of events of a batch, of which some are passed over."""

_MARKED = "(select *, {} as wanted from {} events offset 0)"
"""A batch with the mark of what is wanted, so that it is found out once for each event."""


class Queue:
    """A queue as one consumer sees it. Errors of the database are raised as psycopg2's.

    Args:
        connection: to the source.
        settings: the job's.
        roots: see `SourceTables`.

    Attributes:
        connection: to the source.
        heard: the moment, by ``time.monotonic()``, when the source last answered.
    """

    def __init__(
        self, connection: Connection, settings: Settings, roots: dict[bytes, bytes] | None = None
    ) -> None:
        # Each call of PgQ is its own transaction, in one round trip.
        connection.set_session(autocommit=True)
        self.connection = connection
        self.heard = time.monotonic()
        self._settings = settings
        self._pgq = {"pgq": settings.pgq_schema}
        self._roots = {} if roots is None else roots
        self._encoding = UTF8
        self._names = {"queue": settings.queue, "consumer": settings.consumer_name, **self._pgq}

    def next_batch(self, min_events: int = 0) -> Batch | None:
        """Open the next batch, or return the one that is still open; None if there is nothing to read now.

        Args:
            min_events: the least that it should hold, if that is more than the settings ask for; about twice
                as many are taken at most, unless a single tick has more.
        """
        settings = self._settings
        with self.connection.cursor() as cursor:
            row = queries.row(
                cursor,
                "next_batch" if self._plans else "next_batch_unplanned",
                **self._names,
                keep_lag=settings.pgq_keep_lag or None,
                min_count=max(settings.pgq_batch_collect_events, min_events) or None,
                min_interval=settings.pgq_batch_collect_interval or None,
            )
        self.heard = time.monotonic()
        return None if row is None or row[0] is None else Batch(*row)

    @cached_property
    def tables(self) -> SourceTables:
        """The tables whose rows are loaded."""
        return SourceTables(self.connection, self._settings, self._roots)

    @cached_property
    def _plans(self) -> bool:
        """Whether the role may ask for the query of a batch."""
        with self.connection.cursor() as cursor:
            return bool(queries.value(cursor, "may_plan_batches", **self._pgq))

    def is_open(self, batch: Batch) -> bool:
        """Whether nobody has finished the batch yet, nor moved the consumer."""
        with self.connection.cursor() as cursor:
            return bool(queries.value(cursor, "is_open", **self._pgq, batch=batch.id))

    def standing(self) -> Standing:
        """How the consumer and its queue fare."""
        consumer = self._settings.queue, self._settings.consumer_name
        return standings(self.connection, self._settings.pgq_schema, [consumer])[consumer]

    def read(self, batch: Batch, receive: Callable[[bytes], object], ids: Sequence[int] = ()) -> None:
        """Stream an open batch in the order of its events.

        Those that ``table_filter`` leaves out come without data, as of the type `PASSED_OVER`.

        Args:
            batch: the batch.
            receive: gets each event as a line of COPY text. If it raises `Enough`, the rest is dropped and
                the error raised at the end of the stream. Anything else is raised at once, and the
                connection cannot be used after that.
            ids: ``ev_id`` of the events to read, if ``table_filter`` takes them; empty: all.
        """
        receiver = _Receiver(receive)
        self._copy(batch, COLUMNS, ids, "order by ev_id", receiver)
        receiver.raise_error()

    def stream(
        self, batch: Batch, receive: Callable[[bytes], object], *, ordered: bool, leading: Sequence[str]
    ) -> None:
        """Stream an open batch. `receive` gets blocks of whole lines of COPY text; see `read`.

        Args:
            batch: the batch.
            receive: as `read` takes it.
            ordered: lines come in the order of events.
            leading: columns of events that lines begin with, ``ev_id`` first. Behind them are ``ev_type``,
                ``ev_data``, ``ev_extra1`` and, if `ordered`, ``ev_extra2``; each other one would cost time.
        """
        columns = [*leading, "ev_type", "ev_data", "ev_extra1"]
        columns += ["ev_extra2"] * ordered
        receiver = _Receiver(receive)
        with io.BufferedWriter(_Blocks(receiver), BLOCK) as writer:
            self._copy(batch, columns, (), "order by ev_id" if ordered else "", writer)
        receiver.raise_error()

    def _copy(self, batch: Batch, columns: Sequence[str], ids: Sequence[int], order: str, file: Any) -> None:
        conditions: list[sql.Composable] = []
        if ids:
            conditions.append(sql.SQL("ev_id in ({})").format(_literals(ids)))
        # The outer query orders the events, or nothing does.
        events = sql.SQL("({})").format(sql.SQL(batch.query.removesuffix(" order by 1")))
        shown: list[sql.Composable] = [sql.Identifier(column) for column in columns]
        if wanted := self.tables.condition():
            if ids:
                conditions.append(wanted)
            else:
                events = sql.SQL(_MARKED).format(wanted, events)
                shown = [sql.SQL(_MASKED.get(column, column)) for column in columns]
        copy = sql.SQL("copy (select {} from {} batch{}{} {}) to stdout{}").format(
            sql.SQL(", ").join(shown),
            events,
            sql.SQL(" where " if conditions else ""),
            sql.SQL(" and ").join(conditions),
            sql.SQL(order),
            sql.SQL(self._encoding.copies_out),
        )
        with self.connection.cursor() as cursor:
            cursor.copy_expert(copy, file)
        self.heard = time.monotonic()

    def finish(self, batch: Batch) -> tuple[bool, float, int]:
        """Close the batch; returns whether it was open, its end's age in seconds, and the events after."""
        with self.connection.cursor() as cursor:
            row = queries.row(
                cursor,
                "finish_batch",
                **self._pgq,
                queue=self._settings.queue,
                batch=batch.id,
                event_seq=batch.sequence,
                tick_time=batch.tick_time,
            )
        assert row is not None
        finished, age, behind = row
        self.heard = time.monotonic()
        return bool(finished), max(0.0, float(age)), max(0, int(behind))

    def primary_key(self, table: bytes) -> tuple[bytes, ...]:
        """Columns of the primary key of a table of the source, which ``ev_extra1`` names so."""
        schema, _, name = table.decode().partition(".")
        with self.connection.cursor() as cursor:
            found = queries.rows(cursor, "primary_key", schema=schema, table=name)
        return tuple(column.encode() for (column,) in found)

    def column_type(self, table: str, column: str) -> ColumnType:
        """Type of a column of the source; text if there is no such column.

        Args:
            table: as ``ev_extra1`` names it, ``schema.table``.
            column: its name.
        """
        schema, _, name = table.partition(".")
        with self.connection.cursor() as cursor:
            found = queries.row(cursor, "column_type", schema=schema, table=name, column=column)
        return ColumnType(*found) if found else TEXT

    def reading(self, target: Connection) -> Reading:
        """How values are read; the target's session is told, and events come in that encoding from now on."""
        found = Reading.of(self.connection, target, self._settings)
        self._encoding = found.encoding
        return found

    @property
    def time_zone(self) -> str:
        """TimeZone of the session: the zone in which ``ev_time`` and most producers' times are written."""
        return self.connection.session.get_parameter_status("TimeZone") or "UTC"


class _Receiver:
    """A file for psycopg2 to copy into, once per line; passes on what comes until that is enough."""

    def __init__(self, receive: Callable[[bytes], object]) -> None:
        self._receive = receive
        self._error: Exception | None = None

    def write(self, data: bytes) -> None:
        """Pass on a piece, unless an earlier one was the last."""
        if self._error is None:
            try:
                self._receive(data)
            except Exception as error:
                self._error = error
                if not isinstance(error, Enough):
                    raise

    def raise_error(self) -> None:
        """The stream has ended: raise what was kept."""
        error, self._error = self._error, None
        if error is not None:
            raise error


class _Blocks(io.RawIOBase):
    """Receives what a buffered writer has gathered, and passes on whole lines."""

    def __init__(self, receiver: _Receiver) -> None:
        self._receiver = receiver
        self._begun = b""

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer) -> int:
        """Take a piece of COPY text, which may end within a line."""
        text = bytes(data)
        end = text.rfind(b"\n") + 1
        if end:
            self._receiver.write(self._begun + text[:end])
            self._begun = text[end:]
        else:
            self._begun += text
        return len(text)


def _literals(values: Iterable[object]) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Literal, values))
