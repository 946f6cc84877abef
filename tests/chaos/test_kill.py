"""kill -9 at the worst moments: nothing is lost and nothing doubles."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from harness.programs.fleet import Fleet, fleet
from harness.rows.orders import Orders
from harness.servers.database import Database
from harness.waiting import wait_until

WAITS_FOR_LOCK = (
    "select exists (select from pg_stat_activity where wait_event_type = 'Lock' "
    "and application_name like 'tdsup orders %%' and query ilike %s)"
)


@pytest.fixture
def jobs(tmp_path: Path, orders: Orders) -> Iterator[Fleet]:
    """A fleet of one job that has loaded 100 orders."""
    with fleet(tmp_path) as made:
        orders.write_job(made)
        made.start()
        made.wait_all()
        orders.insert(100)
        orders.wait_loaded()
        orders.wait_finished()
        yield made


def test_killed_before_the_commit(orders: Orders, jobs: Fleet, source: Database, target: Database) -> None:
    """A worker killed while its batch is half loaded: the batch is rolled back and loaded again."""
    with target.another() as blocker:
        blocker.execute("begin; lock table orders_2026_11_02 in exclusive mode")
        orders.insert(1000)
        target.wait_for(WAITS_FOR_LOCK, "%copy%")
        killed = jobs.kill_worker("orders")
        blocker.execute("rollback")
    jobs.wait_for("orders", state="running", restarts=1, pid=lambda pid: pid != killed)
    orders.wait_loaded()
    assert orders.verdict().clean, orders.verdict()
    jobs.wait_for("orders", rows=1100)


OPEN_BATCH = (
    "select sub_next_tick - sub_last_tick from pgq.subscription "
    "join pgq.consumer on co_id = sub_consumer where co_name = 'orders'"
)
"""How many ticks are in the open batch."""


def test_killed_amid_several_ticks(orders: Orders, jobs: Fleet, source: Database, target: Database) -> None:
    """A worker killed while it loads merged ticks: they come again, and are loaded once."""
    with target.another() as first, target.another() as second:
        # An insert waits for another transaction that inserts the same key; meanwhile there are 8 more ticks.
        for blocker, number in ((first, 101), (second, 900)):
            blocker.execute(f"begin; insert into orders_2026_11_0{1 + number % 3} values ({number})")
        orders.insert(100)
        target.wait_for(WAITS_FOR_LOCK, "%copy%")
        for _ in range(8):
            orders.insert(100)
        first.execute("rollback")
        target.wait_for("select count(*) >= 200 from orders")
        target.wait_for(WAITS_FOR_LOCK, "%copy%")
        assert source.value(OPEN_BATCH) > 1
        killed = jobs.kill_worker("orders")
        second.execute("rollback")
    jobs.wait_for("orders", state="running", restarts=1, pid=lambda pid: pid != killed)
    orders.wait_loaded()
    assert orders.verdict().clean, orders.verdict()
    jobs.wait_for("orders", rows=1000)


FINISHING = "datname = current_database() and pid <> pg_backend_pid() and query like '%%finish_batch%%'"


def test_killed_between_commit_and_finish_batch(
    orders: Orders, jobs: Fleet, source: Database, target: Database
) -> None:
    """A worker killed after the target's commit: the batch comes again, and is skipped."""
    with target.another() as target_blocker, source.another() as source_blocker:
        target_blocker.execute("begin; lock table orders_2026_11_02 in exclusive mode")
        orders.insert(1000)
        target.wait_for(WAITS_FOR_LOCK, "%copy%")
        source_blocker.execute("begin; select from pgq.subscription for update")
        target_blocker.execute("rollback")
        source.wait_for(WAITS_FOR_LOCK, "%finish_batch%")
        assert target.value("select count(*) from orders") == 1100
        jobs.kill_worker("orders")
        # The server has not noticed yet, and would still execute the statement.
        source.execute(f"select pg_terminate_backend(pid) from pg_stat_activity where {FINISHING}")
        source.wait_for(f"select not exists (select from pg_stat_activity where {FINISHING})")
        source_blocker.execute("rollback")
    jobs.wait_for("orders", state="running", restarts=1)
    orders.insert(10)
    orders.wait_loaded()
    assert orders.verdict().clean, orders.verdict()
    assert "skipped batch" in jobs.log("orders")


def test_killed_again_and_again_under_load(orders: Orders, jobs: Fleet) -> None:
    """Thirty kills at random moments of thirty batches; the oracle is clean and the counters never fall."""
    seen = 0.0
    for _ in range(30):
        orders.insert(300)
        pid = jobs.job("orders")["pid"]
        if pid:
            os.kill(pid, signal.SIGKILL)
        rows = jobs.job("orders")["rows"]
        assert rows >= seen
        seen = rows
        jobs.wait_for("orders", pid=partial(_is_new, pid))
    orders.wait_loaded(60)
    assert orders.verdict().clean, orders.verdict()


def test_no_batch_is_lost_when_the_master_dies(orders: Orders, jobs: Fleet) -> None:
    """After kill -9 of the master its workers end by themselves; a new fleet continues where they were."""
    orders.insert(5000)
    os.kill(jobs.pid, signal.SIGKILL)
    wait_until(lambda: not jobs.processes(), "all processes are gone", 2)
    orders.insert(100)
    jobs.start()
    orders.wait_loaded()
    assert orders.verdict().clean, orders.verdict()


def _is_new(old: int | None, pid: int | None) -> bool:
    """Whether there is a process, and it is a new one."""
    return pid not in (None, old)
