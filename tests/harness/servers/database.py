"""A database that a test talks to."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection

PAUSE = 0.02


class Database:
    """One connection in autocommit mode to a database of the sandbox.

    Attributes:
        dsn: its connection string.
    """

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._connection: Connection = self._connect()

    def _connect(self) -> Connection:
        connection = psycopg2.connect(self.dsn)
        connection.autocommit = True
        return connection

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def reconnect(self) -> None:
        """Connect again after the server was away."""
        self.close()
        self._connection = self._connect()

    @contextlib.contextmanager
    def another(self) -> Iterator[Database]:
        """A second session in the same database."""
        other = Database(self.dsn)
        try:
            yield other
        finally:
            other.close()

    def execute(self, statement: str, *parameters: object) -> None:
        """Run one or more statements."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self._connection.cursor() as cursor:
            cursor.execute(query, parameters or None)
            return cursor.fetchall()

    def column(self, query: str, *parameters: object) -> list[Any]:
        """The first column of a query."""
        return [row[0] for row in self.rows(query, *parameters)]

    def value(self, query: str, *parameters: object) -> Any:
        """The first column of the first row."""
        return self.rows(query, *parameters)[0][0]

    def wait_for(self, query: str, *parameters: object, seconds: float = 20) -> None:
        """Wait until a query's first value is true."""
        deadline = time.monotonic() + seconds
        while not self.value(query, *parameters):
            assert time.monotonic() < deadline, f"not true within {seconds} s: {query}"
            time.sleep(PAUSE)
