"""Whose turn it is to tick: of several hosts, one at a time."""

from __future__ import annotations

from tdsup.jobtype import brief

from ..postgres import Connection, lock_key, queries


class Turn:
    """The lock on ticking, of one database and one schema of PgQ; the session that has it keeps it.

    Args:
        connection: of the session, in autocommit mode.
        schema: of PgQ.
    """

    def __init__(self, connection: Connection, schema: str) -> None:
        self._connection = connection
        self._key = lock_key("ticker", schema)

    def take(self) -> bool:
        """Take the lock if nobody has it; returns whether it was free.

        Raises:
            psycopg2.Error: the database failed.
        """
        with self._connection.cursor() as cursor:
            return bool(queries.value(cursor, "try_session_lock", key=self._key))

    def holder(self) -> str:
        """Who has it, as far as the role may see.

        Raises:
            psycopg2.Error: the database failed.
        """
        with self._connection.cursor() as cursor:
            found = queries.row(cursor, "lock_holder", key=self._key)
        if found is None:
            return "another process ticks"
        pid, application, address = found
        return f"another process ticks: host {address}, backend {pid} ({brief(application)})"
