"""Two processes of one consumer: the second takes over, and the first applies nothing twice."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from harness.programs.fleet import fleet
from harness.programs.program import Program
from harness.rows.orders import Orders
from harness.servers.database import Database

TAKEOVER = 5.0
"""Seconds within which a standby works after the working process died."""

CLIENTS = "from pg_stat_activity where application_name = 'tdsup orders' and backend_type ~ 'client'"

WAITS_FOR_LOCK = f"select exists (select {CLIENTS} and wait_event_type = 'Lock' and query ilike %s)"


@pytest.fixture
def first(tmp_path: Path, orders: Orders) -> Iterator[Program]:
    """A process that has loaded 100 orders."""
    with Program(tmp_path / "first", **orders.keys(job_name="orders")) as program:
        program.wait_says("registered consumer")
        orders.insert(100)
        orders.wait_loaded()
        orders.wait_finished()
        yield program


def test_a_standby_fleet_takes_over_after_kill_9(
    tmp_path: Path, source: Database, target: Database, orders: Orders
) -> None:
    """Of two fleets with one job, one is `standby` in status and log; within 5 s of a kill -9 it works."""
    with fleet(tmp_path / "one") as one, fleet(tmp_path / "two") as two:
        orders.write_job(one)
        one.start()
        one.wait_all()
        orders.insert(100)
        orders.wait_loaded()
        orders.write_job(two)
        two.start()
        standby = two.wait_for("orders", state="standby")
        assert "consumer orders works elsewhere: tdsup orders (backend " in standby["reason"]
        assert two.log("orders").count("standby: consumer orders works elsewhere") == 1
        orders.insert(100, tick=False)
        died = time.monotonic()
        one.clean_up()
        orders.queue.tick()
        orders.wait_loaded()
        assert time.monotonic() - died < TAKEOVER
        two.wait_for("orders", state="running")
        assert orders.verdict().clean, orders.verdict()


Hold = Callable[[ExitStack, Orders, Database, Database], Callable[[], None]]
"""Stops the first process at some point of its work; returns a function that releases it for others."""


def _idle(_stack: ExitStack, _orders: Orders, _source: Database, _target: Database) -> Callable[[], None]:
    return lambda: None


def _loading(stack: ExitStack, orders: Orders, _source: Database, target: Database) -> Callable[[], None]:
    blocker = stack.enter_context(target.another())
    blocker.execute("begin; lock table orders_2026_11_02 in exclusive mode")
    orders.insert(1000)
    target.wait_for(WAITS_FOR_LOCK, "copy%")
    return lambda: blocker.execute("rollback")


def _finishing(stack: ExitStack, orders: Orders, source: Database, target: Database) -> Callable[[], None]:
    let_load = _loading(stack, orders, source, target)
    blocker = stack.enter_context(source.another())
    blocker.execute("begin; select from pgq.subscription for update")
    let_load()
    source.wait_for(WAITS_FOR_LOCK, "%finish_batch%")
    return lambda: blocker.execute("rollback")


@pytest.mark.parametrize(
    ("hold", "ended"),
    [
        (_idle, "both"),
        (_loading, "both"),
        (_finishing, "both"),
        (_idle, "target"),
        (_loading, "target"),
    ],
)
def test_a_frozen_process_applies_nothing_twice(
    tmp_path: Path,
    source: Database,
    target: Database,
    orders: Orders,
    first: Program,
    hold: Hold,
    ended: str,
) -> None:
    """A process that is frozen, cut off and woken after another took over stands by; the oracle is clean.

    It is frozen when idle, during its load, or between its commit and the end of its batch. It is cut off
    from both databases, or only from the target, where the lock of the working process is. (The target alone
    is not enough during finish_batch: an open transaction on the source makes the other process wait.)
    """
    with ExitStack() as stack:
        release = hold(stack, orders, source, target)
        first.send(signal.SIGSTOP)
        cut_off = {"both": (source, target), "target": (target,)}[ended]
        second = stack.enter_context(Program(tmp_path / "second", **orders.keys(job_name="orders")))
        second.wait_says("standby: consumer orders works elsewhere")
        for database in cut_off:
            database.execute(
                f"select pg_terminate_backend(pid) {CLIENTS} "
                "and pid not in (select pid from pg_stat_activity where query ~ 'pg_locks')"
            )
        release()
        orders.insert(500)
        orders.wait_loaded()
        orders.wait_finished()
        first.send(signal.SIGCONT)
        first.wait_says("standby: consumer orders works elsewhere")
        orders.insert(500)
        orders.wait_loaded()
        assert orders.verdict().clean, orders.verdict()
        assert "works elsewhere" not in second.log.rpartition("{count:")[2]
