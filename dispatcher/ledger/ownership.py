"""Ownership: one process at a time works for a consumer, and the consumer's row says which.

An owner lives while its session does, so that nobody has to renew anything. Each new owner takes the next
epoch; each batch checks in its transaction, under the row's lock, that its epoch is the present one.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

from psycopg2.errors import InsufficientPrivilege, LockNotAvailable, SerializationFailure
from psycopg2.extensions import cursor as Cursor

from ..errors import Displaced, SetupError
from ..postgres import queries
from .consumerrow import ConsumerRow
from .entry import Entry, Wait, read_entry, why_wait
from .identity import Process, Source, end_session
from .position import Standing

NO_OWNERS = (
    "the target keeps no owners of consumers for this role: nobody stands by for this job, and its counters "
    "begin anew with each process"
)
"""What it means that the target has no row of the consumer."""


def other_source(entry: Entry, source: Source) -> str:
    """Why a consumer cannot be worked for from a source, and what to do; empty if it is the consumer's own.

    Args:
        entry: the consumer's row.
        source: what its job reads.
    """
    if entry.source_database is None:
        return ""
    same_cluster = None in {source.cluster, entry.source_cluster} or source.cluster == entry.source_cluster
    if same_cluster and source.database == entry.source_database:
        return ""
    return (
        f"in the target, another source uses this name: database {entry.source_database} of cluster "
        f"{entry.source_cluster}, and this is {source.database} of {source.cluster}; give it another "
        "pgq_consumer_id or, if the source was moved, rewind it, which writes the new one"
    )


class Ownership:
    """A process's right to work for a consumer, over one pair of sessions.

    Args:
        row: the consumer's.
        process: the process.
        source: what it reads.
        takeover_after: seconds that an owner without sessions has from when it is expected.

    Attributes:
        row: as given.
        process: as given.
        source: as given, until the sessions are others.
        former: the row as it was before `take`; None where the target keeps none.
    """

    def __init__(self, row: ConsumerRow, process: Process, source: Source, takeover_after: float) -> None:
        self.row = row
        self.process = process
        self.source = source
        self._takeover_after = takeover_after
        self._consumer = row.position.consumer
        self._epoch = 0
        self.former: Entry | None = None

    def why_wait(self, *, news_for: float = 0.0) -> Wait | None:
        """Why `take` would not make this process the owner at this moment; takes no lock.

        Args:
            news_for: seconds for which the queue has had something to read.
        """
        return self._why_wait(self.row.look(), news_for)

    def take(self, *, news_for: float = 0.0) -> Wait | None:
        """Become the owner, if nobody else is; never waits for a lock.

        Args:
            news_for: seconds for which the queue has had something to read.

        Returns:
            None, or why not.

        Raises:
            SetupError: the consumer belongs to another source.
        """
        target = self.row.target
        try:
            with target, target.cursor() as cursor:
                if wait := self.row.lock(cursor):
                    return wait
                entry = read_entry(cursor, self.row.position) if self.row.kept else None
                if wait := self._why_wait(entry, news_for):
                    return wait
                if entry is not None:
                    self._take(cursor)
                    self.former = entry
        except (LockNotAvailable, SerializationFailure):
            return self.row.contended
        return None

    def end_former(self, cursor: Cursor) -> None:
        """End what the former owner may have left on the source: cut off in a COPY, it holds a snapshot.

        Where the role may not end it, it stays until that server gives it up; nothing depends on that.

        Args:
            cursor: of the source, in autocommit mode.
        """
        former = self.former
        if (
            former is not None
            and former.owner is not None
            and former.source_pid not in {None, self.source.pid}
        ):
            with suppress(InsufficientPrivilege):
                end_session(cursor, former.source_pid, former.source_start, former.owner)

    def check(self, standing: Standing) -> None:
        """See at the beginning of a batch's transaction whether this process is still the owner.

        Raises:
            Displaced: it is not, or the consumer is paused.
        """
        consumer = self._consumer
        if not standing.free:
            raise Displaced(f"another process, perhaps of an older version, works for consumer {consumer}")
        if self.row.kept and (standing.owner, standing.epoch) != (
            self.process.identity,
            self._epoch,
        ):
            raise Displaced(f"another process has taken over consumer {consumer}")
        if standing.paused:
            raise Displaced(f"consumer {consumer} is paused")

    def verify(self) -> int:
        """See whether this process is still the owner; raises as `check` does. Takes no lock.

        Returns:
            The state of the consumer's row, see `Entry`; 0 where the target keeps none.
        """
        entry = self.row.look()
        if entry is None:
            return 0
        self.check(Standing(True, entry.owner, entry.epoch, entry.paused is not None, None))
        return entry.state

    def rest(self, seconds: float | None) -> None:
        """Stay the owner without sessions until a time; others take over `takeover_after` later.

        Args:
            seconds: until then; negative: it has passed; None: until the queue has something to read.
        """
        self._as_owner("leave_sessions", seconds=seconds)

    def give_up(self, blocked: str | None = None) -> None:
        """Be the owner no longer.

        Args:
            blocked: what blocks the job until a person mends it; others then do not try.
        """
        self._as_owner("give_up_ownership", blocked=blocked)

    def has_idle_rival(self) -> bool:
        """Whether another process owns the consumer and has no session until there is news."""
        entry = self.row.look()
        return entry is not None and entry.is_idle and entry.owner != self.process.identity

    def _why_wait(self, entry: Entry | None, news_for: float) -> Wait | None:
        if entry is None:
            return None
        # Whoever works for the consumer: another source's is not this one's to wait for.
        if reason := other_source(entry, self.source):
            raise SetupError(
                f"cannot run consumer {self._consumer} of queue {self.row.position.queue}: {reason}"
            )
        wait = why_wait(entry, self.process.identity, news_for=news_for, takeover_after=self._takeover_after)
        return wait and replace(wait, state=entry.state)

    def _take(self, cursor: Cursor) -> None:
        source = self.source
        self._epoch = queries.value(
            cursor,
            "take_ownership",
            **self.row.names,
            owner=self.process.identity,
            host=self.process.host,
            source_pid=source.pid,
            source_start=source.start,
            cluster=source.cluster,
            database=source.database,
        )

    def _as_owner(self, statement: str, **values: Any) -> None:
        target = self.row.target
        if self.row.kept and not target.closed:
            target.rollback()
            with target, target.cursor() as cursor:
                queries.run(
                    cursor,
                    "heed_commits",
                    "wait_at_most",
                    statement,
                    **self.row.names,
                    owner=self.process.identity,
                    epoch=self._epoch,
                    **values,
                )
