"""Positions: which tick of a queue the target has applied last.

The position is written in the transaction that loads the batch; that makes the load exactly once. It is
kept in ``pgq_ext`` where the target has it (man page, "Setup"), else in ``tdsup.completed_tick``.
"""

from __future__ import annotations

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from ..errors import SetupError, is_infrastructure, one_line
from ..postgres import lock_key, queries


class Position:
    """One consumer's position in one target database."""

    def __init__(self, connection: Connection, queue: str, consumer: str) -> None:
        self._connection = connection
        self._names = {"queue": queue, "consumer": consumer}
        self._place = "own"
        self._held: list[int] = []

    def claim(self) -> str | None:
        """Become the only process that works for the consumer, for as long as the connection lives.

        The lock on queue and consumer comes first, wherever the position is kept: only its holder looks for
        the place, or makes it. pgq_ext tells consumers apart by their names alone, hence a second lock.

        Returns:
            None, or who works for it already.

        Raises:
            SetupError: there is no place for the position, and none can be made.
        """
        with self._connection, self._connection.cursor() as cursor:
            if holder := self._lock(cursor, lock_key("position", *self._names.values())):
                return holder
            self._find_place(cursor)
            if self._place == "pgq_ext":
                return self._lock(cursor, lock_key("position", self._names["consumer"]))
        return None

    def holder(self, cursor: Cursor) -> str | None:
        """Who works for the consumer at this moment; a look, which takes no lock."""
        return _holder(cursor, lock_key("position", *self._names.values()))

    def peek(self, cursor: Cursor) -> tuple[str, int | None]:
        """The schema that the position is kept in and the last applied tick; a look, which needs no claim.

        The schema is empty if there is no place for it yet.
        """
        if not self._has_place(cursor):
            return "", None
        tick: int | None = queries.value(cursor, f"read_{self._place}", **self._names)
        return "pgq_ext" if self._place == "pgq_ext" else "tdsup", tick

    def _lock(self, cursor: Cursor, key: int) -> str | None:
        """Take a lock of the session; returns who has it instead."""
        if key in self._held:
            return None
        if queries.value(cursor, "take_session_lock", key=key):
            self._held.append(key)
            return None
        return _holder(cursor, key) or "another process"

    def _find_place(self, cursor: Cursor) -> None:
        if not self._has_place(cursor):
            self._create_schema(cursor)

    def _has_place(self, cursor: Cursor) -> bool:
        own_schema = queries.value(cursor, "has_own_schema")
        own = own_schema and queries.value(cursor, "has_own_position", **self._names)
        if not own and queries.value(cursor, "has_pgq_ext"):
            self._place = "pgq_ext"
        elif own_schema and not queries.value(cursor, "has_tick_times"):
            self._place = "untimed"
        return bool(own_schema) or self._place == "pgq_ext"

    def _create_schema(self, cursor: Cursor) -> None:
        try:
            queries.run(cursor, "lock_transaction", key=lock_key("schema"))
            queries.run(cursor, "create_positions")
        except psycopg2.Error as error:
            if is_infrastructure(error):
                raise
            raise SetupError(
                f"cannot create schema tdsup in the target database: {one_line(error)}; "
                "install pgq_ext there, or grant create on the database"
            ) from error

    def read(self, cursor: Cursor) -> tuple[int | None, float | None]:
        """Last applied tick and its time, if it is known (pgq_ext has no room for it).

        A lock on them lasts until the transaction ends; the position is to be claimed before.
        """
        read = f"read_{self._place}"
        found = queries.row(cursor, "lock_transaction", read, key=self._held[-1], **self._names)
        assert found is not None
        tick, moment = found
        return tick, moment

    def write(self, cursor: Cursor, tick: int | None, tick_time: float | None = None) -> None:
        """Set the last applied tick and its time; None forgets it."""
        forget = tick is None and self._place != "pgq_ext"
        write = "forget_own" if forget else f"write_{self._place}"
        queries.run(cursor, write, **self._names, tick=tick, tick_time=tick_time)

    def repair_command(self, tick: int) -> str:
        """SQL for a person to run on the target that sets the position to a tick."""
        queue, consumer = (_literal(self._names[name]) for name in ("queue", "consumer"))
        if self._place == "pgq_ext":
            return f"select pgq_ext.set_last_tick({consumer}, {tick})"
        forget_time = ", last_tick_time = null" if self._place == "own" else ""
        return (
            f"update tdsup.completed_tick set last_tick_id = {tick}{forget_time} "  # noqa: S608 (text for a person)
            f"where queue_name = {queue} and consumer_name = {consumer}"
        )


def _holder(cursor: Cursor, key: int) -> str | None:
    """Which session has a lock."""
    found = queries.row(cursor, "lock_holder", key=key)
    if found is None:
        return None
    pid, application, address = found
    return f"{application} (backend {pid}, {address})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
