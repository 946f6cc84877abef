"""The row of a consumer in the target, as processes and people change it."""

from __future__ import annotations

from typing import Any

from psycopg2.errors import LockNotAvailable, SerializationFailure, UniqueViolation
from psycopg2.extensions import cursor as Cursor

from ..errors import SetupError
from ..postgres import Connection, queries
from .entry import Entry, Wait, read_entry, working
from .identity import Source
from .position import Position


def namesake(cursor: Cursor, position: Position) -> str:
    """Why a consumer cannot have its position in pgq_ext, and what to do; empty if nobody else has its name.

    Args:
        cursor: of a target that keeps rows of consumers.
        position: in pgq_ext.
    """
    found = queries.row(cursor, "queue_of_name", consumer=position.consumer)
    if found is None or found[0] == position.queue:
        return ""
    return (
        f"pgq_ext keeps positions by consumer name alone, and queue {found[0]} has a consumer of that name; "
        "give this one another pgq_consumer_id"
    )


class ConsumerRow:
    """The row of one consumer.

    Where the target keeps no rows of consumers, there is nothing to change, and only the locks of programs of
    schema version 1 are heeded.

    Args:
        target: connection to the target.
        position: the consumer's.

    Attributes:
        target: as given.
        position: as given.
        names: of queue and consumer, as statements want them.
        kept: there is a row.
    """

    def __init__(self, target: Connection, position: Position) -> None:
        self.target = target
        self.position = position
        self.names = {"queue": position.queue, "consumer": position.consumer}
        self.kept = position.entries

    def look(self) -> Entry | None:
        """The consumer's row, which is made if need be; None where the target keeps none.

        Raises:
            SetupError: pgq_ext keeps the position of a consumer of that name on another queue.
        """
        if not self.kept:
            return None
        with self.target, self.target.cursor() as cursor:
            if found := read_entry(cursor, self.position):
                return found
        self._add()
        return self.look()

    def tick(self) -> int:
        """Number of the last tick that was applied, by whomever; 0: there is none."""
        with self.target, self.target.cursor() as cursor:
            tick = self.position.read(cursor)
        return 0 if tick is None else tick.number

    def pause(self, host: str) -> bool:
        """Let nobody work for the consumer until `resume`; False if a batch holds its row for long."""
        return self.steer("set_paused", paused=f"paused on host {host}")

    def resume(self) -> bool:
        """Let the consumer be worked for again; False as by `pause`."""
        return self.steer("set_paused", paused=None)

    def unblock(self) -> bool:
        """Forget what blocked the job: somebody has mended it, or wants to try again. False as by `pause`."""
        entry = self.look()
        return entry is None or entry.blocked is None or self.steer("set_blocked", blocked=None)

    def lock(self, cursor: Cursor) -> Wait | None:
        """Lock the row until the transaction ends; never waits for that.

        Returns:
            None, or who holds it, or a lock of schema version 1.

        Raises:
            LockNotAvailable, SerializationFailure: somebody holds the row at this moment.
        """
        if self.kept:
            queries.run(cursor, "lock_entry_at_once", **self.names)
        keys = self.position.old_keys
        if all(queries.row(cursor, "take_old_keys", **keys) or ()):
            return None
        for key in keys.values():
            if key is not None and (found := queries.row(cursor, "lock_holder", key=key)):
                pid, application, address = found
                reason = f"{application}, perhaps of an older version (backend {pid}, {address})"
                return Wait(reason, late_in=0.0)
        return self.contended

    @property
    def contended(self) -> Wait:
        """The wait for whoever holds the row at this moment."""
        return Wait("another process, which holds its row at this moment", late_in=0.0)

    def intervene(self, cursor: Cursor, *, forgets: bool = False) -> Wait | None:
        """Lock the consumer's row until the transaction ends, for what a person wants to change.

        An owner that is away is the owner no longer.

        Args:
            cursor: of the transaction.
            forgets: the consumer is to end: an owner that sleeps would wake, and begin it anew.

        Returns:
            None, or who works for the consumer at this moment.
        """
        try:
            if wait := self.lock(cursor):
                return wait
        except (LockNotAvailable, SerializationFailure):
            return self.contended
        if self.kept:
            entry = read_entry(cursor, self.position)
            if entry is not None and entry.lives:
                return working(entry)
            if entry is not None and entry.is_idle and forgets:
                return Wait(
                    f"host {entry.host}, which waits for news (tdsup takeover, if its process is gone)"
                )
            queries.run(cursor, "end_ownership", **self.names)
        return None

    def mend(self, cursor: Cursor, *, blocked: str | None = None) -> None:
        """Say within the transaction of `intervene` what blocks the job from now on; None: nothing does."""
        if self.kept:
            queries.run(cursor, "set_blocked", **self.names, blocked=blocked)

    def use_source(self, cursor: Cursor, source: Source) -> None:
        """Take a source for the consumer's, within the transaction of `intervene`."""
        if self.kept:
            queries.run(cursor, "set_source", **self.names, cluster=source.cluster, database=source.database)

    def end_sessions(self) -> Entry | None:
        """End the owner's session on the target, if it still bears its name; the caller ends the other one.

        Returns:
            The row as it was before.
        """
        entry = self.look()
        if entry is not None and entry.lives:
            with self.target, self.target.cursor() as cursor:
                queries.run(cursor, "end_target_session", **self.names)
        return entry

    def _add(self) -> None:
        try:
            with self.target, self.target.cursor() as cursor:
                queries.run(
                    cursor, "heed_commits", "add_entry", **self.names, stored_in=str(self.position.storage)
                )
        except UniqueViolation as error:
            with self.target, self.target.cursor() as cursor:
                reason = namesake(cursor, self.position)
            raise SetupError(
                f"cannot run consumer {self.position.consumer} of queue {self.position.queue}: {reason}"
            ) from error

    def steer(self, statement: str, **values: Any) -> bool:
        """Change the row by a statement, between two batches; False as by `pause`."""
        try:
            with self.target, self.target.cursor() as cursor:
                # Batches may change the row one after the other: this has its turn between two of them.
                queries.run(cursor, "heed_commits", "wait_at_most", statement, **self.names, **values)
        except LockNotAvailable:
            return False
        return True
