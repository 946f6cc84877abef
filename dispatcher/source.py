"""The source: one consumer of one PgQ queue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from . import queries
from .errors import SetupError
from .event import COLUMNS
from .identifier import TableName
from .settings import Settings


@dataclass(frozen=True, slots=True)
class Batch:
    """The events between two ticks (PgQ ``next_batch_custom``).

    Attributes:
        id: batch id; the same batch keeps it until it is finished.
        tick: id of the tick that ends it.
        previous_tick: id of the tick that ends the batch before.
        tick_time: when `tick` was made, in seconds since the epoch by the source's clock.
    """

    id: int
    tick: int
    previous_tick: int
    tick_time: float


class Source:
    """A consumer's view of its queue. Errors of the database pass through as psycopg2's."""

    def __init__(self, connection: Connection, settings: Settings) -> None:
        # Each call of PgQ is a transaction of its own, in one round trip.
        connection.autocommit = True
        self._connection = connection
        self._settings = settings
        self._pgq = {"pgq": settings.pgq_schema}
        self._names = {"queue": settings.queue, "consumer": settings.consumer_name, **self._pgq}

    def register(self) -> bool:
        """Make sure that the consumer is registered; returns whether it was not before.

        Raises:
            SetupError: there is no PgQ, or no such queue.
        """
        queue = self._settings.queue
        with self._connection.cursor() as cursor:
            if not queries.value(cursor, "has_pgq", **self._pgq):
                raise SetupError(
                    f"cannot read queue {queue}: the source database has no PgQ in schema "
                    f"{self._settings.pgq_schema}; run there: create extension pgq"
                )
            if not queries.value(cursor, "has_queue", **self._pgq, queue=queue):
                raise SetupError(
                    f"cannot read queue {queue}: the source database has no such queue; run there: "
                    f"select {self._settings.pgq_schema}.create_queue('{queue}')"
                )
            if queries.value(cursor, "is_registered", **self._names):
                return False
            return bool(queries.value(cursor, "register", **self._names))

    def unregister(self) -> bool:
        """Unsubscribe the consumer; returns whether it was subscribed."""
        with self._connection.cursor() as cursor:
            if not queries.value(cursor, "has_queue", **self._pgq, queue=self._settings.queue):
                return False
            return bool(queries.value(cursor, "unregister", **self._names))

    def register_at(self, tick: int) -> None:
        """Set the consumer to a tick, subscribed or not; what comes after it is read next."""
        with self._connection.cursor() as cursor:
            queries.run(cursor, "register_at", **self._names, tick=tick)

    def next_batch(self) -> Batch | None:
        """Open the next batch, or the one that is still open; None if nothing is to be read now."""
        settings = self._settings
        with self._connection.cursor() as cursor:
            row = queries.row(
                cursor,
                "next_batch",
                **self._names,
                keep_lag=settings.pgq_keep_lag or None,
                min_count=settings.pgq_batch_collect_events or None,
                min_interval=settings.pgq_batch_collect_interval or None,
            )
        return None if row is None or row[0] is None else Batch(*row)

    def newest_ticks(self) -> dict[str, int]:
        """The newest tick of every queue of the database that has one, by the queue's name."""
        with self._connection.cursor() as cursor:
            found = queries.rows(cursor, "newest_ticks", **self._pgq)
        return {queue: tick for queue, tick in found if tick is not None}

    def read(self, batch: Batch, receive: Callable[[bytes], object]) -> None:
        """Stream the batch in the order of its events: `receive` gets a line of COPY text for each.

        What `receive` raises passes through; the connection is of no further use then.
        """
        with self._connection.cursor() as cursor:
            query = queries.value(cursor, "batch_event_sql", **self._pgq, batch=batch.id)
            where: sql.Composable = sql.SQL("")
            if tables := self._settings.source_tables:
                names = sql.SQL(", ").join(map(sql.Literal, tables))
                where = sql.SQL(" where ev_extra1 in ({})").format(names)
            copy = sql.SQL("copy (select {} from ({}) batch{} order by ev_id) to stdout").format(
                sql.SQL(", ").join(map(sql.Identifier, COLUMNS)), sql.SQL(query), where
            )
            cursor.copy_expert(copy, _Writer(receive))

    def finish(self, batch: Batch) -> tuple[float, int]:
        """Close the batch; returns the age of its end in seconds, and the events after it: the lag."""
        with self._connection.cursor() as cursor:
            row = queries.row(
                cursor,
                "finish_batch",
                **self._pgq,
                queue=self._settings.queue,
                batch=batch.id,
                tick=batch.tick,
                tick_time=batch.tick_time,
            )
        assert row is not None
        _finished, age, behind = row
        return max(0.0, float(age)), max(0, int(behind))

    def only_table(self) -> bytes | None:
        """The one table whose rows are loaded, as ``ev_extra1`` names it; None if there may be others.

        It is the one that ``table_filter`` chooses, or the only one whose triggers feed the queue.
        """
        names = list(self._settings.source_tables)
        if not names:
            with self._connection.cursor() as cursor:
                found = queries.rows(cursor, "feeding_tables", **self._pgq, queue=self._settings.queue)
            names = [name for (name,) in found]
        return names[0].encode() if len(names) == 1 else None

    def column_type(self, table: str, column: str) -> str:
        """Type of a column of the source as SQL; ``text`` if there is no such column to be found.

        Args:
            table: as ``ev_extra1`` names it, ``schema.table``.
            column: its name.
        """
        schema, _, name = table.partition(".")
        with self._connection.cursor() as cursor:
            found = queries.row(cursor, "column_type", table=TableName(schema, name).sql, column=column)
        return found[0] if found else "text"

    @property
    def time_zone(self) -> str:
        """TimeZone of the session, in which ``ev_time`` is written and most producers' times are."""
        return self._connection.get_parameter_status("TimeZone") or "UTC"


class _Writer:
    """What psycopg2 takes for a file to copy into: it is called once a line."""

    def __init__(self, receive: Callable[[bytes], object]) -> None:
        self.write = receive
