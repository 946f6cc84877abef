"""Two processes of one consumer that kill themselves at the crash points of a batch."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tdsup.sandbox import Sandbox

from harness.paths import PGQ_EXT, TESTS
from harness.programs.mortal import ENOUGH
from harness.programs.processes import processes_in
from harness.programs.program import write_job
from harness.rows.orders import Orders
from harness.rows.pipeline import Pipeline
from harness.servers.database import Database
from harness.waiting import PATIENCE

ROUND = 125
"""Deaths with one consumer: what happens only once happens in each round. A short one has less."""

QUOTA = 3
"""Most deaths at one point in a round; 1 in a short one."""

PAUSE = 0.02
"""Seconds between two inserts."""

FURTHER = 1_000_000
"""From the seed of one process to that of the other."""

BAD = 7
"""Every so many-th row is refused by the target."""

STEPS = {False: ("write_own", "write_counters"), True: ("write_time", "write_time_and_counters")}
"""Statements of first position and write, without and with pgq_ext."""


@dataclass(frozen=True)
class Flavour:
    """What a round is about.

    Attributes:
        pgq_ext: it keeps the position.
        bad: some events become dead letters.
    """

    pgq_ext: bool
    bad: bool

    def points(self) -> Iterator[str]:
        """The crash points where processes must have died."""
        first, write = STEPS[self.pgq_ext]
        once = ["add_entry", first, "register_new_at"]
        claim = ["entry", "lock_entry_at_once", "take_old_keys", "take_ownership"]
        batch = ["begin", "stream", write, "finish_batch"]
        steps = [f"start {step}" for step in (*once, *claim, "begin")]
        steps += [f"start commit of {step}" for step in ("add_entry", "take_ownership", first)]
        steps += [f"batch {step}" for step in batch + ["next_batch"] + ["dead letters"] * self.bad]
        for step in (*steps, f"batch commit of {write}"):
            yield from (f"before {step}", f"after {step}")
        yield from (f"amid batch commit of {write}", "amid batch finish_batch")


FLAVOURS = (Flavour(False, True), Flavour(True, True), Flavour(False, False), Flavour(True, False))


def run(directory: Path, times: int) -> str:
    """Whatever is killed, nothing is lost, nothing doubles, and the counters in the target are the tables'.

    Two processes of one consumer die at every point at least once, and are started again at once.
    """
    deaths = events = letters = 0
    points: set[str] = set()
    with Sandbox() as sandbox:
        for number, flavour in zip(itertools.count(), itertools.cycle(FLAVOURS)):
            if deaths >= times:
                break
            name = f"round{number}"
            for cluster in (sandbox.source, sandbox.target):
                cluster.create_database(name)
            databases = Database(sandbox.source.dsn(name)), Database(sandbox.target.dsn(name))
            is_short = times < ROUND * len(FLAVOURS)
            quota = 1 if is_short else QUOTA
            a_round = Round(directory / name, Orders(*databases), flavour, quota)
            died = a_round.run(0 if is_short else min(ROUND, times - deaths), number * 1000)
            deaths += len(died)
            points.update(point.rpartition(".")[0] for point in died)
            events += databases[0].value("select count(*) from orders")
            letters += databases[1].value("select count(*) from tdsup.dead_letter")
            for database in databases:
                database.close()
    return (
        f"{deaths} kills at {len(points)} crash points of two processes, {number} consumers, own positions "
        f"and pgq_ext: of {events} events {letters} are dead letters, none is lost, none doubled; the "
        "counters are those of the tables"
    )


class Round:
    """One consumer from its first start on.

    Args:
        directory: for its processes.
        orders: what they load.
        flavour: of the round.
        quota: most deaths at one point.
    """

    def __init__(self, directory: Path, orders: Orders, flavour: Flavour, quota: int) -> None:
        self._directory = directory
        self._deaths = directory / "deaths"
        self._deaths.mkdir(parents=True)
        self._orders = orders
        self._flavour = flavour
        self._quota = quota
        self._source, self._target = orders.source, orders.target
        if flavour.pgq_ext:
            self._target.execute(PGQ_EXT.read_text())
        if flavour.bad:
            self._target.execute(f"alter table orders add check (mod(id, {BAD}) <> 0)")

    def run(self, times: int, seed: int) -> list[str]:
        """Insert rows while processes die; returns where they died, once the books are clean."""
        with self._mortal("one", seed) as one, self._mortal("two", seed + FURTHER) as two:
            deaths, deadline = 0, time.monotonic() + PATIENCE
            while missing := self._missing(times):
                if deaths != (deaths := len(list(self._deaths.iterdir()))):
                    deadline = time.monotonic() + PATIENCE
                # A new consumer begins at the newest tick of the queue.
                if Pipeline.verdict(self._orders, "orders").positions[1] is not None:
                    self._orders.insert(10)
                assert time.monotonic() < deadline, f"nobody died {missing}; {self._told()}"
                assert all(process.poll() is None for process in (one, two)), self._told()
                time.sleep(PAUSE)
            (self._deaths / ENOUGH).touch()
            self._orders.insert(10)
            self._check()
            assert all(process.poll() is None for process in (one, two)), self._told()
        return [path.name for path in self._deaths.iterdir() if path.name != ENOUGH]

    def _missing(self, times: int) -> str:
        """What has yet to happen."""
        died = [path.name for path in self._deaths.iterdir()]
        points = {name.rpartition(".")[0] for name in died}
        if missing := [point for point in self._flavour.points() if point not in points]:
            return ", ".join(missing)
        return "" if len(died) >= times else f"{times - len(died)} times more"

    @contextlib.contextmanager
    def _mortal(self, name: str, seed: int) -> Iterator[subprocess.Popen[bytes]]:
        """A process of the consumer, and one more after each death."""
        directory = self._directory / name
        write_job(
            directory,
            self._orders.keys(job_name="orders", loop_delay=0.02, takeover_after=1, connection_lifetime=3),
        )
        words = ["harness.programs.mortal", str(self._deaths), str(self._quota), str(seed)]
        with (directory / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=directory,
                env={**os.environ, "PYTHONPATH": str(TESTS)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait(PATIENCE)
            for pid in processes_in(directory):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _check(self) -> None:
        """Compare source, target, dead letters and counters."""
        verdict = self._orders.verdict()
        refused = {row for row in range(1, verdict.events + 1) if self._flavour.bad and row % BAD == 0}
        buried = self._target.rows(
            "select ev_id, substring(ev_data from 'id=([0-9]+)')::int from tdsup.dead_letter"
        )
        faults = (*verdict.doubled, *verdict.unexpected)
        assert not faults, f"{verdict}\n{self._told()}"
        assert set(verdict.lost) == refused, f"{verdict}\n{self._told()}"
        assert verdict.positions[0] == verdict.positions[1], verdict
        assert sorted(row for _event, row in buried) == sorted(refused), self._told()
        wanted = {"insert,row": verdict.rows, "insert,dead_letter": len(refused)}
        counters = self._target.value("select counters from tdsup.consumer")
        assert counters["rows"] == verdict.rows, counters
        assert counters["events"] == {key: number for key, number in wanted.items() if number}, counters

    def _told(self) -> str:
        """The ends of the processes' logs."""
        logs = sorted(self._directory.glob("*/log"))
        return "\n".join(f"{log}:\n{log.read_text(encoding='utf-8')[-3000:]}" for log in logs)
