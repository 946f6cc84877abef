"""The check of positions and owners: what a start would find, told before it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness.paths import PGQ_EXT
from harness.rows.check import faults_of, fine, mend, register
from harness.rows.job import drain
from harness.rows.orders import Orders
from harness.servers.database import Database
from harness.servers.queue import Queue
from psycopg2.extensions import make_dsn
from tdsup.sandbox import Sandbox


@pytest.fixture
def role(target: Database) -> Iterator[str]:
    """A role of the target without rights."""
    target.execute("create role stranger login")
    yield "stranger"
    target.execute("drop owned by stranger cascade; drop role stranger")


def test_a_name_that_pgq_ext_has_for_another_queue(
    source: Database, target: Database, orders: Orders
) -> None:
    """The second file is told before its first start."""
    target.execute(PGQ_EXT.read_text(encoding="utf-8"))
    keys = register(orders)
    assert "kept in pgq_ext" in fine(keys)
    Queue(source, "other").create()
    (fault,) = faults_of({**keys, "pgq_queue_name": "other", "table_filter": "orders"})
    assert "by consumer name alone, and queue orders has a consumer of that name; give this one" in fault


def test_another_source(sandbox: Sandbox, source: Database, orders: Orders) -> None:
    """By the name of its database, or by its cluster alone."""
    keys = register(orders)
    name = source.value("select current_database()")
    for cluster, other in ((sandbox.source, f"{name}x"), (sandbox.target, name)):
        cluster.create_database(other)
        (fault, *_) = (
            fault
            for fault in faults_of({**keys, "src_db": cluster.dsn(other)})
            if fault.startswith("cannot run job: target: ")
        )
        cluster.drop_database(other)
        assert f"another source uses this name: database {name} of cluster " in fault
        assert f"and this is {other} of " in fault


def test_a_consumer_that_somebody_else_registered(source: Database, orders: Orders) -> None:
    """A start would not guess where it begins; `start` says it, and is to be removed afterwards."""
    source.execute("select pgq.register_consumer('orders', 'job')")
    (fault,) = faults_of(orders.keys())
    assert "choose where it begins: table_dispatcher --register FILE, start = registered or" in fault
    keys = orders.keys(start="registered", loop_delay=0)
    assert "start = registered says where it begins" in fine(keys)
    drain(**keys)
    assert "start = registered has done its work; remove it" in fine(keys)


@pytest.mark.parametrize("tick", [1, 99])
def test_a_lost_position(target: Database, orders: Orders, tick: int) -> None:
    """With the side that is behind, and the way out."""
    keys = register(orders)
    orders.insert(3)
    drain(**keys)
    target.execute("update tdsup.completed_tick set (last_tick_id, last_tick_time) = (%s, 1)", tick)
    (fault,) = faults_of(keys)
    assert f"the {'target' if tick == 1 else 'source'} is behind" in fault
    assert "tdsup rewind job" in fault


def test_a_consumer_that_was_unregistered(source: Database, target: Database, orders: Orders) -> None:
    """A start registers it at its position, if the queue has that very tick; else that is a fault."""
    keys = register(orders)
    orders.act("retire")
    assert "the next start registers it there" in fine(keys)
    assert "retired; a start registers it again" in fine(keys)
    target.execute("update tdsup.completed_tick set last_tick_time = 1")
    (fault,) = faults_of(keys)
    assert "the queue's tick of that number is of another time" in fault
    target.execute("update tdsup.completed_tick set last_tick_id = 99")
    (fault,) = faults_of(keys)
    assert "which the queue does not have (any more)" in fault
    assert source.value("select count(*) from pgq.get_consumer_info()") == 0


def test_what_the_row_says(target: Database, orders: Orders) -> None:
    """Who works, who has paused it, and what blocks it."""
    keys = register(orders)
    with orders.running() as job:
        job.wait_for("running")
        assert "the consumer works now: host " in fine(keys)
    target.execute("update tdsup.consumer set paused = 'paused on host a', blocked = 'blocked on host b'")
    assert "paused on host a" in fine(keys)
    assert "blocked on host b" in fine(keys)


def test_a_version_1_that_the_role_may_not_change(target: Database, orders: Orders, role: str) -> None:
    """It does, without owners: the check says so, and where the SQL is."""
    keys = register(orders, part_field="", part_template="")
    target.execute(
        "drop table tdsup.consumer, tdsup.schema_version; grant usage on schema tdsup to stranger; "
        "grant select, insert, update on all tables in schema tdsup to stranger; "
        "grant all on orders to stranger"
    )
    keys["dst_db"] = make_dsn(str(keys["dst_db"]), user=role)
    text = fine(keys)
    assert "keeps no owners of consumers for this role" in text
    assert "tdsup schema --sql prints what is missing" in text


def test_a_role_without_rights_on_the_row(target: Database, orders: Orders, role: str) -> None:
    """The same, with the grant that it lacks."""
    keys = register(orders, part_field="", part_template="")
    target.execute(
        "grant usage on schema tdsup to stranger; grant all on orders to stranger; "
        "grant select, insert, update on tdsup.completed_tick, tdsup.dead_letter to stranger"
    )
    keys["dst_db"] = make_dsn(str(keys["dst_db"]), user=role)
    grant = "grant select, insert, update, delete on tdsup.consumer to stranger"
    assert f"run there: {grant}" in fine(keys)
    target.execute(grant)
    assert "keeps no owners" not in fine(keys)


SQUATS = {
    "schema": "create schema tdsup authorization stranger",
    "table": "create schema tdsup; create table tdsup.completed_tick (); "
    "alter table tdsup.completed_tick owner to stranger",
    "function": "create schema tdsup; create function tdsup.f() returns int language sql as 'select 1'; "
    "alter function tdsup.f() owner to stranger",
}


@pytest.mark.parametrize("squat", SQUATS.values(), ids=SQUATS)
def test_a_squatter(target: Database, orders: Orders, role: str, squat: str) -> None:
    """Whatever another role owns there is a fault, with its owner's name and what gives it to another."""
    target.execute(squat)
    keys = orders.keys()
    (fault,) = faults_of(keys)
    assert f"in the target database belongs to role {role}, which is neither this role nor" in fault
    mend(orders, fault)
    assert not any(f"belongs to role {role}" in other for other in faults_of(keys))


def test_a_squatter_of_everything(target: Database, orders: Orders, role: str) -> None:
    """One fault has the statements for all that is his; the database's owner is named in quotes."""
    keys = register(orders)
    database = target.value("select current_database()")
    target.execute(f'create role "its owner"; alter database {database} owner to "its owner"')
    try:
        for what in ("schema tdsup", "table tdsup.consumer", "table tdsup.dead_letter"):
            target.execute(f"alter {what} owner to {role}")
        (fault,) = faults_of(keys)
        assert fault.endswith(
            'run there: alter schema tdsup owner to "its owner"; '
            'alter table tdsup.consumer owner to "its owner"; '
            'alter table tdsup.dead_letter owner to "its owner"'
        )
        mend(orders, fault)
        fine(keys)
    finally:
        target.execute('reassign owned by "its owner" to current_user; drop role "its owner"')
