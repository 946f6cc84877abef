"""Fleets that tick their source themselves, with no pgqd: their tickers are jobs like others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.programs.fleet import Fleet, fleet
from harness.programs.processes import alive
from harness.rows.orders import Orders
from harness.servers.database import Database
from harness.waiting import wait_until

pytestmark = pytest.mark.usefixtures("without_pgqd")

SECRET = "hunter2"  # noqa: S105 (no server asks for it)


def ticker(source: Database, **keys: object) -> dict[str, Any]:
    """Keys of a ticker with a password, which the server does not ask for."""
    return {"db": f"{source.dsn} password={SECRET}", "ticker_period": 0.05, **keys}


@pytest.fixture
def orders(source: Database, orders: Orders) -> Orders:
    """A table and its queue; a tick that comes before the commit of an event is followed by another soon."""
    for name in ("ticker_max_lag", "ticker_idle_period"):
        source.execute(f"select pgq.set_queue_config('orders', '{name}', '200 ms')")
    return orders


@pytest.fixture
def a_fleet(tmp_path: Path, source: Database, orders: Orders) -> Iterator[Fleet]:
    """A ticker and a job, at work."""
    with fleet(tmp_path, tickers={"shop": ticker(source)}) as made:
        orders.write_job(made)
        made.start()
        made.wait_all()
        yield made


def test_rows_arrive_without_pgqd(a_fleet: Fleet, source: Database, orders: Orders) -> None:
    """Status, log and metrics know the ticker; nothing shows its password."""
    orders.insert(500, tick=False)
    orders.wait_loaded()
    rows = "select id, day, note from orders order by id"
    assert orders.target.rows(rows) == source.rows(rows)
    job = a_fleet.job("shop")
    assert (job["type"], job["file"], job["log"]) == ("pgq_ticker", "tdsup.yaml", "log/shop.log")
    metrics = a_fleet.get("/metrics")
    assert 'tdsup_job_ticks_total{job="shop"}' in metrics
    assert 'tdsup_job_last_ticker_call_seconds{job="shop"} 0.0' in metrics
    code, shown, _errors = a_fleet.said("status")
    assert code == 0
    assert "shop " in shown
    told = [shown, metrics, a_fleet.log("shop"), a_fleet.log(), str(a_fleet.status())]
    assert all(SECRET not in text for text in told)


def test_a_ticker_obeys_as_other_jobs_do(a_fleet: Fleet, source: Database, orders: Orders) -> None:
    """While it is paused nobody ticks; a killed process is followed by another one."""
    assert a_fleet.run("pause", "shop").returncode == 0
    a_fleet.wait_for("shop", state="paused", pid=None)
    before = source.value("select count(*) from pgq.tick")
    orders.insert(10, tick=False)
    assert a_fleet.run("resume", "shop").returncode == 0
    a_fleet.wait_for("shop", state="running")
    orders.wait_loaded()
    assert source.value("select count(*) from pgq.tick") > before
    a_fleet.kill_worker("shop")
    a_fleet.wait_for("shop", state="running", restarts=lambda number: number > 0)
    orders.insert(10, tick=False)
    orders.wait_loaded()
    for command, state in (("stop-job", "stopped"), ("start-job", "running"), ("restart", "running")):
        assert a_fleet.run(command, "shop").returncode == 0
        a_fleet.wait_for("shop", state=state)


def test_a_reload_takes_up_tickers(a_fleet: Fleet, source: Database) -> None:
    """New ones start, changed ones restart, vanished ones stop; jobs keep their processes."""
    pid, job = a_fleet.job("shop")["pid"], a_fleet.job("orders")["pid"]
    a_fleet.write_settings(tickers={"shop": ticker(source, ticker_period=0.06)})
    assert a_fleet.said("reload") == (0, "changed: shop\nunchanged: orders\n", "")
    a_fleet.wait_for("shop", state="running", pid=lambda number: number not in (None, pid))
    a_fleet.write_settings(tickers={"store": ticker(source)})
    assert a_fleet.said("reload", "shop") == (
        1,
        "",
        (
            "cannot reload shop: tdsup.yaml: none of its jobs is called shop now; "
            "tdsup reload without a name takes that in\n"
        ),
    )
    assert a_fleet.said("reload") == (0, "added: store\nremoved: shop\nunchanged: orders\n", "")
    a_fleet.wait_for("store", state="running")
    names = {"store", "orders"}
    wait_until(lambda: {each["name"] for each in a_fleet.status()["jobs"]} == names, "shop is gone")
    a_fleet.write_settings(tickers={"store": ticker(source, ticker_period=0.07)})
    assert a_fleet.said("reload", "store") == (0, "changed: store\n", "")
    assert a_fleet.job("orders")["pid"] == job


def test_commands_for_consumers_pass_tickers_over(a_fleet: Fleet) -> None:
    """Where a pattern fits one; who names it is told."""
    assert a_fleet.run("stop-job", "orders").returncode == 0
    a_fleet.wait_for("orders", state="stopped")
    code, _shown, errors = a_fleet.said("rewind", "*", "--dry-run")
    assert (code, errors) == (0, "")
    assert a_fleet.said("consumers")[0] == 0
    assert a_fleet.said("rewind", "shop") == (
        1,
        "",
        "cannot rewind shop: jobs of type pgq_ticker have no such action\n",
    )


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"ticker_perio": 1}, "tickers.shop.ticker_perio: unknown key, did you mean ticker_period?"),
        ({"ticker_period": -1}, "tickers.shop.ticker_period: must be greater than 0 (it is '-1')"),
        ({"db": f"password={SECRET} x"}, "tickers.shop.db: must be a libpq connection string"),
        ({"db": [SECRET]}, "tickers.shop.db: must be text"),
    ],
)
def test_a_bad_entry_changes_nothing_that_runs(
    a_fleet: Fleet, source: Database, keys: dict[str, object], line: str
) -> None:
    """Reload and check name the key; ticker and job keep their processes."""
    before = {job["name"]: job["pid"] for job in a_fleet.status()["jobs"]}
    a_fleet.write_settings(tickers={"shop": {**ticker(source), **keys}})
    for command in ("reload", "check"):
        done = a_fleet.run(command)
        assert done.returncode != 0
        assert f"cannot load tdsup.yaml: {line}" in done.stderr
        assert SECRET not in done.stdout + done.stderr
    assert {job["name"]: job["pid"] for job in a_fleet.status()["jobs"]} == before
    assert all(alive(pid) for pid in before.values())
    assert SECRET not in a_fleet.log() + str(a_fleet.status())


def test_a_role_without_rights_blocks_its_ticker(a_fleet: Fleet, source: Database) -> None:
    """Status and check say what to grant; once that is done, a start is all it takes."""
    role = "mere_" + source.value("select current_database()")
    source.execute(f"create role {role} login")
    try:
        keys = {"db": source.dsn.replace("user=postgres", f"user={role}")}
        a_fleet.write_settings(tickers={"shop": keys})
        assert a_fleet.run("reload").returncode == 0
        job = a_fleet.wait_for("shop", state="blocked")
        words = f"run there: grant pgq_admin to {role}"
        assert words in job["reason"]
        code, _shown, errors = a_fleet.said("check", "--connect")
        assert (code, words in errors) == (1, True)
        source.execute(f"grant pgq_admin to {role}")
        assert a_fleet.run("start-job", "shop").returncode == 0
        a_fleet.wait_for("shop", state="running")
        _code, shown, _errors = a_fleet.said("check", "--connect")
        assert "it may tick; there are 1 queues to tick in schema pgq" in shown
        assert a_fleet.run("stop-job", "shop").returncode == 0
        a_fleet.wait_for("shop", state="stopped")
    finally:
        source.execute(f"drop owned by {role}; drop role {role}")


def test_another_host_takes_over(tmp_path: Path, source: Database, orders: Orders) -> None:
    """Of two fleets one ticks; kill the whole of it with -9, and the other one does."""
    with fleet(tmp_path / "one") as one, fleet(tmp_path / "two") as two:
        for each, state in ((one, "running"), (two, "standby")):
            each.write_settings(tickers={"shop": ticker(source)})
            each.start()
            job = each.wait_for("shop", state=state)
        assert job["reason"].startswith("another process ticks: host ")
        orders.write_job(two)
        assert two.run("reload").returncode == 0
        two.wait_for("orders", state="running")
        one.clean_up()
        two.wait_for("shop", state="running")
        orders.insert(100, tick=False)
        orders.wait_loaded()
