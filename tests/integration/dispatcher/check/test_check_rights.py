"""The check of rights: what a role lacks, and no more than the job needs."""

from __future__ import annotations

import pytest
from harness.paths import PGQ_EXT
from harness.rows.check import as_role, examined, faults_of, fine, mend, register
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


def test_an_older_partition_of_somebody_else(target: Database, orders: Orders, role: str) -> None:
    """Rows of its time would block the job: that is told, with the grant."""
    keys = as_role(orders, role, row_mode="plain", part_template="")
    target.execute(
        "create table orders_2026_11_01 () inherits (orders);"
        "create table orders_2026_11_02 () inherits (orders);"
        f'grant all on orders, orders_2026_11_02 to "{role}"; alter table orders owner to "{role}"'
    )
    lines, _ = examined(keys)
    (told,) = [line for line in lines if "lacks rights to some partitions" in line]
    assert "grant insert, select, update, delete on public.orders_2026_11_01 to" in told
    target.execute(told.partition("run there: ")[2])
    assert not [line for line in examined(keys)[0] if "lacks rights to some" in line]


def test_a_default_partition_of_somebody_else(target: Database, orders: Orders, role: str) -> None:
    """Its rows go through the table: no right to it is needed, and none is asked for."""
    keys = as_role(orders, role, row_mode="append", part_template="", part_past="2026-11-01")
    target.execute(
        "drop table orders; create table orders (id int, day date, note text) partition by range (day);"
        "create table orders_rest partition of orders default;"
        f'grant all on orders to "{role}"; alter table orders owner to "{role}"'
    )
    assert not [line for line in examined(keys)[0] if "lacks rights to some" in line]


PARTITIONS = "orders_2026_11_01, orders_2026_11_02, orders_2026_11_03"

