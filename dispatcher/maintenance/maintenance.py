"""What a job does for its partitions between batches, and when."""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import psycopg2
from psycopg2.errors import LockNotAvailable
from tdsup.jobtype import Context, brief

from ..errors import Outage, SetupError, one_line
from ..metrics import Tally
from ..partitions import MissingTable, TableMaker, Tables
from ..postgres import Connection, TableName, lock_key, queries
from .agenda import Decision, Deed, doubt_of, some_of
from .care import Care
from .present import Present
from .removal import Kept, Remover

EVERY = 3600.0
"""Seconds between two looks, while nothing is left undone."""

AGAIN = 60.0
"""Seconds after which it is tried again to do what could not be done, at first; doubled each time."""

GRACE = 5.0
"""Least seconds between the end of a period and a look: the clocks of servers differ a little."""

TRIES = 10
"""Most partitions of a table that cannot go of which that is tried at a look: each may take a while."""

SPREAD = 55
"""Seconds over which the jobs of a fleet are spread then."""

Result = TypeVar("Result")

PAST = {
    Deed.DROP: "Dropped",
    Deed.DETACH: "Detached",
    Deed.MOVE: "Moved",
    Deed.FINALIZE: "Ended the detach of",
    Deed.UNMARK: "Removed the comment that it is to be dropped from",
}
"""How the log tells deeds."""


