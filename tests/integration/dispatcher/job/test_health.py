"""What a job tells of its queue and its dead letters besides its batches."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest
from harness.programs.fleet import Fleet, fleet
from harness.rows.job import RunningJob
from harness.rows.orders import Orders
from harness.servers.database import Database
from harness.waiting import PATIENCE, wait_until
from tdsup.dispatcher.address import Address
from tdsup.dispatcher.pgq import Queue
from tdsup.dispatcher.postgres import connected
from tdsup.dispatcher.settings import Settings

BROKEN = "select pgq.insert_event('orders', 'I:id', 'id=1&day=never', 'public.orders', null, null, null)"


def series(made: Fleet) -> dict[str, Any]:
    """The job's numbers that have no labels."""
    (job,) = made.ask("metrics")["data"]["jobs"]
    return {name: values[""] for name, values in job["series"].items() if "" in values}


def test_a_batch_at_work_and_dead_letters_are_told(
    tmp_path: Path, source: Database, target: Database
) -> None:
    """Since when a batch is open; how many dead letters are left; nothing of a job that has ended."""
    orders = Orders(source, target)
    with fleet(tmp_path, heartbeat_timeout=1.5) as made:
        orders.write_job(made)
        made.start()
        made.wait_for("orders", state="running")
        source.execute(BROKEN)
        orders.queue.tick()
        kept = "dead_letters_kept"
        wait_until(lambda: series(made).get(kept) == 1, "the dead letter is counted", 2 * PATIENCE)
        assert series(made)["open_batch_seconds"] == 0
        lock = Database(target.dsn)
        lock.execute("begin; lock table orders")
        orders.insert(1)
        wait_until(lambda: series(made)["open_batch_seconds"] > 2, "the batch is told while it is at work")
        assert series(made)["lag"] > 1
        lock.execute("rollback")
        lock.close()
        wait_until(lambda: series(made)["open_batch_seconds"] == 0, "the batch ends")
        assert 0 <= series(made)["newest_tick_seconds"] < 60
        made.run("stop-job", "orders")
        made.wait_for("orders", state="stopped")
        assert not {"open_batch_seconds", "newest_tick_seconds", kept} & series(made).keys()


@pytest.mark.usefixtures("without_pgqd")
def test_ticks_and_rotation_are_told(source: Database, target: Database) -> None:
    """The newest tick's age; how long rotation has been due while the consumer stands before the last one."""
    orders = Orders(source, target)
    settings = Settings.model_validate(orders.keys(job_name="orders"))
    source.execute("select pgq.register_consumer('orders', %s)", settings.consumer_name)
    with connected(Address("source", source.dsn), "test") as connection:
        queue = Queue(connection, settings)
        source.execute("update pgq.tick set tick_time = now() - interval '100 s'")
        standing = queue.standing()
        assert standing.age is not None
        assert 100 <= standing.age < 130
        # Rotation is due every two hours, and was done when the queue was made.
        assert standing.held == 0
        source.execute(
            "update pgq.queue set queue_switch_time = now() - interval '50 s', queue_rotation_period = '20 s'"
        )
        assert 30 <= queue.standing().held < 60
        source.execute("select pgq.force_tick('orders')")
        source.execute("select pgq.ticker()")
        source.execute("select pgq.next_batch('orders', %s)", settings.consumer_name)
        source.execute("select pgq.finish_batch(sub_batch) from pgq.subscription where sub_batch is not null")
        standing = queue.standing()
        assert standing.age is not None
        assert standing.age < 30
        assert standing.held == 0
        source.execute("delete from pgq.tick")
        assert (queue.standing().age, queue.standing().held) == (None, 0)


