"""The check of the source: servers, PgQ, the queue, what feeds it, and a consumer that has worked."""

from __future__ import annotations

import re

import pytest
from harness.rows.check import examined, faults_of, fine, register
from harness.rows.job import drain
from harness.rows.orders import Orders
from harness.servers.database import Database

AWAY = "host=127.0.0.1 port=1 user=nobody password=hush dbname=x"
"""A server that is not there."""


def test_a_job_before_its_first_start(source: Database, target: Database, orders: Orders) -> None:
    """All is well; the consumer stays unregistered, and the target gets no schema."""
    text = fine(orders.keys())
    assert "PgQ 3" in text
    assert "triggers put changes of public.orders into it: insert, update, delete" in text
    assert "consumer job is not registered" in text
    assert "public.orders is a table" in text
    assert "public.orders has no partition yet" in text
    assert "kept in a new schema tdsup; there is none" in text
    assert source.value("select count(*) from pgq.get_consumer_info()") == 0
    assert target.value("select to_regnamespace('tdsup') is null")
    assert target.column("select relname from pg_class where relname like 'orders%%'") == ["orders"]


def test_a_job_that_has_worked(orders: Orders) -> None:
    """Its place is told, on both sides."""
    keys = register(orders)
    orders.insert(3)
    drain(**keys)
    text = fine(keys)
    assert re.search(r"consumer job is registered, is at tick (\d+), .* about 0 events behind", text)
    assert "kept in tdsup.completed_tick; it is the source's" in text
    assert "public.orders is a table with children" in text
    assert "public.orders_2026_11_03 is the newest partition, a table" in text
    assert "none is pending; the newest 3:" in text


READ_ONLY = (
    "default_transaction_read_only is on; run there: alter role {} set default_transaction_read_only = off"
)

SOURCE_FAULTS = {
    "no PgQ": (
        "drop extension pgq cascade",
        "there is no PgQ in schema pgq; run there: create extension pgq",
    ),
    "no queue": (
        "drop trigger orders_orders on orders; select pgq.drop_queue('orders')",
        "there is no queue orders in database {database}; run there: select pgq.create_queue('orders')",
    ),
    "read-only": (
        "alter database {database} set default_transaction_read_only = on",
        f"nothing can be changed there: {READ_ONLY.format('postgres')}",
    ),
}


@pytest.mark.parametrize(("statement", "fault"), SOURCE_FAULTS.values(), ids=SOURCE_FAULTS)
def test_faults_of_the_source(source: Database, orders: Orders, statement: str, fault: str) -> None:
    """They are told with their remedies, and the target is examined all the same."""
    database = source.value("select current_database()")
    source.execute(statement.format(database=database))
    facts, faults = examined(orders.keys())
    assert faults == [f"cannot run job: source: {fault.format(database=database)}"]
    assert "job: target: public.orders is a table" in facts


@pytest.mark.parametrize("which", ["source", "target"])
def test_a_server_away(orders: Orders, which: str) -> None:
    """The other one is examined; no password is shown."""
    key, other = {"source": ("src_db", "target"), "target": ("dst_db", "source")}[which]
    facts, faults = examined({**orders.keys(), key: AWAY})
    (fault,) = faults
    assert fault.startswith(f"cannot run job: {which}: cannot be reached: connection to server at")
    assert "hush" not in fault
    assert sum(f"job: {other}: " in fact for fact in facts) >= 3


def test_both_servers_away(orders: Orders) -> None:
    """One fault if they are one server, else two."""
    (fault,) = faults_of({**orders.keys(), "src_db": AWAY, "dst_db": AWAY})
    assert fault.startswith("cannot run job: source and target: cannot be reached: connection to server at")
    other = AWAY.replace("port=1", "port=2")
    assert len(faults_of({**orders.keys(), "src_db": AWAY, "dst_db": other})) == 2


@pytest.mark.parametrize(
    ("statement", "warning"),
    [
        (
            "update pgq.queue set queue_ticker_paused = true",
            "no tick for 3d0h: the queue's ticker is paused",
        ),
        (
            "create or replace function pgq.ticker() returns bigint language sql as 'select 0::bigint'",
            "no tick for 3d0h: does the ticker run?",
        ),
    ],
)
def test_a_ticker_that_stands_still(source: Database, orders: Orders, statement: str, warning: str) -> None:
    """It is no fault of the job's, but worth a word."""
    assert "ticker" not in fine(orders.keys())
    source.execute(statement)
    source.execute("update pgq.tick set tick_time = now() - interval '3 days'")
    assert f"warning: queue orders: {warning}" in fine(orders.keys())


def test_a_mistyped_queue(source: Database, orders: Orders) -> None:
    """The nearest name comes first, at most eight are told, and a quote stays one in the remedy."""
    database = source.value("select current_database()")
    there = f"there is no queue Ordres in database {database} (did you mean orders? there are: orders, "
    create = "; run there: select pgq.create_queue('Ordres')"
    source.execute("select pgq.create_queue('a')")
    (fault,) = faults_of(orders.keys(pgq_queue_name="Ordres"))
    assert fault == f"cannot run job: source: {there}a){create}"
    source.execute("select pgq.create_queue('b' || n) from generate_series(1, 8) n")
    (fault,) = faults_of(orders.keys(pgq_queue_name="Ordres"))
    assert fault == f"cannot run job: source: {there}a, b1, b2, b3, b4, b5, b6 and 2 more){create}"
    (fault,) = faults_of(orders.keys(pgq_queue_name="x'y"))
    assert " (there are: a, b1, " in fault
    source.execute(fault.partition("run there: ")[2].replace("%", "%%"))
    assert source.value("select count(*) from pgq.queue where queue_name = 'x''y'") == 1


def test_no_trigger(source: Database, orders: Orders) -> None:
    """A table that table_filter names and nobody feeds, a trigger that is disabled, and none at all."""
    source.execute("create table other (id int)")
    text = fine(orders.keys(table_filter="orders, other"))
    assert "no enabled trigger puts changes of public.other into queue orders" in text
    source.execute("alter table orders disable trigger orders_orders")
    assert "no enabled trigger puts changes of public.orders into queue orders" in fine(orders.keys())
    source.execute("drop trigger orders_orders on orders")
    assert "no trigger puts changes into it" in fine(orders.keys())
