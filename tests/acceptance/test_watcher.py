"""One watcher looks for news of all jobs of a source; loop_delay is so long that nobody polls meanwhile."""

from __future__ import annotations

import math
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.programs.fleet import Fleet, fleet
from harness.rows.orders import Orders
from harness.servers.database import Database
from harness.waiting import PATIENCE, wait_until

LONG = 600
"""Seconds of a loop_delay that no test waits for."""

SOON = 5.0
"""Seconds within which rows arrive that were told; the ticker needs a second of them."""


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Fleet]:
    """A fleet, not started."""
    with fleet(tmp_path) as made:
        yield made


def watchers(jobs: Fleet, what: str = "source") -> list[int]:
    """Pids of the watchers of a kind of database."""
    titles = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in jobs.processes()}
    return [
        pid for pid, title in titles.items() if re.match(rb"tdsup: watcher-\d+ of a " + what.encode(), title)
    ]


def wait_told(jobs: Fleet) -> None:
    """Wait until there is one watcher of each kind, which looks."""
    wait_until(lambda: len(watchers(jobs)) == len(watchers(jobs, "target")) == 1, "there are two watchers")


def arrives(table: Orders) -> None:
    """Rows that are inserted now arrive soon."""
    table.insert(10)
    table.wait_loaded(SOON)


def test_jobs_are_woken(jobs: Fleet, source: Database, target: Database) -> None:
    """By the tick, not by a clock: each of several jobs of one source, and one that a reload adds."""
    tables = [Orders(source, target, name) for name in ("orders", "clicks", "late")]
    for table in tables[:2]:
        table.write_job(jobs, loop_delay=LONG)
    jobs.start()
    jobs.wait_all()
    wait_told(jobs)
    for _ in range(2):
        for table in tables[:2]:
            arrives(table)
    (before,) = watchers(jobs)
    tables[2].write_job(jobs, loop_delay=LONG)
    assert jobs.run("reload").stdout == "added: late\nunchanged: clicks orders\n"
    jobs.wait_for("late", state="running")
    wait_until(lambda: watchers(jobs) not in ([before], []) and len(watchers(jobs)) == 1, "another one looks")
    for table in tables:
        arrives(table)
    jobs.stop()
    assert not jobs.processes()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_watcher_that_dies_or_freezes_is_replaced(
    jobs: Fleet, source: Database, target: Database, number: signal.Signals
) -> None:
    """Jobs poll meanwhile; the next one finds what the first one missed."""
    table = Orders(source, target)
    table.write_job(jobs, loop_delay=1)
    jobs.start()
    jobs.wait_all()
    wait_told(jobs)
    arrives(table)
    (before,) = watchers(jobs)
    os.kill(before, number)
    table.insert(10)
    table.wait_loaded(SOON + (5.0 if number is signal.SIGSTOP else 0.0))
    wait_until(lambda: watchers(jobs) not in ([before], []), "there is another watcher")
    arrives(table)


def test_a_watcher_that_sees_nothing_is_told_of(jobs: Fleet, source: Database, target: Database) -> None:
    """Below the table of jobs, and once in its log; that of another source sees."""
    good, bad = Orders(source, target), Orders(source, target, "clicks")
    good.write_job(jobs, loop_delay=LONG)
    bad.write_job(jobs, src_db="host=/nowhere dbname=nix")
    jobs.start()
    jobs.wait_for("orders", state="running")
    wait_until(lambda: jobs.status()["watchers"], "the fault is told")
    (line,) = jobs.status()["watchers"]
    assert line.split(": ")[1] == "cannot connect to the source database"
    assert f"watcher: {line}" in jobs.run("status").stdout
    assert jobs.log(line.split(":")[0]).count("cannot connect to the source database") == 1
    arrives(good)


def test_the_health_of_queues_is_told(jobs: Fleet, source: Database, target: Database) -> None:
    """By the watcher, for a job that sleeps: the age of the newest tick."""
    table = Orders(source, target)
    table.write_job(jobs, loop_delay=LONG)
    jobs.start()
    jobs.wait_all()
    wait_told(jobs)

    def age() -> float:
        found = re.search(r"^tdsup_job_newest_tick_seconds{.*} (\S+)$", jobs.get("/metrics"), re.MULTILINE)
        return float(found[1]) if found else math.inf

    wait_until(lambda: age() < math.inf, "the age is told", 2 * PATIENCE)
    first = age()
    wait_until(lambda: first < age() < math.inf, "it grows", 2 * PATIENCE)
