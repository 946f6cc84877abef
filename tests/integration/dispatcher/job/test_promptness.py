"""How soon a job stops, and how soon it loads again after a database was away.

Each claim is judged by the median of several measurements, as a busy machine may delay one of them; that of
a stop by the time in which a job's program starts on the same machine, without any work.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import pytest
from harness.programs.fleet import fleet
from harness.programs.program import Program
from harness.rows.job import HostContext, RunningJob, job_keys, settings_of
from harness.rows.orders import Orders
from harness.servers.database import Database
from harness.waiting import wait_until
from psycopg2.extensions import make_dsn
from tdsup.dispatcher.job import TABLE_DISPATCHER
from tdsup.jobtype import Condition
from tdsup.sandbox import Cluster, Sandbox

FIRST_ROW = 2.0
"""Seconds from when the server accepts connections until the first new row is in the target."""

IDLE = (
    "select count(*) = %s from pg_stat_activity "
    "where application_name like 'tdsup idle%%' and query like '%%next_batch%%' and state = 'idle'"
)

BACKENDS = "from pg_stat_activity where application_name like 'tdsup orders %%' and backend_type ~ 'client'"


def start_time() -> float:
    """Seconds in which a job's program is loaded: about 0.7 on an idle machine."""
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", f"import {TABLE_DISPATCHER.__module__}"], check=True)
    return time.monotonic() - started


def stop_and_start_times(
    directory: Path, orders: Orders, source: Database, count: int
) -> list[tuple[float, float]]:
    """Start `count` idle programs together; returns the seconds in which each stops, and another starts."""
    with ExitStack() as stack:
        programs = [
            stack.enter_context(Program(directory / name, **orders.keys(job_name=name, loop_delay=60)))
            for name in (f"idle{number}" for number in range(count))
        ]
        source.wait_for("select count(*) >= %s from pgq.get_consumer_info()", count, seconds=60)
        source.wait_for(IDLE, count, seconds=60)
        return [(program.stop(), start_time()) for program in programs]


def test_an_idle_program_stops_at_once(tmp_path: Path, source: Database, orders: Orders) -> None:
    """A job that sleeps for a minute ends with status 0 in less than half the time in which it starts."""
    stops, starts = zip(*stop_and_start_times(tmp_path, orders, source, 9), strict=True)
    assert median(stops) < 0.5 * median(starts), (stops, starts)


def test_an_idle_fleet_stops_at_once(tmp_path: Path, source: Database, target: Database) -> None:
    """A fleet of jobs that sleep for a minute ends as soon: no sleep is waited out."""
    tables = [Orders(source, target, f"idle{number}") for number in range(5)]
    with fleet(tmp_path) as jobs:
        for table in tables:
            table.write_job(jobs, loop_delay=60)
        jobs.start()
        jobs.wait_all()
        source.wait_for(IDLE, len(tables))
        started = time.monotonic()
        assert jobs.ask("stop")["ok"]
        wait_until(lambda: not jobs.processes(), "no process is left")
        stopped = time.monotonic() - started
    # 1.5 s on an idle machine.
    assert stopped < 2.2 * median(start_time() for _ in range(3))


Outage = Callable[[Cluster, Database], None]


def _sessions_end(_cluster: Cluster, database: Database) -> None:
    database.execute(f"select pg_terminate_backend(pid) {BACKENDS}")


def _server_restarts(cluster: Cluster, database: Database) -> None:
    cluster.restart()
    database.reconnect()


def _server_crashes(cluster: Cluster, database: Database) -> None:
    cluster.kill()
    cluster.start()
    database.reconnect()


def _first_row(orders: Orders) -> float:
    started = time.monotonic()
    orders.insert(1)
    orders.wait_loaded()
    return time.monotonic() - started


@pytest.fixture
def loading(orders: Orders) -> Iterator[RunningJob]:
    """A job that has loaded 10 orders, with the default loop_delay."""
    with orders.running(job_name="orders", loop_delay=1) as job:
        job.wait_for("running")
        orders.insert(10)
        job.wait_for("running", rows=10)
        yield job


@pytest.mark.parametrize("which", ["source", "target"])
@pytest.mark.parametrize("outage", [_sessions_end, _server_restarts, _server_crashes])
def test_the_first_row_comes_soon_after_an_outage(
    sandbox: Sandbox,
    source: Database,
    target: Database,
    orders: Orders,
    loading: RunningJob,
    which: str,
    outage: Outage,
) -> None:
    """Within 2 s of the server accepting connections a new row is loaded, and none is lost or doubled."""
    cluster, database = {"source": (sandbox.source, source), "target": (sandbox.target, target)}[which]
    seconds = []
    for _ in range(3):
        outage(cluster, database)
        seconds.append(_first_row(orders))
        loading.wait_for("running", rows=10 + len(seconds))
    assert median(seconds) < FIRST_ROW, seconds
    orders.wait_finished()
    assert sorted(target.column("select id from orders")) == list(range(1, 14))


@pytest.mark.parametrize("which", ["source", "target"])
def test_an_outage_is_a_few_lines_however_long(
    sandbox: Sandbox,
    source: Database,
    target: Database,
    loading: RunningJob,
    caplog: pytest.LogCaptureFixture,
    which: str,
) -> None:
    """While a server is away no line is repeated, however many tries there are; its return is one line."""
    cluster, database = {"source": (sandbox.source, source), "target": (sandbox.target, target)}[which]
    with caplog.at_level(logging.INFO, "job"):
        cluster.stop()
        loading.wait_for("retrying", reason=f"cannot connect to the {which} database")
        told = len(caplog.messages)
        tries = len(loading.context.reports)
        try:
            wait_until(lambda: len(loading.context.reports) >= tries + 4, "further tries")
            assert caplog.messages[told:] == []
        finally:
            cluster.start()
        database.reconnect()
        loading.wait_for("running")
        wait_until(lambda: "works again" in caplog.text, "a line about the return")
    lines = [line for line in caplog.messages if "trying again" in line]
    assert len(lines) == 1, lines
    assert caplog.text.count("works again") == 1


class FirstWait(HostContext):
    """Ends the job at its first wait, and knows how long that would have been."""

    seconds = 0.0

    def wait(self, seconds: float, *, for_news: Collection[str] = ()) -> bool:
        """End the job."""
        self.seconds = seconds
        self.stop()
        return super().wait(seconds, for_news=for_news)


@pytest.mark.parametrize("key", ["src_db", "dst_db"])
def test_a_refusal_is_told_with_its_key_and_tried_again_seldom(
    source: Database, target: Database, key: str
) -> None:
    """Nothing changes by itself within a second, and a server may lock an account out."""
    keys = job_keys(source, target, queue="orders", table="orders")
    context = FirstWait()
    TABLE_DISPATCHER.run(settings_of(**{**keys, key: make_dsn(str(keys[key]), dbname="nowhere")}), context)
    (report,) = context.reports
    which = "source" if key == "src_db" else "target"
    assert (report.condition, context.seconds) == (Condition.RETRYING, 30.0)
    assert report.reason.startswith(f"cannot connect to the {which} database ({key}): ")
    assert 'database "nowhere" does not exist' in report.reason
