"""The check of events: what would become of them, and how the first one's table is created."""

from __future__ import annotations

import re

import pytest
from harness.rows.check import faults_of, fine, register, statements
from harness.rows.job import drain
from harness.rows.orders import Orders
from harness.servers.database import Database

PARENTS = {
    "a template": ({}, "create table orders (id int, day date, note text)"),
    "inheritance": ({"part_template": ""}, "create table orders (id int primary key, day date, note text)"),
    "partitions": (
        {"part_template": ""},
        "create table orders (id int, day date, note text) partition by range (day)",
    ),
    "months": (
        {"part_template": "", "part_method": "monthly"},
        "create table orders (id int, day date, note text) partition by range (day)",
    ),
    "moments, in the source's time zone": (
        {"part_template": "", "part_field": "_EVTIME"},
        "create table orders (id int, day timestamptz default now(), note text) partition by range (day)",
    ),
}
"""Keys of the job and what its ``dest_table`` is."""

TABLES = """
    select c.relname, pg_get_expr(c.relpartbound, c.oid), i.inhparent::regclass::text, x.indexdef
    from pg_class c
    left join pg_inherits i on i.inhrelid = c.oid
    left join pg_indexes x on x.tablename = c.relname
    where c.relkind = 'r' and c.relname like 'orders%%'
    order by 1"""
"""All that tells one creation from another."""


@pytest.mark.parametrize(("changes", "ddl"), PARENTS.values(), ids=PARENTS)
@pytest.mark.parametrize("registered", [True, False], ids=["pending", "newest"])
def test_what_is_shown_is_what_the_job_runs(
    source: Database,
    target: Database,
    other_target: Database,
    orders: Orders,
    changes: dict[str, object],
    ddl: str,
    registered: bool,
) -> None:
    """The statements, run by hand, make the table that the job then makes."""
    source.execute(f"alter database {source.value('select current_database()')} set timezone = 'Asia/Tokyo'")
    for database in (target, other_target):
        database.execute(f"drop table if exists orders; {ddl}")
    keys = register(orders, fields="id, note" if "_EVTIME" in changes.values() else "*", **changes)
    orders.insert(1)
    if not registered:
        orders.queue.tick()
    shown = statements(fine(keys if registered else {**keys, "pgq_consumer_id": "new"}))
    with other_target.another() as other:
        other.execute(f"begin; {shown} commit")
    drain(**keys)
    made = target.rows(TABLES)
    assert len(made) == (2 if "partition by" not in ddl else 1)
    assert made == other_target.rows(TABLES)
    assert "which is there" in fine(keys if registered else {**keys, "pgq_consumer_id": "new"})


GERMAN = (
    "its partition value '24.11.2026' is in DateStyle German, "
    "in which the source's database does not write; date_style says how to read it"
)


