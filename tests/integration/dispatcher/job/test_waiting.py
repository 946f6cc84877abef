"""A job that waits for long says for what, and goes on by itself."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from harness.programs.fleet import fleet
from harness.rows.job import RunningJob
from harness.rows.orders import Orders
from harness.servers.database import Database
from harness.waiting import wait_until
from tdsup.dispatcher.running.onlooker import Onlooker

People = dict[str, psycopg2.extensions.connection]
"""Sessions of somebody else, by database."""


@pytest.fixture
def orders(source: Database, target: Database) -> Orders:
    """A queue and a table."""
    return Orders(source, target)


@pytest.fixture
def people(source: Database, target: Database) -> Iterator[People]:
    """One in each database."""
    made = {
        which: psycopg2.connect(database.dsn, application_name="a person")
        for which, database in (("source", source), ("target", target))
    }
    yield made
    for connection in made.values():
        connection.close()


@pytest.mark.parametrize(("which", "table"), [("target", "orders"), ("source", "pgq.subscription")])
def test_whoever_has_a_lock_is_named(orders: Orders, people: People, which: str, table: str) -> None:
    """With pid, user, program and statement; the lag grows meanwhile."""
    job = RunningJob(**orders.keys(job_name="orders"))
    with job:
        job.wait_for("running")
        orders.insert(1)
        job.wait_for("running", rows=1)
        session = people[which]
        with session.cursor() as cursor:
            cursor.execute(f"lock table {table}")
        who = rf"pid {session.info.backend_pid} \(user postgres, a person, idle in transaction\)"
        orders.insert(1)
        wanted = (
            rf"has waited for a lock on (public\.)?{table} in the {which} database for [\d.]+s: "
            rf"{who} has it; pg_terminate_backend ends that; its last statement: lock table {table}"
        )
        wait_until(lambda: re.fullmatch(wanted, job.context.reports[-1].reason), "the holder is named")
        assert job.context.reports[-1].values["lag"] is not None
        assert job.context.reports[-1].values["held_up"] == 1
        session.rollback()
        wait_until(lambda: job.context.values["rows"] == 2, "it goes on")
        wait_until(lambda: job.context.reports[-1].reason == "", "it says so")


def test_a_server_that_says_nothing_of_a_wait(
    orders: Orders, people: People, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What is known is told all the same."""
    monkeypatch.setattr(Onlooker, "_ask", lambda *_: "")
    job = RunningJob(**orders.keys(job_name="orders"))
    with job:
        job.wait_for("running")
        with people["target"].cursor() as cursor:
            cursor.execute("lock table orders")
        orders.insert(1)
        wanted = r"the target database has not answered for [\d.]+s"
        wait_until(lambda: re.fullmatch(wanted, job.context.reports[-1].reason), "that is told")
        people["target"].rollback()
    assert re.search(f"orders: {wanted}", caplog.text)


def test_a_server_that_does_not_answer_is_named(orders: Orders, target: Database) -> None:
    """A backend that is stopped, or a network that swallows what is sent."""
    job = RunningJob(**orders.keys(job_name="orders"))
    with job:
        job.wait_for("running")
        orders.insert(1)
        job.wait_for("running", rows=1)
        (pid,) = target.column(
            "select pid from pg_stat_activity where application_name like 'tdsup orders %' "
            "and datname = current_database()"
        )
        os.kill(pid, signal.SIGSTOP)
        try:
            orders.insert(1)
            # It may have been stopped amid a statement, which the server then shows.
            wanted = (
                r"the target database has not answered for [\d.]+s|a statement in the target database has .+"
            )
            wait_until(lambda: re.fullmatch(wanted, job.context.reports[-1].reason), "it is named")
        finally:
            os.kill(pid, signal.SIGCONT)
        job.wait_for("running", rows=2)
        wait_until(lambda: job.context.reports[-1].reason == "", "it says so")


def test_a_long_statement_is_told(orders: Orders, target: Database) -> None:
    """It may be a trigger's, or the server is slow."""
    target.execute(
        "create function slow() returns trigger language plpgsql as "
        "'begin perform pg_catalog.pg_sleep(9); return new; end'; "
        "create trigger slow before insert on orders for each row execute function slow()"
    )
    job = RunningJob(**orders.keys(job_name="orders", part_field=""))
    with job:
        job.wait_for("running")
        orders.insert(1)
        waits = r"\(pid \d+, waits for Timeout PgSleep\)"
        copy = "copy public.orders .+ from stdin"
        wanted = rf"a statement in the target database has taken [\d.]+s so far {waits}: {copy}"
        wait_until(lambda: re.fullmatch(wanted, job.context.reports[-1].reason), "it is told")
        assert job.context.reports[-1].values["held_up"] == 1
        orders.insert(1)
        job.wait_for("running", rows=1)
        slow = rf"the last batch took (9|1\d)\.\ds, and there is more to do: {wanted}"
        told = [report for report in job.context.reports if re.fullmatch(slow, report.reason)]
        assert told, "while there is more to do, what made it slow is still told"
        assert told[0].values["held_up"] == 1
        job.wait_for("running", rows=2, seconds=40)
        wait_until(lambda: job.context.reports[-1].reason == "", "all is done")
        assert job.context.reports[-1].values["held_up"] == 0


def test_a_job_runs_again_once_it_is_connected(
    tmp_path: Path, orders: Orders, target: Database, people: People
) -> None:
    """Not only after its first batch, which may take long."""
    with fleet(tmp_path) as made:
        orders.write_job(made)
        made.start()
        made.wait_for("orders", state="running")
        orders.insert(1)
        orders.wait_loaded()
        with people["target"].cursor() as cursor:
            cursor.execute("lock table orders")
        orders.insert(1)
        wait_until(lambda: "lock" in made.job("orders")["reason"], "it waits")
        target.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name like 'tdsup orders%'"
        )
        made.wait_for("orders", state="backoff")
        made.wait_for("orders", state="running")
        job = made.wait_for("orders", reason=lambda reason: "lock table orders" in reason)
        assert (job["state"], job["lag"] > 0) == ("running", True)
        people["target"].rollback()
        orders.wait_loaded()
        made.wait_for("orders", state="running", reason="")
