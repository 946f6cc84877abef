"""The check of rights: what a role lacks, and no more than the job needs."""

from __future__ import annotations

import pytest
from harness.rows.check import as_role, faults_of, fine, mend, register
from harness.rows.job import drain
from harness.rows.orders import Orders
from harness.servers.database import Database


@pytest.mark.parametrize("changes", [{}, {"part_template": ""}, {"part_field": "", "part_template": ""}])
def test_what_it_asks_for_is_enough(
    source: Database, target: Database, orders: Orders, role: str, changes: dict[str, object]
) -> None:
    """A role that got nothing but what the faults ask for loads rows of all kinds, and dead letters."""
    source.execute("revoke all on schema pgq from public; revoke all on all tables in schema pgq from public")
    keys = as_role(orders, role, row_mode="plain", **changes)
    for _ in range(9):
        faults = faults_of(keys)
        if not faults:
            break
        for fault in faults:
            mend(orders, fault)
    fine(keys)
    drain(**keys)
    orders.insert(3)
    source.execute("update orders set note = 'new' where id = 1; delete from orders where id = 2")
    source.execute("update orders set day = '2026-12-24' where id = 3")
    orders.queue.insert("I:id", "id=%zz", "public.orders")
    orders.queue.tick()
    values = drain(**keys)
    assert (values["rows"], values["dead_letters"]) == (6, 1)
    assert target.rows("select * from orders order by id") == source.rows("select * from orders order by id")
    fine(keys)


PARTITIONS = "orders_2026_11_01, orders_2026_11_02, orders_2026_11_03"

RIGHTS = {
    "insert on public.orders_2026_11_03": f"insert on {PARTITIONS} from",
    "update on public.orders_2026_11_03": f"update on {PARTITIONS} from",
    "select on public.orders_2026_11_03": f"select on {PARTITIONS} from",
    "delete on public.orders": "delete on orders from",
    "create on schema public": "create on schema public from public,",
    "usage on schema public": "usage on schema public from public,",
    "temporary on database": "temporary on database {database} from public,",
    "insert, update on tdsup.completed_tick": "insert, update on tdsup.completed_tick from",
    "insert on tdsup.dead_letter": "insert on tdsup.dead_letter from",
}
"""Each right with what takes it."""


@pytest.mark.parametrize(("missing", "revoked"), RIGHTS.items(), ids=RIGHTS)
def test_each_right_is_missed(
    source: Database, target: Database, orders: Orders, role: str, missing: str, revoked: str
) -> None:
    """And by itself: all others are there."""
    keys = register(orders)
    orders.insert(3)
    orders.queue.insert("I:id", "id=%zz", "public.orders")
    orders.queue.tick()
    drain(**keys)
    database = target.value("select current_database()")
    source.execute(f'grant pgq_reader to "{role}"')
    target.execute(
        f'alter table orders owner to "{role}"; grant create on schema public to "{role}"; '
        f'grant all on {PARTITIONS} to "{role}"; grant usage on schema tdsup to "{role}"; '
        f'grant all on all tables in schema tdsup to "{role}"'
    )
    keys = as_role(orders, role)
    fine(keys)
    target.execute(f'revoke {revoked.format(database=database)} "{role}"')
    (fault,) = faults_of(keys)
    assert f"run there: grant {missing}" in fault


@pytest.mark.parametrize(
    ("changes", "rights"),
    [
        ({"event_types": "I"}, "insert"),
        ({"event_types": "I, U"}, "insert, select, update"),
        ({"event_types": "D"}, "select, delete"),
        ({"event_types": "I, U", "part_field": "day"}, "select, delete"),
        ({"event_types": "D", "part_field": "day"}, "select, delete"),
        ({"row_mode": "keep_all"}, "insert"),
        ({"row_mode": "append"}, "insert"),
        ({"row_mode": "auto"}, "insert"),
        ({"table_filter": "orders"}, "insert, select, update, delete"),
        ({"table_filter": "nobody"}, "insert, select, update, delete"),
        (
            {"table_filter": "nobody", "event_types": "I, U, D, R"},
            "insert, select, update, delete, truncate",
        ),
    ],
)
def test_only_the_rights_that_the_job_needs(
    source: Database, orders: Orders, role: str, changes: dict[str, object], rights: str
) -> None:
    """They follow from what triggers send and what the job's file lets in."""
    source.execute(f'grant pgq_reader to "{role}"; create table nobody (id int)')
    faults = faults_of(as_role(orders, role, **{"part_field": "", "row_mode": "plain", **changes}))
    assert f'run there: grant {rights} on public.orders to "{role}"' in "\n".join(faults)


def test_a_view_takes_rows_through_a_staging_table(
    source: Database, target: Database, orders: Orders, role: str
) -> None:
    """So the role must be able to read it, and to create temporary tables."""
    target.execute("create view looking as select * from orders")
    target.execute(f'grant insert on looking to "{role}"; grant create on schema public to "{role}"')
    target.execute(f"revoke temporary on database {target.value('select current_database()')} from public")
    source.execute(f'grant pgq_reader to "{role}"')
    keys = as_role(orders, role, dest_table="looking", part_field="", bad_events="stop", event_types="I")
    faults = "\n".join(faults_of(keys))
    assert "grant select on public.looking" in faults
    assert "grant temporary on database" in faults
