"""Keys of a job that change when and how it reads."""

from __future__ import annotations

import logging
import time

import pytest
from harness.rows.orders import Orders
from harness.servers.database import Database


@pytest.fixture
def orders(orders: Orders) -> Orders:
    """The same, with a registered consumer ``job``."""
    orders.drain()
    return orders


@pytest.mark.parametrize(
    "key",
    [
        {"pgq_keep_lag": "1 hour"},
        {"pgq_batch_collect_events": 1000},
        {"pgq_batch_collect_interval": "1 hour"},
    ],
)
def test_events_are_held_back(orders: Orders, target: Database, key: dict[str, object]) -> None:
    """Until events are old enough, or there are enough of them, none is loaded, and the lag shows it."""
    orders.insert(10)
    with orders.running(**key) as job:
        job.wait_for("running")
        before = job.context.values["lag"]
        time.sleep(0.5)
        assert job.context.values["lag"] == before
        assert job.context.values["events"] == 0
    assert target.value("select count(*) from orders") == 0


def test_collected_events_are_one_batch(orders: Orders) -> None:
    """Several ticks that together hold enough events come as one batch."""
    for _ in range(4):
        orders.insert(10)
    values = orders.drain(pgq_batch_collect_events=20)
    assert values["events"] >= 20
    assert values["batches"] < 4


@pytest.mark.usefixtures("without_pgqd")
def test_below_zero_is_one_pass(orders: Orders) -> None:
    """With loop_delay below 0 the job takes one batch and ends."""
    orders.insert(10)
    orders.insert(10)
    assert orders.drain(loop_delay=-1)["batches"] == 1
    assert orders.drain()["batches"] == 1


def test_table_filter_takes_only_its_tables(orders: Orders, source: Database, target: Database) -> None:
    """Of a queue with two tables, the named one is loaded; a name without schema is in public."""
    source.execute("create table other (id int primary key, day date, note text)")
    orders.queue.attach("other")
    source.execute("insert into other values (7, '2026-11-01', 'no order')")
    orders.insert(3)
    orders.drain(table_filter="orders")
    assert target.column("select id from orders order by id") == [1, 2, 3]


def test_connections_are_replaced_when_old(orders: Orders, target: Database) -> None:
    """After connection_lifetime the job goes on with new connections."""
    backend = (
        "select pid from pg_stat_activity "
        "where application_name like 'tdsup job %%' and backend_type ~ 'client'"
    )
    with orders.running(connection_lifetime=0.3) as job:
        job.wait_for("running")
        first = target.value(backend)
        target.wait_for(f"select exists ({backend}) and not exists ({backend} and pid = {first})")
        orders.insert(10)
        job.wait_for("running", rows=10)


def test_an_idle_job_shows_that_it_lives(orders: Orders, caplog: pytest.LogCaptureFixture) -> None:
    """Every keepalive_stats seconds an idle job logs that it counted nothing."""
    with caplog.at_level(logging.INFO, "job"), orders.running(keepalive_stats=0.2) as job:
        job.wait_for("running")
        deadline = time.monotonic() + 10
        while "{count: 0, duration: " not in caplog.text:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_events_of_other_types(orders: Orders, target: Database) -> None:
    """A producer's own type with url-encoded data is a row; PgQ's own events are none."""
    orders.queue.insert("order.created", "id=1&day=2026-11-24&note=own+type")
    orders.queue.insert("pgq.global-watermark", "42")
    orders.queue.tick()
    values = orders.drain(part_template="create table _DEST_TABLE () inherits (_PARENT)")
    assert (values["events"], values["rows"]) == (2, 1)
    assert target.rows("select id, note from orders_2026_11_24") == [(1, "own type")]
