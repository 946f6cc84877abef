"""A fleet whose target keeps positions in pgq_ext, and has no owners of consumers for the job's role."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.paths import PGQ_EXT
from harness.programs.fleet import Fleet, fleet
from harness.rows.orders import Orders
from harness.waiting import wait_until
from psycopg2.extensions import make_dsn

HELD = "paused here alone, as the target keeps no owners (tdsup schema)"


@pytest.fixture
def alone(tmp_path: Path, orders: Orders) -> Iterator[Fleet]:
    """A fleet whose job has loaded 10 orders."""
    role = "alone"
    orders.target.execute(
        f"{PGQ_EXT.read_text()}; create role {role} login; "
        f"revoke create on database {orders.target.value('select current_database()')} from public; "
        f"grant usage on schema pgq_ext to {role}; grant all on all tables in schema pgq_ext to {role}; "
        f"grant create on schema public to {role}; grant {role} to current_user; "
        f"alter table orders owner to {role}"
    )
    with fleet(tmp_path) as made:
        orders.write_job(made, dst_db=make_dsn(orders.target.dsn, user=role))
        made.start()
        made.wait_for("orders", state="running")
        orders.insert(10)
        orders.wait_loaded()
        yield made
    orders.target.execute(f"drop owned by {role} cascade; drop role {role}")


def test_a_pause_is_told_to_each_process(alone: Fleet, orders: Orders) -> None:
    """Its process is replaced by a changed file, and by the master after it was killed; it stays paused."""
    assert alone.run("pause", "orders").returncode == 0
    first = alone.wait_for("orders", state="paused", reason=HELD)["pid"]
    orders.insert(10)
    orders.write_job(alone, dst_db=make_dsn(orders.target.dsn, user="alone"), keepalive_stats=60)
    assert alone.run("reload").returncode == 0
    second = _next_pid(alone, first)
    os.kill(second, signal.SIGKILL)
    _next_pid(alone, second)
    assert orders.target.value("select count(*) from orders") == 10
    assert alone.run("resume", "orders").returncode == 0
    alone.wait_for("orders", state="running")
    orders.wait_loaded()
    assert orders.verdict().clean, orders.verdict()


def _next_pid(alone: Fleet, former: int) -> int:
    """The process after the former one, once it is paused."""

    def is_next() -> bool:
        job = alone.job("orders")
        return bool(job["pid"]) and job["pid"] != former and job["reason"] == HELD

    wait_until(is_next, "the next process is paused")
    return int(alone.job("orders")["pid"])