RIGHTS = {
    "insert on public.orders_2026_11_03": f"insert on {PARTITIONS} from",
    "update on public.orders_2026_11_03": f"update on {PARTITIONS} from",
    "select on public.orders_2026_11_03": f"select on {PARTITIONS} from",
    "delete on public.orders": "delete on orders from",
    "create on schema public": "create on schema public from public,",
    "usage on schema public": "usage on schema public from public,",
    "temporary on database": "temporary on database {database} from public,",
    "usage on schema tdsup": "usage on schema tdsup from",
    "select on tdsup.completed_tick": "select on tdsup.completed_tick from",
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
    mend(orders, fault)
    fine(keys)


PGQ_EXT_RIGHTS = {
    "usage on schema pgq_ext": "usage on schema pgq_ext from",
    "select on pgq_ext.completed_tick": "select on pgq_ext.completed_tick from",
    "insert, update on pgq_ext.completed_tick": "insert, update on pgq_ext.completed_tick from",
    "execute on function pgq_ext.get_last_tick(text)": "execute on function pgq_ext.get_last_tick(text) from "
    "public,",
    "execute on function pgq_ext.set_last_tick(text, bigint)": "execute on function "
    "pgq_ext.set_last_tick(text, bigint) from public,",
}
"""The same where pgq_ext keeps the position."""


@pytest.mark.parametrize(("missing", "revoked"), PGQ_EXT_RIGHTS.items(), ids=PGQ_EXT_RIGHTS)
def test_each_right_on_pgq_ext_is_missed(
    source: Database, target: Database, orders: Orders, role: str, missing: str, revoked: str
) -> None:
    """And by itself, as a statement that grants it."""
    target.execute(PGQ_EXT.read_text(encoding="utf-8"))
    keys = register(orders)
    source.execute(f'grant pgq_reader to "{role}"')
    target.execute(
        f'alter table orders owner to "{role}"; grant create on schema public to "{role}"; '
        f'grant usage on schema tdsup, pgq_ext to "{role}"; '
        f'grant all on all tables in schema tdsup, pgq_ext to "{role}"'
    )
    keys = as_role(orders, role)
    fine(keys)
    target.execute(f'revoke {revoked} "{role}"')
    (fault,) = faults_of(keys)
    assert f'run there: grant {missing} to "{role}"' in fault
    mend(orders, fault)
    fine(keys)


def test_functions_of_pgq_ext_that_run_as_their_owner(
    source: Database, target: Database, orders: Orders, role: str
) -> None:
    """Who runs them needs no right to their table."""
    target.execute(PGQ_EXT.read_text(encoding="utf-8"))
    for name in ("get_last_tick(text, text)", "set_last_tick(text, text, bigint)"):
        target.execute(f"alter function pgq_ext.{name} security definer")
    register(orders)
    source.execute(f'grant pgq_reader to "{role}"')
    target.execute(
        f'alter table orders owner to "{role}"; grant create on schema public to "{role}"; '
        f'grant usage on schema tdsup, pgq_ext to "{role}"; '
        f'grant all on all tables in schema tdsup to "{role}"'
    )
    fine(as_role(orders, role))


def test_the_least_that_gives_the_rights_to_pgq(source: Database, orders: Orders, role: str) -> None:
    """Its role for readers; where that is of no use, each right."""
    source.execute(
        f'revoke all on schema pgq from public; grant usage on schema pgq to "{role}"; '
        "revoke all on all tables in schema pgq from public"
    )
    keys = {**orders.keys(), "src_db": as_role(orders, role)["src_db"]}
    (fault,) = faults_of(keys)
    assert fault.endswith(f'; run there: grant pgq_reader to "{role}"')
    source.execute("revoke execute on function pgq.version() from public")
    (fault,) = faults_of(keys)
    assert "run there: grant execute on function pgq.version(), pgq.register_consumer_at(" in fault
    source.execute("grant execute on function pgq.version() to public")
    source.execute(f'grant pgq_reader to "{role}"; revoke select on pgq.tick from pgq_reader')
    source.execute("revoke execute on function pgq.finish_batch(bigint) from pgq_reader")
    (fault,) = faults_of(keys)
    assert fault == (
        f"cannot run job: source: role {role} may not run pgq.finish_batch(bigint) or read pgq.tick; "
        f'run there: grant execute on function pgq.finish_batch(bigint) to "{role}"; '
        f'grant select on pgq.tick to "{role}"'
    )
    mend(orders, fault)
    fine(keys)


def test_a_function_that_pgq_lacks(source: Database, orders: Orders) -> None:
    """No grant gives it."""
    source.execute("alter function pgq.finish_batch(bigint) rename to finish_batch_old")
    (fault,) = faults_of(orders.keys())
    assert "PgQ in schema pgq lacks pgq.finish_batch(bigint)" in fault
    assert "grant" not in fault


@pytest.mark.parametrize("which", ["source", "target"])
def test_the_right_to_connect(
    source: Database, target: Database, orders: Orders, role: str, which: str
) -> None:
    """A database that does not let the role in is a missing right, too."""
    database = {"source": source, "target": target}[which]
    name = database.value("select current_database()")
    keys = as_role(orders, role)
    database.execute(f"revoke connect on database {name} from public")
    fault, *others = [one for one in faults_of(keys) if f": {which}: " in one]
    assert fault.endswith(
        f'permission denied for database "{name}"; run there: grant connect on database {name} to "{role}"'
    )
    assert not others
    database.execute(fault.partition("run there: ")[2])
    assert not any("cannot be reached" in one for one in faults_of(keys))


@pytest.mark.parametrize("changes", [{}, {"part_template": ""}, {"part_field": "", "part_template": ""}])
def test_a_role_without_rights_is_told_each_once(
    source: Database, target: Database, orders: Orders, role: str, changes: dict[str, object]
) -> None:
    """One right that several things need is one fault; an owner needs no grants."""
    source.execute(f'grant pgq_reader to "{role}"')
    target.execute(f'grant usage on schema public to "{role}"')
    faults = faults_of(as_role(orders, role, row_mode="plain", **changes))
    remedies = [fault.partition("run there: ")[2] for fault in faults]
    database = target.value("select current_database()")
    on_orders = [
        f'grant create on schema public to "{role}"',
        f'alter table public.orders owner to "{role}"',
    ]
    if "part_field" in changes:
        on_orders = [f'grant insert, select, update, delete on public.orders to "{role}"']
    assert remedies == [*on_orders, f'grant create on database {database} to "{role}"']


LOOSE = "create table _DEST_TABLE (id int, day date, note text)"
"""Makes tables that are no children of another."""


@pytest.mark.parametrize(
    ("changes", "rights"),
    [
        ({"event_types": "I"}, "insert"),
        ({"event_types": "I, U"}, "insert, select, update"),
        ({"event_types": "D"}, "select, delete"),
        ({"event_types": "I, U", "part_field": "day", "part_template": LOOSE}, "select, delete"),
        ({"event_types": "D", "part_field": "day", "part_template": LOOSE}, "select, delete"),
        ({"event_types": "I", "deleted_at": "note"}, "insert, select, update, delete"),
        ({"event_types": "D", "deleted_at": "note"}, "select, update"),
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
