"""Whether there are events between two ticks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from psycopg2 import ProgrammingError
from psycopg2.extensions import cursor as Cursor

from ..postgres import Connection, queries


def with_events(connection: Connection, schema: str, ticks: Mapping[str, tuple[int, int]]) -> list[str]:
    """Those of some queues that may have events between two ticks.

    Where that cannot be asked, for want of rights or in a PgQ of other types, all of them may have some.

    Args:
        connection: to the source, in autocommit mode.
        schema: of PgQ.
        ticks: by queue.
    """
    with connection.cursor() as cursor, suppress(ProgrammingError):
        parts = [
            (table, dict(zip(("told", "newest"), ticks[queue], strict=True), queue=queue))
            for queue, table in tables_of(cursor, schema, list(ticks))
        ]
        return [queue for (queue,) in queries.rows_of_each(cursor, "holds_events", parts, schema)]
    return list(ticks)


def tables_of(cursor: Cursor, schema: str, names: Sequence[str]) -> list[tuple[str, str]]:
    """Queues with the table that holds their events, as SQL; those that are not there are left out."""
    rows = queries.rows(cursor, "event_tables", pgq=schema, queues=list(names))
    return [(queue, table) for queue, table in rows]
