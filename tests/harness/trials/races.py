"""Jobs that need the same new partitions at the same moment, while somebody reads the table."""

from __future__ import annotations

import random
import re
import statistics
import threading
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from psycopg2.errors import LockNotAvailable
from tdsup.sandbox import Sandbox

from harness.programs.fleet import fleet
from harness.rows.job import job_keys
from harness.servers.database import Database
from harness.waiting import PATIENCE, wait_until

COLUMNS = "id bigint, day date, job int"

KINDS = {
    "native": f"create table t ({COLUMNS}) partition by range (day)",
    "inherited": f"create table t ({COLUMNS})",
    "beside a default": f"create table t ({COLUMNS}) partition by range (day); "
    "create table rest partition of t default",
}
"""What the table is whose partitions are made."""

FIRST = date(2026, 1, 1)

AT_ONCE = 2
"""New partitions that jobs need for one tick, each in an order of its own."""

BLOCKED = 0.1
"""Seconds for which a reader may wait for a lock, unless there is a default partition."""

MISPLACED = "select count(*) from t where tableoid::regclass::text <> 't_' || to_char(day, 'YYYY_MM_DD')"

_TROUBLE = re.compile(r" (?:WARNING|ERROR|CRITICAL) ")


@dataclass
class Reader:
    """Reads the table again and again while the context is open, in a thread and a session of its own.

    Attributes:
        dsn: the database.
        looks: seconds that each look took.
        blocked: looks that waited longer than `BLOCKED` for a lock.
    """

    dsn: str
    looks: list[float] = field(default_factory=list)
    blocked: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the reader did not end"

    def _run(self) -> None:
        with closing(Database(self.dsn)) as database:
            database.execute(f"set lock_timeout = '{BLOCKED * 1000:.0f}ms'")
            while not self._stop.wait(0.001):
                begun = time.monotonic()
                try:
                    database.value("select max(id) from t where day = %s", FIRST)
                except LockNotAvailable:
                    self.blocked += 1
                self.looks.append(time.monotonic() - begun)


class Race:
    """A fleet of jobs, each with a queue of its own, which all load one table.

    Args:
        box: both servers.
        directory: for the fleet.
        kind: of `KINDS`.
        jobs: how many.
        stack: what is to be closed.
    """

    def __init__(self, box: Sandbox, directory: Path, kind: str, jobs: int, stack: ExitStack) -> None:
        name = kind.replace(" ", "_")
        for cluster in (box.source, box.target):
            cluster.create_database(name)
        self.source, self.target = (
            stack.enter_context(closing(Database(cluster.dsn(name)))) for cluster in (box.source, box.target)
        )
        self.target.execute(KINDS[kind])
        self.fleet = stack.enter_context(fleet(directory))
        self.jobs = [f"q{number}" for number in range(jobs)]
        for job in self.jobs:
            self.source.execute("select pgq.create_queue(%s)", job)
            keys = job_keys(self.source, self.target, queue=job, part_field="day", row_mode="append")
            self.fleet.write_job(job, "table_dispatcher", loop_delay=0.05, **keys)
        self._chance = random.Random(1)  # noqa: S311 (repeatable order)
        self._events = 0

    def round(self, days: list[date]) -> None:
        """All queues get rows of some new days, and ticks in one transaction; then all rows are loaded."""
        for number, job in enumerate(self.jobs):
            for day in self._chance.sample(days, len(days)):
                self._events += 1
                data = f"id={self._events}&day={day}&job={number}"
                self.source.execute(
                    "select pgq.insert_event(%s, 'I:id', %s, 'public.t', null, null, null)", job, data
                )
        self.source.execute("select pgq.force_tick(queue_name) from pgq.queue")
        self.source.execute("select pgq.ticker(queue_name) from pgq.queue")
        count = "select count(*) from t"
        try:
            wait_until(lambda: self.target.value(count) == self._events, f"rows of {days[0]} are loaded")
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.troubles()}") from error

    def troubles(self) -> list[str]:
        """What jobs complained of."""
        lines = [line for job in self.jobs for line in self.fleet.log(job).splitlines()]
        return [line for line in lines if _TROUBLE.search(line)]

    def makers(self) -> int:
        """How many jobs have made partitions."""
        return sum("Created table" in self.fleet.log(job) for job in self.jobs)

    def check(self, partitions: int) -> None:
        """Each row is there once and in its place, each partition was made once, and nobody complained."""
        assert self.troubles() == []
        restarts = {job["name"]: job["restarts"] for job in self.fleet.status()["jobs"] if job["restarts"]}
        assert not restarts, restarts
        assert self.target.value("select count(*) from tdsup.dead_letter") == 0
        assert self.target.value("select count(distinct id) from t") == self._events
        assert self.target.value(MISPLACED) == 0
        made = self.target.value("select count(*) from pg_class where relkind = 'r' and relname ~ '^t_2'")
        assert made == partitions


def run(directory: Path, times: int, jobs: int = 8, *, timed: bool = True) -> str:
    """Jobs that race for new partitions load each row into its place, and keep no reader waiting.

    Args:
        directory: for the fleets.
        times: how many partitions of each kind.
        jobs: how many.
        timed: readers must not be blocked longer than `BLOCKED`; else it is only told.
    """
    with Sandbox() as box:
        box.ticker.stop()
        found = [
            _race(box, directory / str(number), kind, times, jobs, timed=timed)
            for number, kind in enumerate(KINDS)
        ]
    return f"{jobs} jobs, {times} partitions of each kind, no error, no row in the wrong place; " + "; ".join(
        found
    )


def _race(box: Sandbox, directory: Path, kind: str, times: int, jobs: int, *, timed: bool) -> str:
    with ExitStack() as stack:
        race = Race(box, directory, kind, jobs, stack)
        race.fleet.start()
        race.fleet.wait_all(timeout=60)
        days = [FIRST + timedelta(days=number) for number in range(times)]
        with Reader(race.target.dsn) as reader:
            for first in range(0, times, AT_ONCE):
                race.round(days[first : first + AT_ONCE])
        race.check(times)
        race.fleet.stop()
    looks = sorted(reader.looks)
    assert not (timed and reader.blocked and "default" not in kind), f"{kind}: {reader.blocked} looks blocked"
    return (
        f"{kind}: made by {race.makers()} of the jobs, "
        f"{len(looks)} looks of a reader, {reader.blocked} blocked over {1000 * BLOCKED:.0f} ms, "
        f"{1000 * statistics.median(looks):.1f} ms (median), {1000 * looks[int(len(looks) * 0.99)]:.0f} ms "
        f"(p99), {1000 * looks[-1]:.0f} ms (max)"
    )
