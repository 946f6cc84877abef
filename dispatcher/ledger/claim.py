"""Who works for a consumer: one process at a time, for as long as its session lasts."""

from __future__ import annotations

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from ..postgres import queries
from .position import Position


class Claim:
    """A process's claim to be the only one that works for a consumer: advisory locks of its session.

    The lock on queue and consumer comes first, wherever the position is kept: only its holder looks for the
    storage, or makes it. A second lock is needed where pgq_ext tells consumers apart by their names alone.

    Args:
        connection: to the target; the locks end with it.
        position: the consumer's; ready for use once the claim is taken.
    """

    def __init__(self, connection: Connection, position: Position) -> None:
        self._connection = connection
        self._position = position
        self._held: set[int] = set()

    def take(self) -> str | None:
        """Claim the consumer, for as long as the connection lives.

        Returns:
            None, or who works for it already.

        Raises:
            SetupError: there is no storage for the position, and none can be made.
        """
        with self._connection, self._connection.cursor() as cursor:
            if holder := self._lock(cursor, self._position.consumer_key):
                return holder
            self._position.prepare(cursor)
            return self._lock(cursor, self._position.key)

    def holder(self, cursor: Cursor) -> str | None:
        """Who works for the consumer now; takes no lock."""
        return _holder(cursor, self._position.consumer_key)

    def _lock(self, cursor: Cursor, key: int) -> str | None:
        """Take a lock of the session, unless it is held already; returns who holds it instead."""
        if key in self._held:
            return None
        if queries.value(cursor, "take_session_lock", key=key):
            self._held.add(key)
            return None
        return _holder(cursor, key) or "another process"


def _holder(cursor: Cursor, key: int) -> str | None:
    """Which session holds a lock."""
    found = queries.row(cursor, "lock_holder", key=key)
    if found is None:
        return None
    pid, application, address = found
    return f"{application} (backend {pid}, {address})"
