"""Jobs that are woken for each event, asleep or not, while their watchers are killed."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import statistics
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from tdsup.sandbox import Sandbox

from harness.programs.fleet import fleet
from harness.rows.job import job_keys
from harness.servers.database import Database
from harness.waiting import wait_until

LOOP_DELAY = 1.0
"""Seconds, of each job: a tick is read that soon at the latest."""

KILLED = 2.0
"""Seconds within which a tick is read that was made while a watcher was dead."""

KILLS_EVERY = 100
"""Events for each killed watcher."""

PAUSE = 0.04
"""Seconds between two events, on average."""


@dataclass(frozen=True)
class Kill:
    """A watcher was killed.

    Attributes:
        what: it watched.
        at: the moment by the server's clock, in seconds since 1970.
    """

    what: str
    at: float


class Trial:
    """A fleet of jobs, each with a queue of its own, in which only this process makes ticks."""

    def __init__(self, box: Sandbox, directory: Path, jobs: int, stack: ExitStack) -> None:
        self._chance = random.Random(1)  # noqa: S311 (repeatable order)
        self.source, self.target = (
            stack.enter_context(closing(Database(cluster.dsn(name))))
            for cluster, name in ((box.source, "source"), (box.target, "target"))
        )
        self.target.execute(
            "create table loaded (id bigint primary key, ticked_at timestamptz, "
            "loaded_at timestamptz default clock_timestamp())"
        )
        self._queues = [f"q{number}" for number in range(jobs)]
        self.fleet = stack.enter_context(fleet(directory, backoff_first=0.5))
        for queue in self._queues:
            self.source.execute("select pgq.create_queue(%s)", queue)
            # Some sleep between most events, some never.
            asleep = self._chance.choice([0, 0.2, 1, 5])
            keys = job_keys(self.source, self.target, queue=queue, table="loaded", idle_disconnect=asleep)
            self.fleet.write_job(queue, "table_dispatcher", **{**keys, "loop_delay": LOOP_DELAY})
        self.kills: list[Kill] = []

    def event(self, number: int) -> None:
        """An event for any job, and its tick; now and then also a tick of another queue, without events."""
        queue = self._chance.choice(self._queues)
        if self._chance.random() < 0.05:
            self._tick(self._chance.choice(self._queues))
        # The tick's moment is that of its call, a little before it can be seen.
        self.source.execute(
            "select pgq.insert_event(%s, 'I:id', 'id=' || %s || '&ticked_at=' || "
            "replace(clock_timestamp()::text, '+', '%%2B'), 'public.loaded', null, null, null)",
            queue,
            number,
        )
        self._tick(queue)

    def kill(self) -> None:
        """Kill a watcher with -9."""
        what = self._chance.choice(["source", "target"])
        for pid in self.fleet.processes():
            with contextlib.suppress(OSError):
                if f" of a {what}" in Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8"):
                    at = self.source.value("select extract(epoch from clock_timestamp())::float8")
                    os.kill(pid, signal.SIGKILL)
                    self.kills.append(Kill(what, at))

    def pause(self) -> None:
        """Let some time pass."""
        time.sleep(self._chance.expovariate(1 / PAUSE))

    def _tick(self, queue: str) -> None:
        self.source.execute("select pgq.force_tick(%s)", queue)
        self.source.execute("select pgq.ticker(%s)", queue)


def run(directory: Path, times: int, jobs: int = 50, within: float = 0.0) -> str:
    """Each event is loaded once, and soon: within `LOOP_DELAY` of its tick, or `KILLED` after a kill.

    Args:
        directory: for the fleet.
        times: how many events.
        jobs: how many.
        within: seconds that each may take besides, on a slow machine.
    """
    with Sandbox() as box, ExitStack() as stack:
        box.source.create_database("source")
        box.target.create_database("target")
        box.ticker.stop()
        trial = Trial(box, directory, jobs, stack)
        trial.fleet.start()
        trial.fleet.wait_all(timeout=120)
        for number in range(1, times + 1):
            trial.event(number)
            if number % KILLS_EVERY == 0:
                trial.kill()
            trial.pause()
        wait_until(
            lambda: trial.target.value("select count(*) from loaded") == times, "all events are loaded", 60
        )
        assert trial.target.value("select sum(id) from loaded") == times * (times + 1) // 2
        return _verdict(trial, within)


def _verdict(trial: Trial, within: float) -> str:
    found = trial.target.rows(
        "select id, extract(epoch from ticked_at)::float8, "
        "extract(epoch from loaded_at - ticked_at)::float8 from loaded"
    )
    usual: list[float] = []
    killed: list[float] = []
    for number, ticked, delay in found:
        is_killed = any(kill.at - LOOP_DELAY <= ticked <= kill.at + KILLED for kill in trial.kills)
        limit = (KILLED if is_killed else LOOP_DELAY) + within
        assert delay <= limit, f"event {number} was loaded {delay:.2f} s after its tick; {trial.kills}"
        (killed if is_killed else usual).append(delay)
    usual.sort()
    jobs = len(trial.fleet.status()["jobs"])
    return (
        f"{len(found)} events of {jobs} jobs, {len(trial.kills)} watchers killed: "
        f"loaded {1000 * statistics.median(usual):.0f} ms after the tick (median), "
        f"{1000 * usual[int(len(usual) * 0.99)]:.0f} ms (p99), {1000 * usual[-1]:.0f} ms (max); "
        f"{1000 * max(killed, default=0.0):.0f} ms (max) around a kill"
    )
