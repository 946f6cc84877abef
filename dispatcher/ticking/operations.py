"""One round of PgQ's maintenance: what PgQ wants to be done, each in a transaction of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg2
from psycopg2 import sql

from ..errors import one_line
from ..postgres import Connection, queries

VACUUMS = {"vacuum": sql.SQL("vacuum {}"), "vacuum analyze": sql.SQL("vacuum analyze {}")}
"""What is a statement, by the names that PgQ gives it; everything else is a function."""

REPEATS = 1000
"""How often a function is called in one round that asks to be called again; the next round goes on."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Something to do.

    Attributes:
        name: of a function, perhaps with its schema; or one of `VACUUMS`.
        argument: of the function, such as a queue; or the table to vacuum.
    """

    name: str
    argument: str | None

    def __str__(self) -> str:
        return f"{self.name} of {self.argument}" if self.argument is not None else self.name


class Maintenance:
    """Does what PgQ wants to be done.

    Args:
        connection: for this alone.
        schema: of PgQ.
        stopping: whether to do no more.

    Attributes:
        rotations: how many queues were given another event table.
    """

    def __init__(self, connection: Connection, schema: str, stopping: Callable[[], bool]) -> None:
        self._connection = connection
        self._schema = schema
        self._stopping = stopping
        self.rotations = 0

    def retry(self) -> Iterator[int]:
        """Put events that are due back into their queues, a few at a time; yields how many.

        Raises:
            psycopg2.Error: it failed.
        """
        count = 1
        while count and not self._stopping():
            with self._connection, self._connection.cursor() as cursor:
                count = queries.value(cursor, "retry_events", pgq=self._schema)
            yield count

    def wanted(self) -> list[Operation]:
        """What is to be done now, in order.

        Raises:
            psycopg2.Error: PgQ cannot tell.
        """
        with self._connection, self._connection.cursor() as cursor:
            has_list = queries.value(cursor, "has_maintenance_list", pgq=self._schema)
            name = "maintenance" if has_list else "maintenance_without_list"
            return [Operation(*row) for row in queries.rows(cursor, name, pgq=self._schema)]

    def perform(self, operation: Operation) -> str:
        """Do one of these; returns why it failed, if it did and others can still be done.

        Raises:
            psycopg2.Error: the connection is lost.
        """
        try:
            if operation.name.lower() in VACUUMS:
                self._vacuum(operation)
            else:
                self._call(operation)
        except psycopg2.Error as error:
            if self._connection.closed:
                raise
            return one_line(error)
        return ""

    def _vacuum(self, operation: Operation) -> None:
        statement = VACUUMS[operation.name.lower()].format(_identifier(operation.argument or ""))
        self._connection.set_session(autocommit=True)
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            if not self._connection.closed:
                self._connection.set_session(autocommit=False)

    def _call(self, operation: Operation) -> None:
        """Call a function, again and again while it asks for it by a number other than 0."""
        arguments = () if operation.argument is None else (operation.argument,)
        statement = sql.SQL("select {}({})").format(
            _identifier(operation.name), sql.SQL(", ").join(sql.Placeholder() * len(arguments))
        )
        # A function that users have added may rely on the path that they know.
        is_foreign = operation.name.partition(".")[0] != self._schema
        for _ in range(REPEATS):
            with self._connection, self._connection.cursor() as cursor:
                if is_foreign:
                    queries.run(cursor, "users_names")
                cursor.execute(statement, arguments)
                result = (cursor.fetchone() or (None,))[0]
                if is_foreign:
                    queries.run(cursor, "own_names_again")
                rotated = queries.value(cursor, "rotated_here", pgq=self._schema)
            self.rotations += rotated
            if type(result) is not int or result == 0 or self._stopping():
                return


def _identifier(name: str) -> sql.Identifier:
    """A name from PgQ, which separates schema and object by the first dot; a bare one is in schema public."""
    schema, dot, rest = name.partition(".")
    return sql.Identifier(schema, rest) if dot else sql.Identifier("public", name)