@pytest.mark.usefixtures("without_pgqd")
@pytest.mark.parametrize(
    ("seconds", "event", "rights", "trouble"),
    [
        (40, False, True, ""),
        (40, True, True, "no tick for 40s, and 1 event waits for one: does the ticker run?"),
        (40, True, False, ""),
        (130, True, False, "no tick for 2m10s, and 1 event waits for one: does the ticker run?"),
        (130, False, True, "no tick for 2m10s: does the ticker run?"),
    ],
)
def test_a_dead_ticker_is_told(
    source: Database, target: Database, seconds: int, event: bool, rights: bool, trouble: str
) -> None:
    """Soon where events wait and their ids may be read; else when the tick of an idle queue is late."""
    orders = Orders(source, target)
    settings = Settings.model_validate(orders.keys(job_name="orders"))
    source.execute("revoke all on sequence pgq.event_1_id_seq from public")
    source.execute("create role watching login; grant usage on schema pgq to watching")
    try:
        source.execute("grant select on all tables in schema pgq to watching")
        if rights:
            source.execute("grant usage on sequence pgq.event_1_id_seq to watching")
        source.execute("update pgq.queue set queue_ticker_max_lag = '3 s'")
        # Its sequence has no value before its first event.
        source.execute("select pgq.insert_event('orders', 'I', 'x'); select pgq.force_tick('orders')")
        source.execute("select pgq.ticker('orders')")
        source.execute(f"update pgq.tick set tick_time = now() - interval '{seconds} s'")
        if event:
            source.execute("select pgq.insert_event('orders', 'I', 'x')")
        with connected(Address("source", source.dsn), "test") as connection:
            connection.set_session(autocommit=True)
            connection.cursor().execute("set role watching")
            standing = Queue(connection, settings).standing()
            assert standing.trouble.replace(f"{seconds + 1}s", f"{seconds}s") == trouble
            if event and trouble:
                assert standing.waits is not None
                assert 0 <= standing.waits < 30
                assert standing.waiting == 1
            source.execute("update pgq.queue set queue_ticker_paused = true")
            assert bool(Queue(connection, settings).standing().trouble.endswith("is paused")) == bool(trouble)
            source.execute("update pgq.queue set queue_external_ticker = true")
            assert Queue(connection, settings).standing().trouble == ""
    finally:
        source.execute("drop owned by watching; drop role watching")


IMPATIENT = "update pgq.queue set queue_ticker_max_lag = '0.1 s'"
"""A queue that is to be ticked soon after each event."""

NO_TICK = r"no tick for \d+s, and 2 events wait for one: does the ticker run\?"


@pytest.mark.usefixtures("without_pgqd")
def test_a_fleet_tells_that_nobody_ticks(tmp_path: Path, source: Database, target: Database) -> None:
    """In status, in the lag, in the log and to Nagios; and that all is well again."""
    orders = Orders(source, target)
    with fleet(tmp_path) as made:
        orders.write_job(made)
        made.start()
        made.wait_for("orders", state="running")
        orders.insert(3)
        orders.wait_loaded()
        assert made.run("status", "--check").returncode == 0
        orders.insert(2, tick=False)
        source.execute(IMPATIENT)
        made.wait_for("orders", 2 * PATIENCE, reason=lambda reason: re.fullmatch(NO_TICK, reason))
        job = made.job("orders")
        assert (job["state"], job["lag"] > 0) == ("running", True)
        before = job["lag"]
        wait_until(lambda: made.job("orders")["lag"] > before + 1, "the lag grows")
        assert series(made)["waiting_events"] == 2
        code, said, _fault = made.said("status", "--check")
        assert (code, said) == (2, "tdsup CRITICAL: 1 job: 1 running; in trouble: orders\n")
        assert re.search(f"WARNING orders: {NO_TICK}\n", made.log())
        orders.queue.tick()
        made.wait_for("orders", 2 * PATIENCE, reason="")
        assert "INFO orders: all is well again" in made.log()
        assert made.job("orders")["lag"] == 0
        assert made.run("status", "--check").returncode == 0


@pytest.mark.usefixtures("without_pgqd")
def test_a_job_without_a_fleet_tells_that_nobody_ticks(
    source: Database, target: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """It looks for itself, and says so in its log."""
    orders = Orders(source, target)
    caplog.set_level(logging.INFO)
    job = RunningJob(**orders.keys(job_name="orders"))
    with job:
        job.wait_for("running")
        orders.insert(3)
        job.wait_for("running", rows=3)
        orders.insert(2, tick=False)
        source.execute(IMPATIENT)
        wait_until(lambda: bool(re.search(NO_TICK, caplog.text)), "it says so", 2 * PATIENCE)
        assert job.context.values["lag"] is not None
        orders.queue.tick()
        wait_until(lambda: "all is well again" in caplog.text, "it says so", 2 * PATIENCE)
