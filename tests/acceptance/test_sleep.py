"""Jobs that had no event for a while sleep without connections, and miss nothing."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from harness.programs.fleet import Fleet, fleet
from harness.rows.job import act
from harness.rows.orders import Orders
from harness.servers.database import Database
from harness.waiting import PATIENCE, wait_until
from tdsup.dispatcher.errors import SetupError

SOON = 5.0
"""Seconds within which rows arrive for which a job is woken; the ticker needs a second of them."""

SESSIONS = "select count(*) from pg_stat_activity where application_name like %s"

KEYS = {"loop_delay": 1, "idle_disconnect": 0.5}


def sessions(database: Database, name: str = "orders") -> int:
    """Sessions of a job in a database."""
    found: int = database.value(SESSIONS, f"tdsup {name} %")
    return found


def wait_asleep(table: Orders) -> None:
    """Wait until a job has no connection."""
    wait_until(lambda: sessions(table.source) + sessions(table.target) == 0, "it has no connection", PATIENCE)


def arrives(table: Orders) -> None:
    """Rows that are inserted now arrive soon."""
    table.insert(10)
    table.wait_loaded(SOON)


@pytest.fixture
def table(source: Database, target: Database) -> Orders:
    """What the jobs load."""
    return Orders(source, target)


@pytest.fixture
def jobs(tmp_path: Path, table: Orders) -> Iterator[Fleet]:
    """A fleet of one job, which sleeps."""
    with fleet(tmp_path / "one", backoff_first=0.1) as made:
        table.write_job(made, **KEYS)
        made.start()
        made.wait_all()
        wait_asleep(table)
        yield made


@contextmanager
def a_standby(directory: Path, table: Orders, takeover_after: float) -> Iterator[Fleet]:
    """Another fleet with the same job, whose process stands by and sleeps, too."""
    with fleet(directory) as made:
        table.write_job(made, **KEYS, takeover_after=takeover_after)
        made.start()
        made.wait_for("orders", state="standby")
        wait_asleep(table)
        yield made


def test_a_job_sleeps_and_is_woken(jobs: Fleet, table: Orders) -> None:
    """Each time: it has the row soon, stays the owner, and is running all the time."""
    owner = table.target.value("select owner from tdsup.consumer")
    for _ in range(3):
        arrives(table)
        wait_asleep(table)
    assert table.target.rows("select owner, target_pid, next_try from tdsup.consumer") == [
        (owner, None, None)
    ]
    assert jobs.job("orders")["state"] == "running"
    assert jobs.log("orders").count("registered consumer") == 1
    assert table.verdict().clean


def test_a_pause_from_elsewhere_is_heard(jobs: Fleet, table: Orders) -> None:
    """A pause is written in the target; so is that it may go on."""
    table.target.execute("update tdsup.consumer set paused = 'paused by a friend'")
    jobs.wait_for("orders", state="paused")
    wait_asleep(table)
    table.insert(10)
    table.target.execute("update tdsup.consumer set paused = null")
    jobs.wait_for("orders", state="running")
    table.wait_loaded(SOON)
    for command, state in (("pause", "paused"), ("resume", "running")):
        wait_asleep(table)
        jobs.run(command, "orders")
        jobs.wait_for("orders", state=state)
    arrives(table)


def test_a_job_that_is_stopped_says_so(jobs: Fleet, table: Orders) -> None:
    """Nobody needs to wait for an owner that sleeps for ever."""
    jobs.run("stop-job", "orders")
    jobs.wait_for("orders", state="stopped")
    assert table.target.value("select owner from tdsup.consumer") is None
    jobs.run("start-job", "orders")
    jobs.wait_for("orders", state="running")
    arrives(table)


def test_a_standby_sleeps_too(tmp_path: Path, jobs: Fleet, table: Orders) -> None:
    """It wakes when the owner dies at work; and when the owner died asleep and there are events."""
    with a_standby(tmp_path / "two", table, takeover_after=1) as two:
        arrives(table)
        wait_asleep(table)
        jobs.clean_up()
        table.insert(10)
        two.wait_for("orders", state="running")
        table.wait_loaded(SOON)
        jobs.start()
        jobs.wait_for("orders", state="standby")
        table.insert(10)
        table.wait_loaded(SOON)
        wait_asleep(table)
        two.clean_up()
        table.insert(10)
        jobs.wait_for("orders", state="running")
        arrives(table)
        assert table.verdict().clean


def test_a_steady_stream_does_not_keep_a_standby_waiting(tmp_path: Path, jobs: Fleet, table: Orders) -> None:
    """The owner died asleep: its time to come back begins with the first news, not with each."""
    with a_standby(tmp_path / "two", table, takeover_after=2) as two:
        jobs.clean_up()
        began = time.monotonic()
        while two.job("orders")["state"] != "running":
            assert time.monotonic() - began < SOON
            table.insert(1)
            time.sleep(0.2)
        table.wait_loaded(SOON)


def test_a_job_that_sleeps_is_not_unregistered(jobs: Fleet, table: Orders) -> None:
    """It would wake and begin anew, and miss what came in between."""
    arrives(table)
    wait_asleep(table)
    with pytest.raises(SetupError, match=r"host .*, which waits for news"):
        act("unregister", {**table.keys(**KEYS), "job_name": "orders"})
    arrives(table)
    assert table.verdict().clean


def test_counters_of_an_owner_in_between_stay(jobs: Fleet, table: Orders) -> None:
    """One that slept goes on from what the row says by then."""
    arrives(table)
    wait_asleep(table)
    pid = jobs.kill_worker("orders", signal.SIGSTOP)
    try:
        table.target.execute("update tdsup.consumer set epoch = epoch + 1, owner = 'other'")
        table.target.execute(
            "update tdsup.consumer set owner = null, epoch = epoch + 1, "
            "counters = jsonb_set(counters, '{rows}', '1000')"
        )
        table.insert(1)
    finally:
        os.kill(pid, signal.SIGCONT)
    table.wait_loaded(SOON)
    wait_until(lambda: jobs.job("orders")["rows"] == 1001, "counters go on")


@pytest.mark.parametrize("what", ["source", "target"])
def test_a_watcher_that_dies_costs_no_row(jobs: Fleet, table: Orders, what: str) -> None:
    """A job does not sleep for long while nobody watches."""
    for _ in range(3):
        for pid in jobs.processes():
            if f" of a {what}" in Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8"):
                os.kill(pid, signal.SIGKILL)
        arrives(table)
        wait_asleep(table)
    assert table.verdict().clean


def test_an_outage_is_told(jobs: Fleet, table: Orders) -> None:
    """A job that sleeps does not look well while its databases are away."""
    name = table.target.value("select current_database()")
    with closing(Database(table.target.dsn.replace(f"dbname={name}", "dbname=postgres"))) as admin:
        admin.execute(f"alter database {name} allow_connections false")
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = %s and application_name = 'tdsup watcher'",
            name,
        )
        jobs.wait_for("orders", state="backoff")
        table.insert(10)
        admin.execute(f"alter database {name} allow_connections true")
    table.wait_loaded()
    jobs.wait_for("orders", state="running")
