"""Two processes of one consumer: the second takes over, and the first applies nothing twice."""

from __future__ import annotations

import os
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

TAKEOVER = 3.0
"""Seconds within which a standby works after the working process died."""

WAITS_FOR_LOCK = (
    "select exists (select from pg_stat_activity where application_name like 'tdsup orders %%' "
    "and wait_event_type = 'Lock' and query ilike %s)"
)

STANDS_BY = "standby: consumer orders works elsewhere: host "


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
    """Of two fleets with one job, one is `standby` in status and log; within 3 s of a kill -9 it works."""
    with fleet(tmp_path / "one") as one, fleet(tmp_path / "two") as two:
        orders.write_job(one)
        one.start()
        one.wait_all()
        orders.insert(100)
        orders.wait_loaded()
        orders.write_job(two)
        two.start()
        standby = two.wait_for("orders", state="standby")
        assert "consumer orders works elsewhere: host " in standby["reason"]
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
    target.wait_for(WAITS_FOR_LOCK, "%copy%")
    return lambda: blocker.execute("rollback")


def _finishing(stack: ExitStack, orders: Orders, source: Database, target: Database) -> Callable[[], None]:
    let_load = _loading(stack, orders, source, target)
    blocker = stack.enter_context(source.another())
    blocker.execute("begin; select from pgq.subscription for update")
    let_load()
    source.wait_for(WAITS_FOR_LOCK, "%finish_batch%")
    return lambda: blocker.execute("rollback")


PHASES = pytest.mark.parametrize("hold", [_idle, _loading, _finishing])
"""A process is frozen when idle, during its load, or between its commit and the end of its batch."""


def _standby(stack: ExitStack, tmp_path: Path, orders: Orders) -> Program:
    second = stack.enter_context(Program(tmp_path / "second", **orders.keys(job_name="orders")))
    second.wait_says(STANDS_BY)
    return second


def _wake(first: Program, second: Program, orders: Orders) -> None:
    """Let the frozen process go on: it stands by, commits nothing, and disturbs nobody."""
    orders.wait_finished()
    first.send(signal.SIGCONT)
    first.wait_says(STANDS_BY)
    orders.insert(500)
    orders.wait_loaded()
    assert orders.verdict().clean, orders.verdict()
    assert "works elsewhere" not in second.log.rpartition("{count:")[2]


@PHASES
def test_a_frozen_process_is_displaced_by_a_person(
    tmp_path: Path, source: Database, target: Database, orders: Orders, first: Program, hold: Hold
) -> None:
    """Nobody else judges it; after `takeover` a standby works, and whoever wakes stands by.

    The standby says since when the other has only waited for its client, once that is ten seconds and a
    transaction is open; an idle session waits all day.
    """
    with ExitStack() as stack:
        release = hold(stack, orders, source, target)
        first.send(signal.SIGSTOP)
        release()
        second = _standby(stack, tmp_path, orders)
        if hold is _loading:
            second.wait_says(", which has only waited for its client since ")
        rows = target.value("select count(*) from orders")
        orders.insert(500)
        time.sleep(TAKEOVER)
        assert target.value("select count(*) from orders") == rows
        (said,) = orders.act("takeover", job_name="orders")
        assert said.startswith("ended the sessions of host ")
        orders.wait_loaded(TAKEOVER)
        _wake(first, second, orders)


@PHASES
def test_a_frozen_process_without_its_session_is_displaced_at_once(
    tmp_path: Path, source: Database, target: Database, orders: Orders, first: Program, hold: Hold
) -> None:
    """Somebody has ended the session in which it works, on the target: that is a death like any other."""
    with ExitStack() as stack:
        release = hold(stack, orders, source, target)
        first.send(signal.SIGSTOP)
        second = _standby(stack, tmp_path, orders)
        target.execute("select pg_terminate_backend(target_pid) from tdsup.consumer")
        release()
        orders.insert(500)
        orders.wait_loaded(TAKEOVER)
        _wake(first, second, orders)


def test_a_frozen_fleet_is_displaced_by_tdsup_takeover(tmp_path: Path, orders: Orders) -> None:
    """Where the master is stopped too, nobody replaces its worker; the command works from the other host."""
    with fleet(tmp_path / "one") as one, fleet(tmp_path / "two") as two:
        for each, state in ((one, "running"), (two, "standby")):
            orders.write_job(each)
            each.start()
            each.wait_for("orders", state=state)
        orders.insert(100)
        orders.wait_loaded()
        orders.wait_finished()
        frozen = [one.pid_of_master, *one.processes()]
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        code, said, fault = two.said("takeover", "orders")
        assert (code, fault) == (0, "")
        assert "ended the sessions of host " in said
        two.wait_for("orders", TAKEOVER, state="running")
        orders.insert(100)
        orders.wait_loaded()
        # The master last: it would replace a worker that it finds frozen.
        for pid in reversed(frozen):
            os.kill(pid, signal.SIGCONT)
        one.wait_for("orders", state="standby")
        orders.insert(100)
        orders.wait_loaded()
        assert orders.verdict().clean, orders.verdict()


def test_deaths_in_turn(tmp_path: Path, orders: Orders, first: Program) -> None:
    """Each time that the working process is killed, the standby works within 3 s."""
    working = first
    with ExitStack() as stack:
        for number in range(5):
            standby = _standby(stack, tmp_path / f"after{number}", orders)
            orders.insert(10, tick=False)
            died = time.monotonic()
            working.send(signal.SIGKILL)
            orders.queue.tick()
            orders.wait_loaded()
            assert time.monotonic() - died < TAKEOVER
            working = standby
        assert orders.verdict().clean, orders.verdict()
