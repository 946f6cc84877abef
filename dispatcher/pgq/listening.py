"""Notifications of ticks, which PgQue sends."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg2 import sql

from ..postgres import MAX_BYTES, Connection, queries


def listen(connection: Connection, schema: str, names: Iterable[str]) -> bool:
    """Ask to be notified of each tick of some queues; returns whether the source does that.

    PgQue notifies the channel ``pgque_<queue>`` (``pgque.ticker``).

    Args:
        connection: to the source, in autocommit mode.
        schema: of PgQ.
        names: of the queues.
    """
    channels = [channel for name in names if len((channel := f"pgque_{name}").encode()) <= MAX_BYTES]
    with connection.cursor() as cursor:
        if not queries.value(cursor, "notifies", pgq=schema):
            return False
        cursor.execute(
            sql.SQL("; ").join(sql.SQL("listen {}").format(sql.Identifier(each)) for each in channels)
        )
    return True
