"""What a job tells of its queue and its dead letters besides its batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from harness.programs.fleet import Fleet, fleet
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
        wait_until(lambda: series(made)["dead_letters_kept"] == 1, "the dead letter is counted", 2 * PATIENCE)
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
        assert not {"open_batch_seconds", "newest_tick_seconds", "dead_letters_kept"} & series(made).keys()


@pytest.mark.usefixtures("without_pgqd")
def test_ticks_and_rotation_are_told(source: Database, target: Database) -> None:
    """The newest tick's age; how long rotation has been due while the consumer stands before the last one."""
    orders = Orders(source, target)
    settings = Settings.model_validate(orders.keys(job_name="orders"))
    source.execute("select pgq.register_consumer('orders', %s)", settings.consumer_name)
    with connected(Address("source", source.dsn), "test") as connection:
        queue = Queue(connection, settings)
        source.execute("update pgq.tick set tick_time = now() - interval '100 s'")
        age, held = queue.health()
        assert age is not None
        assert 100 <= age < 130
        # Rotation is due every two hours, and was done when the queue was made.
        assert held == 0
        source.execute(
            "update pgq.queue set queue_switch_time = now() - interval '50 s', queue_rotation_period = '20 s'"
        )
        _age, held = queue.health()
        assert 30 <= held < 60
        source.execute("select pgq.force_tick('orders')")
        source.execute("select pgq.ticker()")
        source.execute("select pgq.next_batch('orders', %s)", settings.consumer_name)
        source.execute("select pgq.finish_batch(sub_batch) from pgq.subscription where sub_batch is not null")
        age, held = queue.health()
        assert age is not None
        assert age < 30
        assert held == 0
        source.execute("delete from pgq.tick")
        assert queue.health() == (None, 0)
