"""The check of columns: those of the source that the job's file names."""

from __future__ import annotations

import pytest
from harness.rows.check import examined, faults_of, fine, register
from harness.rows.orders import Orders
from harness.servers.database import Database

FAULTS = {
    "fields": (
        {"fields": "id, day, nots:note"},
        "column nots, which fields names (did you mean note? there are: note, day, id)",
    ),
    "part_field": (
        {"part_field": "dya"},
        "column dya, which part_field names (did you mean day? there are: day, id, note)",
    ),
    "where": (
        {"where": "id > 1 and (size = 3 or note is null)"},
        "column size, which where names (there are: day, id, note)",
    ),
    "both": (
        {"part_field": "Day", "fields": "id, Day:day"},
        "column Day, which fields and part_field name (did you mean day? there are: day, id, note)",
    ),
    "nothing like it": (
        {"fields": "id, day, weight"},
        "column weight, which fields names (there are: day, id, note)",
    ),
}


@pytest.mark.parametrize(("changes", "fault"), FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("pending", [0, 3])
def test_a_column_that_the_source_lacks(
    orders: Orders, changes: dict[str, object], fault: str, pending: int
) -> None:
    """It is one fault, with the nearest name; events that stop the job for it are no faults of their own."""
    keys = register(orders, bad_events="stop")
    orders.insert(pending)
    facts, faults = examined({**keys, **changes})
    assert faults == [f"cannot run job: source: public.orders has no {fault}"]
    stopped = [fact for fact in facts if "stops the job, as told above: id=" in fact]
    assert len(stopped) == pending


def test_a_skipped_column_that_the_source_lacks(orders: Orders) -> None:
    """It is a fault too: what was meant would be loaded."""
    (fault,) = faults_of(orders.keys(skip_fields="nots, id"))
    assert "public.orders has no column nots, which skip_fields names (did you mean note?" in fault


def test_two_columns_are_two_faults(orders: Orders) -> None:
    """Each has a line of its own."""
    assert len(faults_of(orders.keys(fields="id, dy:day, nots:note"))) == 2


def test_a_column_of_one_of_several_tables(source: Database, orders: Orders) -> None:
    """It is enough; what none of them has is a fault that names them all."""
    source.execute(
        "create table other (id int primary key, weight int); create trigger other_orders after insert "
        "on other for each row execute function pgq.logutriga('orders')"
    )
    fine(orders.keys(fields="id, day, weight:note"))
    (fault,) = faults_of(orders.keys(fields="id, day, height:note"))
    assert "none of public.orders, public.other has a column height, which fields names (did you" in fault


def test_columns_of_a_partitioned_table(source: Database, orders: Orders) -> None:
    """Its partitions feed the queue under its name."""
    source.execute(
        "drop table orders; create table orders (id int, day date, note text) partition by range (day); "
        "create table p partition of orders default; create trigger t after insert on orders "
        "for each row execute function pgq.logutriga('orders')"
    )
    fine(orders.keys(fields="id, day, note"))
    (fault,) = faults_of(orders.keys(fields="id, day, nots"))
    assert "public.orders has no column nots, which fields names (did you mean note?" in fault


def test_columns_that_nobody_knows(source: Database, orders: Orders) -> None:
    """Without a trigger and without events of a table, producers may send what they like."""
    keys = orders.keys(fields="id, day, nots:note")
    source.execute("drop trigger orders_orders on orders")
    fine(keys)
    orders.queue.insert("I:id", "id=1&day=2026-11-24", "public.nowhere")
    orders.queue.tick()
    fine(keys)


def test_columns_of_events(source: Database, orders: Orders) -> None:
    """Events that could be a table's rows tell of its columns; others show that theirs are their own."""
    keys = register(orders, fields="id, day, nots:note")
    source.execute("drop trigger orders_orders on orders")
    orders.queue.insert("I:id", "id=1&day=2026-11-24&note=x", "public.orders")
    orders.queue.tick()
    (fault,) = faults_of(keys)
    assert "public.orders has no column nots, which fields names (did you mean note?" in fault
    orders.queue.insert("I:id", "id=2&day=2026-11-24&colour=red", "public.orders")
    orders.queue.tick()
    fine(keys)


def test_a_column_that_an_event_has(source: Database, orders: Orders) -> None:
    """A column that was dropped meanwhile, or that a producer adds to the rows of a trigger, is there."""
    keys = register(orders, fields="id, day, colour:note")
    orders.queue.insert("I:id", "id=1&day=2026-11-24&colour=red", "public.orders")
    orders.queue.tick()
    fine(keys)


def test_the_time_of_events_is_no_column(orders: Orders) -> None:
    """_EVTIME names none."""
    fine(orders.keys(part_field="_EVTIME", fields="id, note"))


def test_events_that_block_the_job_alike_are_one_fault(orders: Orders) -> None:
    """The first one tells it; of the others there is a note."""
    keys = register(orders, bad_events="stop")
    for number in range(3):
        orders.queue.insert("I:id", f"id={number}&note=%zz", "public.orders")
    orders.queue.tick()
    facts, (fault,) = examined(keys)
    reason = "its data is not url-encoded: stray % at byte 10"
    assert f"I:id of public.orders stops the job: {reason}: 'id=0&" in fault
    assert len([fact for fact in facts if "stops the job, as told above: 'id=" in fact]) == 2
    assert not any(reason in fact for fact in facts)


LACKS = {
    "a word": (
        {"fields": "*, _OP:notes"},
        "notes, which fields names (did you mean note? there are: note, day, id)",
    ),
    "a constant": ({"constants": "region: eu"}, "region, which constants names (there are: day, id, note)"),
    "another name": ({"fields": "*, note:body"}, "body, which fields names (there are: day, id, note)"),
}


@pytest.mark.parametrize(("changes", "fault"), LACKS.values(), ids=LACKS)
@pytest.mark.parametrize("pending", [0, 2])
def test_a_column_that_the_target_lacks(
    orders: Orders, changes: dict[str, object], fault: str, pending: int
) -> None:
    """It is one fault, with the nearest name, whether events wait or not."""
    keys = register(orders, part_field="")
    orders.insert(pending)
    facts, faults = examined({**keys, **changes})
    assert faults == [f"cannot run job: target: table public.orders has no column {fault}"]
    assert len([fact for fact in facts if "blocks the job, as told above" in fact]) == pending


def test_columns_that_will_be_added(orders: Orders) -> None:
    """Where the job adds them, or leaves them out, none is missing."""
    for choice in ("add", "ignore"):
        fine(orders.keys(constants="region: eu", part_field="", on_new_column=choice))
