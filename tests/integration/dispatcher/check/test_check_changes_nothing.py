"""The check leaves everything as it was."""

from __future__ import annotations

import pytest
from harness.paths import PGQ_EXT
from harness.rows.check import faults_of, fine, register
from harness.rows.job import RunningJob
from harness.rows.orders import Orders
from harness.servers.database import Database

EVERYTHING = """
    select query_to_xml(format('select * from %s t order by t::text', c.oid::regclass), true, false, '')::text
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname in ('public', 'pgq', 'tdsup', 'pgq_ext') order by c.oid"""
"""The rows of all tables."""

RELATIONS = "select oid, relname, relnatts from pg_class where relkind <> 't' order by oid"


@pytest.mark.parametrize("place", ["own", "pgq_ext"])
@pytest.mark.parametrize("started", [False, True])
def test_nothing_is_changed(
    source: Database, target: Database, orders: Orders, place: str, started: bool
) -> None:
    """No table, no row of one, no position, no tick of the queue."""
    source.execute("update pgq.queue set queue_ticker_paused = true")
    if place == "pgq_ext":
        target.execute(PGQ_EXT.read_text(encoding="utf-8"))
    keys = register(orders) if started else orders.keys()
    source.execute("update pgq.queue set queue_ticker_paused = false")
    orders.insert(3)
    source.execute("update pgq.queue set queue_ticker_paused = true")
    before = [database.rows(query) for database in (source, target) for query in (EVERYTHING, RELATIONS)]
    assert f"kept in {'pgq_ext' if place == 'pgq_ext' else ''}" in fine(keys)
    after = [database.rows(query) for database in (source, target) for query in (EVERYTHING, RELATIONS)]
    assert after == before


def test_the_server_lets_it_change_nothing(target: Database, orders: Orders) -> None:
    """Whatever a function that it calls tries: the transaction is read-only."""
    target.execute(PGQ_EXT.read_text(encoding="utf-8"))
    target.execute(
        "create or replace function pgq_ext.get_last_tick(a_consumer text) returns bigint language plpgsql "
        "as $$ begin insert into pgq_ext.completed_tick values ('x', 'y', 1); return 1; end $$"
    )
    (fault,) = faults_of(orders.keys())
    assert "(25006)" in fault


def test_a_running_job(target: Database, orders: Orders) -> None:
    """Neither disturbs the other; no position is taken for a lost one, however it moves meanwhile."""
    with RunningJob(**orders.keys()) as job:
        job.wait_for("running")
        for number in range(1, 6):
            orders.insert(10)
            text = fine(orders.keys())
            assert "the consumer works now: host " in text
            job.wait_for("running", rows=10 * number)
    assert target.value("select count(*) from orders") == 50
