"""Two fleets with one job, as on two hosts: what people say to one of them holds in both."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.programs.fleet import Fleet, fleet
from harness.rows.orders import Orders
from harness.waiting import wait_until

Pair = tuple[Fleet, Fleet]

SOON = 3.0
"""Seconds within which a standby takes over from an owner that has ended."""

UNTRIED = 4.0
"""Seconds in which a standby would have tried several times."""


@pytest.fixture
def pair(tmp_path: Path, orders: Orders) -> Iterator[Pair]:
    """One fleet whose job has loaded 100 orders, and one whose job stands by."""
    with fleet(tmp_path / "one") as one, fleet(tmp_path / "two") as two:
        for each, state in ((one, "running"), (two, "standby")):
            orders.write_job(each)
            each.start()
            each.wait_for("orders", state=state)
        orders.insert(100)
        orders.wait_loaded()
        yield one, two


def _wait_one_works(pair: Pair) -> None:
    """Wait until one of the jobs works and the other stands by."""
    wait_until(
        lambda: sorted(each.job("orders")["state"] for each in pair) == ["running", "standby"], "one works"
    )


@pytest.mark.parametrize("asked", [0, 1])
def test_a_pause_holds_in_both_fleets(pair: Pair, orders: Orders, asked: int) -> None:
    """Whichever of them was asked, status and log of both say so; the other one can let both go on.

    An idle owner looks every 30 s only; the next batch, which it does not load, tells it at once.
    """
    assert pair[asked].run("pause", "orders").returncode == 0
    pair[asked].wait_for("orders", state="paused")
    orders.insert(100)
    for each in pair:
        job = each.wait_for("orders", state="paused")
        assert job["reason"].startswith("paused on host ")
        assert " since 2" in job["reason"]
        assert each.log("orders").count("orders: paused: paused on host ") == 1
    assert orders.target.value("select count(*) from orders") == 100
    assert pair[1 - asked].run("resume", "orders").returncode == 0
    _wait_one_works(pair)
    orders.wait_loaded()
    assert orders.verdict().clean, orders.verdict()


def test_a_pause_survives_restarts_of_masters(pair: Pair, orders: Orders) -> None:
    """Of one that was stopped and of one that was killed."""
    one, two = pair
    assert one.run("pause", "orders").returncode == 0
    two.wait_for("orders", state="paused")
    one.stop()
    two.kill_master()
    wait_until(lambda: not two.processes(), "its processes are gone")
    orders.insert(100)
    for each in pair:
        each.start()
        each.wait_for("orders", state="paused")
    assert two.run("resume", "orders").returncode == 0
    _wait_one_works(pair)
    orders.wait_loaded()
    assert orders.verdict().clean, orders.verdict()


@pytest.mark.parametrize("command", ["start-job", "restart", "reload", "rewind"])
def test_what_blocks_one_is_not_tried_by_the_other(pair: Pair, orders: Orders, command: str) -> None:
    """The standby shows it and waits, until somebody who has mended it says so where the job is blocked."""
    one, two = pair
    orders.target.execute("alter table orders rename to gone")
    orders.insert(9, days=9)
    reason = one.wait_for("orders", state="blocked")["reason"]
    epoch = orders.target.value("select epoch from tdsup.consumer")
    told = two.wait_for("orders", state="standby", reason=lambda text: text.startswith("blocked on host "))
    assert told["reason"].partition(": ")[2] in reason, (told["reason"], reason)
    time.sleep(UNTRIED)
    assert two.job("orders")["state"] == "standby"
    assert orders.target.value("select epoch from tdsup.consumer") == epoch
    orders.target.execute("alter table gone rename to orders")
    assert one.run(command, "orders").returncode == 0
    _wait_one_works(pair)
    orders.wait_loaded()
    assert orders.verdict().clean, orders.verdict()


@pytest.mark.parametrize("command", ["stop-job", "reload", "stop"])
def test_who_ends_gives_the_consumer_up(pair: Pair, orders: Orders, command: str) -> None:
    """A stopped job, one whose file was removed, a stopped fleet: the other one takes over at once."""
    one, two = pair
    if command == "reload":
        (one.directory / "conf.d" / "orders.ini").unlink()
    names = ["orders"] if command == "stop-job" else []
    assert one.run(command, *names).returncode == 0
    two.wait_for("orders", SOON, state="running")
    orders.insert(100)
    orders.wait_loaded()
    assert orders.verdict().clean, orders.verdict()