def test_the_next_events(source: Database, orders: Orders) -> None:
    """At most ten, in their order, with what becomes of each; a truncate would empty the table."""
    keys = register(orders, event_types="I, U, D, R", table_filter="orders")
    source.execute("insert into orders values (1, '2026-11-24', 'it''s = \x1b[1m')")
    source.execute("update orders set note = null where id = 1; delete from orders where id = 1")
    for type_, data in (
        ("I:id", "id=%zz"),
        ("I:id", "id=3&day=24.11.2026"),
        ("I:id", "id=4&day=2026-11-24&colour=%5Cx00ff"),
        ("R", None),
        ("I:id", f"id=5&day=2026-11-24&note={'x' * 1000}"),
        ("I:id", "id=6&day=2026-11-24&note=NULL"),
    ):
        orders.queue.insert(type_, data, "public.orders")
    orders.queue.insert("I:id", f"id=7&day=2026-11-24&note={'x' * 2_000_000}", "public.orders")
    orders.queue.insert("I:id", "id=8&day=2026-11-24", "public.elsewhere")
    source.execute("insert into orders values (9, '2026-11-24', 'the tenth'), (10, '2026-11-24', 'too many')")
    text = fine(keys)
    place = "public.orders_2026_11_24"
    lines = [line for line in text.splitlines() if re.match(r"job: events: \d+: ", line)]
    shown = [re.sub(r"^job: events: \d+: ", "", line) for line in lines]
    goes = f"insert of public.orders goes to {place} (to be created): "
    dead = "I:id of public.orders becomes a dead letter: "
    assert shown == [
        f"{goes}id=1 day=2026-11-24 note=" + r"'it''s = \x1b[1m'",
        f"update of public.orders goes to {place} (to be created): id=1 day=2026-11-24 note=NULL",
        f"delete of public.orders goes to {place}: id=1 day=2026-11-24 note=NULL",
        f"{dead}its data is not url-encoded: stray % at byte 3: 'id=%zz'",
        f"{dead}{GERMAN}: id=3 day=24.11.2026",
        f"{goes[:-3]}; public.orders has no column colour): id=4 day=2026-11-24 colour=\\x00ff",
        "truncate of public.orders empties public.orders: ",
        f"{goes}id=5 day=2026-11-24 note={'x' * 29}…",
        f"{goes}id=6 day=2026-11-24 note='NULL'",
        f"{goes}id=9 day=2026-11-24 note='the tenth'",
    ]


def test_events_that_where_leaves_out(source: Database, orders: Orders) -> None:
    """What becomes of rows that do not match."""
    keys = register(orders, where="note = x", row_mode="plain")
    source.execute("insert into orders values (1, '2026-11-24', 'x'), (2, '2026-11-24', 'y')")
    source.execute("update orders set note = 'z' where id = 1")
    orders.queue.tick()
    told = re.findall(r"events: \d+: (.*): id=", fine(keys))
    assert told == [
        "insert of public.orders goes to public.orders_2026_11_24 (to be created)",
        "insert of public.orders is ignored (where)",
        "update of public.orders removes its row from public.orders, if it is there (where)",
    ]


def test_only_what_the_consumer_has_before_it(source: Database, orders: Orders) -> None:
    """That is what was not visible at its last tick, and no event that another consumer wants again."""
    keys = register(orders)
    with source.another() as slow:
        slow.execute("begin; insert into orders values (100, '2026-11-24', 'slow')")
        orders.insert(3)
        drain(**keys)
        slow.execute("commit")
    source.execute(
        "select pgq.insert_event_raw('orders', null, now(), 4711, 1, 'I:id', 'id=5', 'public.orders', "
        "null, null, null)"
    )
    text = fine(keys)
    assert "the next 1:" in text
    assert "id=100" in text
    orders.queue.tick()
    drain(**keys)
    assert "none is pending; the newest 4:" in fine(keys)


def test_events_that_stop_the_job_are_faults(orders: Orders) -> None:
    """If they are before it; others show what the queue holds."""
    keys = register(orders, bad_events="stop")
    bad = orders.queue.insert("I:id", "id=%zz", "public.orders")
    orders.queue.tick()
    reason = f"{bad}: I:id of public.orders stops the job: its data is not url-encoded: stray % at byte 3"
    (fault,) = faults_of(keys)
    assert fault == f"cannot run job: events: {reason}: 'id=%zz'"
    assert reason in fine({**keys, "pgq_consumer_id": "new"})


def test_events_that_block_the_job_are_faults(orders: Orders) -> None:
    """Whatever becomes of bad ones: no row at all can be loaded."""
    keys = register(orders, part_field="", fields="id, note:remark")
    orders.insert(1)
    (fault,) = faults_of(keys)
    assert fault.startswith(
        "cannot run job: target: table public.orders has no column remark, which fields names ("
    )


def test_an_empty_queue(orders: Orders) -> None:
    """A row of today stands for the first event."""
    text = fine(orders.keys())
    assert re.search(r"a row of today goes to public.orders_\d{4}_\d\d_\d\d, which would be created", text)
    assert "the queue holds none" in text
    assert "primary key (id)" in statements(text)