class Maintenance:
    """Looks after the partitions of a job's tables.

    Args:
        connection: to the target.
        cares: tells the tables.
        ask: tells the present moment.
        job: name of the job.
        context: the job's.
        tally: counted up; outlives the connections.

    Attributes:
        trouble: what could not be done, in one line; empty: nothing.
    """

    def __init__(
        self,
        connection: Connection,
        cares: Callable[[], Sequence[Care]],
        ask: Callable[[], Present],
        job: str,
        context: Context,
        tally: Tally,
    ) -> None:
        self._connection = connection
        self._cares = cares
        self._ask = ask
        self._job = job
        self._logger = context.logger
        self._context = context
        self._remover = Remover(connection, context.run_program, job)
        self._tally = tally
        self._due_at = 0.0
        self._again = AGAIN
        self._troubles: list[str] = []
        self._failed: dict[TableName, float] = {}
        self.trouble = ""

    def rest(self) -> float:
        """Seconds until the next look is due."""
        return max(0.0, self._due_at - time.monotonic())

    def work(self, verify: Callable[[], object]) -> bool:
        """Do what is due, between two batches; returns whether what is remembered of tables may be wrong.

        Args:
            verify: raises an error if this process is not the owner of the consumer any more.

        Raises:
            psycopg2.Error: the target was lost.
            Exception: as `verify` does.
        """
        if self.rest() > 0:
            return False
        self._troubles = []
        is_tried = False
        cares = self._cares()
        if not cares:
            self._due_at = math.inf
            return False
        present, left = self._ask(), EVERY
        for care in cares:
            verify()
            if self._is_refused(care):
                continue
            self._premake(care, present)
            is_tried = self._remove(care, present, verify) or is_tried
            left = min(left, self._until_next(care, present))
        self._plan(left)
        return is_tried

    def _is_refused(self, care: Care) -> bool:
        """Whether an extension looks after the partitions instead; then it is told what to do there."""
        with self._connection:
            extension = care.extension(self._connection)
        if extension is None:
            return False
        self._troubles += care.refusals(extension)
        return True

    def _until_next(self, care: Care, present: Present) -> float:
        """Seconds until the next period of a table has begun, if that is something to wait for."""
        with self._connection:
            left = care.seconds_left(self._connection, present)
        # A job that is behind makes its partitions as it goes.
        return left + GRACE + zlib.crc32(self._job.encode()) % SPREAD if left > 0 else EVERY

    def _plan(self, left: float) -> None:
        """When to look again, and what to say until then."""
        if self._troubles:
            left, self._again = min(left, self._again), min(self._again * 2, EVERY)
        else:
            self._again = AGAIN
        self._due_at = time.monotonic() + left
        text = brief("; ".join(dict.fromkeys(self._troubles)))
        if text != self.trouble:
            if text:
                self._logger.warning("%s: %s", self._job, text)
            else:
                self._logger.info("%s: the partitions are as they should be", self._job)
        self.trouble = text

    def _try(self, doing: str, act: Callable[[], Result]) -> Result | None:
        """Do something; if it cannot be done, note why and return None. Only a lost target is an error."""
        try:
            return act()
        except (Kept, SetupError, Outage) as error:
            self._troubles.append(f"{doing}: {error}")
        except psycopg2.Error as error:
            if self._connection.closed or error.pgcode is None:
                raise
            again = "; it is tried again" if isinstance(error, LockNotAvailable) else ""
            self._troubles.append(f"{doing}: {one_line(error)}{again}")
        return None

    def _premake(self, care: Care, present: Present) -> None:
        """Make partitions ahead."""
        doing = f"cannot make partitions of {care.partitioning.parent} ahead"
        self._try(doing, lambda: self._make(care, present))

    def _make(self, care: Care, present: Present) -> None:
        tables = Tables(self._connection, care.partitioning, care.zone)
        maker = TableMaker(self._connection, tables, care.partitioning, care.zone)
        with self._connection:
            wanted = list(care.missing(self._connection, tables, present))
        for missing in wanted:
            if maker.create(missing):
                self._tally.premade += 1
                self._logger.info("%s: Created table %s ahead", self._job, missing.table)
            elif _is_full(self._connection, tables, missing):
                self._troubles.append(
                    f"cannot make partition {missing.table} ahead: the default partition has rows of its "
                    "time, or the role may not change it; move them out"
                )

    def _remove(self, care: Care, present: Present, verify: Callable[[], object]) -> bool:
        """Let old partitions go; returns whether that was tried, whatever came of it."""
        parent = care.partitioning.parent
        if not care.lifespan.ends:
            return False
        if present.doubt:
            self._troubles.append(f"no partition of {parent} goes: {present.doubt}")
        is_tried = False
        with self._alone(f"retention of {parent}") as is_ours:
            wanted = self._wanted(care, present) if is_ours else []
            begun = [each for each in wanted if each.deed in {Deed.FINALIZE, Deed.UNMARK}]
            if begun:
                # What was left undone is ended or undone first, and then seen anew.
                is_tried = True
                for decision in begun:
                    self._carry_out(care, decision)
                wanted = self._wanted(care, present)
            self._tell_barred(care, wanted)
            self._troubles += doubt_of(wanted)
            goes = [each for each in wanted if each.deed.goes]
            return self._let_go(care, goes, verify) or is_tried

    def _tell_barred(self, care: Care, decisions: Sequence[Decision]) -> None:
        if barred := [each.partition.table for each in decisions if each.is_barred]:
            whose = (
                "the job's role does not own all of them and their parents; tdsup check --connect has the SQL"
            )
            self._troubles.append(f"cannot {care.lifespan.action} {some_of(barred)}: {whose}")

    def _let_go(self, care: Care, wanted: Sequence[Decision], verify: Callable[[], object]) -> bool:
        """Let partitions go, those last that could not before; returns whether one was tried."""
        gone = tried = 0
        for decision in sorted(wanted, key=lambda each: self._failed.get(each.partition.table, 0.0)):
            if gone == care.lifespan.limit or tried - gone == TRIES or self._context.stopping():
                break
            verify()
            table, tried = decision.partition.table, tried + 1
            if self._carry_out(care, decision):
                gone += 1
                self._failed.pop(table, None)
            else:
                self._failed[table] = time.monotonic()
        if tried - gone and (left := len(wanted) - tried):
            self._troubles.append(f"{left} more partitions of {care.partitioning.parent} wait to go")
        return tried > 0

    def _wanted(self, care: Care, present: Present) -> list[Decision]:
        def look() -> list[Decision]:
            with self._connection:
                return care.decisions(self._connection, present)

        return self._try(f"cannot look at the partitions of {care.partitioning.parent}", look) or []

    def _carry_out(self, care: Care, decision: Decision) -> bool:
        """Do what was decided; returns whether that was done."""
        deed, table = decision.deed, decision.partition.table

        def remove() -> bool:
            self._remover.remove(care, decision)
            return True

        if not self._try(f"cannot {deed} partition {table}", remove):
            return False
        if deed.goes:
            self._tally.removed[deed.value] += 1
        where = f" to {TableName(care.lifespan.schema, decision.name)}" if deed is Deed.MOVE else ""
        self._logger.info("%s: %s partition %s%s: %s", self._job, PAST[deed], table, where, decision.why)
        return True

    @contextmanager
    def _alone(self, what: str) -> Iterator[bool]:
        """Whether no other job does the same; it is kept from it meanwhile."""
        key = lock_key(what)
        with self._connection, self._connection.cursor() as cursor:
            is_ours = queries.value(cursor, "try_session_lock", key=key)
        try:
            yield is_ours
        finally:
            if is_ours and not self._connection.closed:
                with self._connection, self._connection.cursor() as cursor:
                    queries.run(cursor, "release_session_lock", key=key)


def _is_full(connection: Connection, tables: Tables, missing: MissingTable) -> bool:
    """Whether the default partition keeps one from being made."""
    if missing.period is None:
        return False
    with connection:
        place = tables.place(missing.period)
    return place.table == tables.partitioning.of(missing.period).parent
