"""Positions: the tick up to which the target has applied a consumer's events.

The position is written in the transaction that loads the batch; that makes each load exactly once. It is kept
in ``pgq_ext`` if the target has it (man page, "Setup"), else in ``tdsup.completed_tick``.
"""

from __future__ import annotations

from enum import StrEnum

import psycopg2
from psycopg2.extensions import cursor as Cursor

from ..errors import SetupError, is_infrastructure, one_line
from ..postgres import lock_key, queries


class Storage(StrEnum):
    """Where a position is kept; the value names the statements that read and write it there."""

    PGQ_EXT = "pgq_ext"
    """In pgq_ext, by the consumer's name alone and without the tick's time."""

    OWN = "own"
    """In ``tdsup.completed_tick``."""

    UNTIMED = "untimed"
    """In ``tdsup.completed_tick`` as an earlier version made it, without a column for the tick's time."""


class Position:
    """One consumer's position in one target database, which the given cursors belong to."""

    def __init__(self, queue: str, consumer: str) -> None:
        self._queue = queue
        self._consumer = consumer
        self._names = {"queue": queue, "consumer": consumer}
        self._storage = Storage.OWN
        self.consumer_key = lock_key("position", queue, consumer)
        """Key of the lock on queue and consumer."""

    @property
    def key(self) -> int:
        """Key of the lock on the stored position; the same, unless pgq_ext stores it."""
        if self._storage is Storage.PGQ_EXT:
            return lock_key("position", self._consumer)
        return self.consumer_key

    def prepare(self, cursor: Cursor) -> None:
        """Find the position's storage, or make it. Comes before `read` and `write`, under the claim.

        Raises:
            SetupError: there is none, and it cannot be made.
        """
        if self.find_storage(cursor) is not None:
            return
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
        self._storage = Storage.OWN

    def find_storage(self, cursor: Cursor) -> Storage | None:
        """Where the position is kept; None if no storage has been made yet."""
        has_own = queries.value(cursor, "has_own_schema")
        known = has_own and queries.value(cursor, "has_own_position", **self._names)
        if not known and queries.value(cursor, "has_pgq_ext"):
            self._storage = Storage.PGQ_EXT
        elif not has_own:
            return None
        else:
            timed = queries.value(cursor, "has_tick_times")
            self._storage = Storage.OWN if timed else Storage.UNTIMED
        return self._storage

    def peek(self, cursor: Cursor) -> int | None:
        """The last applied tick, None if there is none; needs a storage but no claim, and takes no lock."""
        tick: int | None = queries.value(cursor, f"read_{self._storage}", **self._names)
        return tick

    def read(self, cursor: Cursor) -> tuple[int | None, float | None]:
        """The last applied tick and its time in seconds since 1970, where they are known.

        Both are locked until the transaction ends.
        """
        read = f"read_{self._storage}"
        found = queries.row(cursor, "lock_transaction", read, key=self.key, **self._names)
        assert found is not None
        tick, tick_time = found
        return tick, tick_time

    def write(self, cursor: Cursor, tick: int, tick_time: float) -> None:
        """Set the last applied tick and its time."""
        queries.run(cursor, f"write_{self._storage}", **self._names, tick=tick, tick_time=tick_time)

    def forget(self, cursor: Cursor) -> None:
        """Delete the position: any batch is applied next."""
        if self._storage is Storage.PGQ_EXT:
            queries.run(cursor, "write_pgq_ext", **self._names, tick=None)
        else:
            queries.run(cursor, "forget_own", **self._names)

    def repair_command(self, tick: int) -> str:
        """SQL for a person to run on the target, which sets the position to a tick."""
        queue, consumer = _literal(self._queue), _literal(self._consumer)
        if self._storage is Storage.PGQ_EXT:
            return f"select pgq_ext.set_last_tick({consumer}, {tick})"
        forget_time = ", last_tick_time = null" if self._storage is Storage.OWN else ""
        return (
            f"update tdsup.completed_tick set last_tick_id = {tick}{forget_time} "  # noqa: S608 (text for a person)
            f"where queue_name = {queue} and consumer_name = {consumer}"
        )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
