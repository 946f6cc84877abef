"""The check of the target: tables that rows cannot go into, and positions."""

from __future__ import annotations

import pytest
from harness.rows.check import faults_of, fine, register, statements
from harness.rows.job import act, drain
from harness.rows.orders import Orders
from harness.servers.database import Database

TABLE_FAULTS: dict[str, tuple[dict[str, object], str]] = {
    "no table": (
        {"dest_table": "nope", "part_template": ""},
        "there is no table public.nope, and no part_template that would create tables",
    ),
    "no parent for the template": (
        {"dest_table": "nope"},
        "there is no table public.nope, which part_template refers to as _PARENT",
    ),
    "a mistyped table": (
        {"dest_table": "Ordres", "part_template": ""},
        (
            "there is no table public.Ordres (did you mean public.orders?), "
            "and no part_template that would create tables"
        ),
    ),
    "a mistyped table for the template": (
        {"dest_table": "order"},
        (
            "there is no table public.order (did you mean public.orders?), "
            "which part_template refers to as _PARENT"
        ),
    ),
    "another schema's table": (
        {"dest_table": "archive.orders"},
        "there is no schema archive (did you mean table public.orders?); run there: create schema archive",
    ),
    "no schema": ({"dest_table": "s.nope"}, "there is no schema s; run there: create schema s"),
    "a sequence": (
        {"dest_table": "numbers", "part_field": ""},
        "public.numbers is nothing that rows can be put into",
    ),
    "a sequence to be cloned": (
        {"dest_table": "numbers", "part_template": ""},
        "public.numbers is nothing that rows can be put into",
    ),
    "a view to be cloned": (
        {"dest_table": "looking", "part_template": ""},
        "public.looking cannot be cloned for its partitions, and there is no part_template",
    ),
}


@pytest.mark.parametrize(("changes", "fault"), TABLE_FAULTS.values(), ids=TABLE_FAULTS)
def test_tables_that_rows_cannot_go_into(
    target: Database, orders: Orders, changes: dict[str, object], fault: str
) -> None:
    """Each is one fault, told once."""
    target.execute("create sequence numbers; create view looking as select * from orders")
    orders.insert(1)
    assert faults_of(orders.keys(**changes)) == [f"cannot run job: target: {fault}"]


def test_a_template_that_needs_no_parent(orders: Orders) -> None:
    """Then none has to be there, unless it takes the names of the key's columns from the parent."""
    template = "create table _DEST_TABLE (id int, day date, note text, primary key (id))"
    text = fine(orders.keys(dest_table="fresh", part_template=template))
    assert "there is no table public.fresh; part_template creates each of its partitions" in text
    assert "primary key (id))" in statements(text)
    text = fine(orders.keys(dest_table="fresh", part_template=template, part_field=""))
    assert "there is no table public.fresh; part_template creates it" in text
    assert "create table public.fresh (id int" in statements(text)
    keys = orders.keys(dest_table="fresh", part_template=template.replace("(id)", "(_PKEY)"))
    (fault,) = faults_of(keys)
    assert "part_template says _PKEY, and public.fresh has no column 'id'" in fault


def test_a_target_of_a_version_without_tick_times(target: Database, orders: Orders) -> None:
    """Where positions have no room for times, a look finds them, and the job keeps them, as ever."""
    keys = register(orders)
    target.execute("alter table tdsup.completed_tick drop column last_tick_time")
    orders.insert(3)
    assert "kept in tdsup.completed_tick; it is the source's" in fine(keys)
    drain(**keys)
    ticks = target.column("select last_tick_id from tdsup.completed_tick")
    assert ticks == [orders.queue.last_tick("job")]
    assert target.value("select count(*) from orders") == 3


def test_a_lost_position(target: Database, orders: Orders) -> None:
    """Before the job finds it, and with the command that repairs it."""
    keys = register(orders)
    orders.insert(1)
    drain(**keys)
    target.execute("update tdsup.completed_tick set last_tick_id = 4711")
    (fault,) = faults_of(keys)
    assert "Lost position: batch " in fault
    assert "dst has 4711 " in fault
    assert "the source is behind" in fault
    act("reset", keys)
    fine(keys)


def test_an_open_batch(source: Database, target: Database, orders: Orders) -> None:
    """The target may have it already: the job was killed before it closed it."""
    keys = register(orders)
    orders.insert(1)
    drain(**keys)
    orders.insert(1)
    source.execute("select pgq.next_batch('orders', 'job')")
    end = source.value("select next_tick from pgq.get_consumer_info('orders', 'job')")
    assert f"has a batch open up to tick {end}" in fine(keys)
    target.execute("update tdsup.completed_tick set last_tick_id = %s, last_tick_time = null", end)
    assert "it is the end of the source's open batch" in fine(keys)


def test_what_deleted_rows_keep(target: Database, orders: Orders) -> None:
    """A unique index besides the key stands in the way of new rows, unless it is partial."""
    target.execute("alter table orders add gone timestamptz, add primary key (id)")
    keys = orders.keys(part_field="", deleted_at="gone", row_mode="plain")
    assert "deleted_at" not in fine(keys)
    target.execute("create unique index on orders (note)")
    assert "warning: rows that deleted_at keeps keep note, too, which must be unique" in fine(keys)
    target.execute("drop index orders_note_idx; create unique index on orders (note) where gone is null")
    assert "deleted_at" not in fine(keys)
