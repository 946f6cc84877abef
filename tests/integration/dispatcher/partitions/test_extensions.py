"""Tables that TimescaleDB or Citus partitions: rows go through them, and no partition is made or removed.

Neither is installed here: stand-ins are what they tell of their tables, and what they make of them.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness.rows.check import as_role, faults_of, fine, mend
from harness.rows.job import drain
from harness.rows.orders import Orders
from harness.rows.pipeline import Pipeline
from harness.servers.database import Database
from tdsup.dispatcher.address import Address
from tdsup.dispatcher.partitions import MissingTable, Partitioning, TableMaker, Tables, period_of
from tdsup.dispatcher.postgres import TableName, connected

CHUNK = "_timescaledb_internal._hyper_1_1_chunk"

OLD = "_timescaledb_internal._hyper_1_2_chunk"

LIST = """
    create schema timescaledb_information;
    create view timescaledb_information.hypertables as
        select nspname as hypertable_schema, relname as hypertable_name
        from pg_class c join pg_namespace n on n.oid = relnamespace
        where obj_description(c.oid) = 'hypertable';
    grant usage on schema timescaledb_information to public;
    grant select on timescaledb_information.hypertables to public"""
"""TimescaleDB's view. Tables that a comment says it of are hypertables."""

EXTENSION = """
    insert into pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
        values (999999, 'timescaledb', 10, 'timescaledb_information'::regnamespace, false, '2.17.2');
    insert into pg_depend values ('pg_class'::regclass, 'timescaledb_information.hypertables'::regclass, 0,
        'pg_extension'::regclass, 999999, 0, 'e')"""
"""What makes it the extension's."""

HYPERTABLE = f"""
    comment on table {{0}} is 'hypertable';
    create schema _timescaledb_internal;
    create table {CHUNK} (check (day >= '2026-10-29' and day < '2026-11-05')) inherits ({{0}});
    create function route() returns trigger language plpgsql as
        'begin insert into {CHUNK} values (new.*); return null; end';
    create trigger route before insert on {{0}} for each row execute function route();
    grant usage on schema _timescaledb_internal to public; alter function route() security definer"""

CITUS = """
    set allow_system_table_mods = on;
    create table pg_catalog.pg_dist_partition (logicalrelid regclass not null, partmethod "char" not null);
    grant select on pg_catalog.pg_dist_partition to public;
    insert into pg_catalog.pg_dist_partition values ('t', 'h')"""

TABLES = "select count(*) from pg_class where relkind in ('r', 'p') and relname ~ '^_?(t|hyper|orders)_'"

TEMPLATES = {
    "clones": {"part_template": ""},
    "tables of their own": {"part_template": "", "part_kind": "alone"},
    "a template": {"part_template": "create table _DEST_TABLE () inherits (_PARENT)"},
}


def timescale(target: Database, table: str = "t") -> None:
    """Make a hypertable of a table."""
    target.execute(f"{LIST}; {EXTENSION}; {HYPERTABLE.format(table)}")


@pytest.mark.parametrize("mode", ["append", "plain"])
@pytest.mark.parametrize("keys", TEMPLATES.values(), ids=TEMPLATES)
def test_rows_of_a_hypertable(pipeline: Pipeline, keys: dict[str, Any], mode: str) -> None:
    """They go through it into chunks, however partitions would be made, and so do changes."""
    source, target = pipeline.source, pipeline.target
    timescale(target)
    pipeline.insert(6)
    assert pipeline.drain(row_mode=mode, **keys)["partitions"] == 0
    pipeline.check()
    source.execute("update t set note = 'new' where id = 1; delete from t where id = 2")
    pipeline.queue.tick()
    values = pipeline.drain(row_mode=mode, **keys)
    assert (values["partitions"], values["dead_letters"]) == (0, 0)
    if mode == "plain":
        rows = "select id, day, note from t order by id"
        assert target.rows(rows) == source.rows(rows)
    assert target.value("select count(*) from only t") == 0
    assert target.value(TABLES) == 1


def test_the_row_mode_of_a_hypertable(pipeline: Pipeline) -> None:
    """Its own unique indexes count, and no table is made to see others."""
    timescale(pipeline.target)
    pipeline.insert(3)
    pipeline.drain(part_template="create table _DEST_TABLE (id int, day date, note text)", row_mode="auto")
    pipeline.source.execute("update t set note = 'new'")
    pipeline.queue.tick()
    pipeline.drain(part_template="create table _DEST_TABLE (id int, day date, note text)", row_mode="auto")
    assert pipeline.target.column("select note from t") == ["new"] * 3


def test_maintenance_is_left_to_the_extension(pipeline: Pipeline) -> None:
    """No chunk goes, none is made ahead, and status says whose work that is."""
    target = pipeline.target
    timescale(target)
    target.execute(f"create table {OLD} (check (day >= '1999-01-01' and day < '1999-01-08')) inherits (t)")
    target.execute("create table t_1999_01_01 (like t)")
    keys = {"part_template": "", "premake": 2, "retention_period": "1 day", "retention_action": "drop"}
    pipeline.insert(1)
    with pipeline.running(**keys) as job:
        job.wait_for("running", rows=1, reason="add_retention_policy or drop_chunks")
    assert target.value(TABLES) == 3
    listed = [json.loads(line) for line in pipeline.act("partitions", "json", **keys)]
    assert {each["partition"]: (each["next"], each["why"]) for each in listed} == {
        CHUNK: ("keep", "TimescaleDB looks after it"),
        OLD: ("keep", "TimescaleDB looks after it"),
        "public.t_1999_01_01": ("keep", "TimescaleDB looks after it"),
    }


def test_rows_of_a_table_of_citus(pipeline: Pipeline) -> None:
    """They go through it, although it is natively partitioned; a day that has no partition gets none."""
    target = pipeline.target
    target.execute(
        "drop table t; create table t (id int, day date, note text) partition by range (day); "
        "create table t_first partition of t for values from ('2026-11-01') to ('2026-11-03'); "
        "create table t_2026_11_09 partition of t for values from ('2026-11-09') to ('2026-11-10')"
    )
    target.execute(CITUS)
    pipeline.insert(6)
    keys = {"part_template": "", "premake": 1, "retention_period": "1 day", "retention_action": "drop"}
    values = pipeline.drain(row_mode="append", **keys)
    assert (values["partitions"], values["partitions_premade"], values["dead_letters"]) == (0, 0, 2)
    assert target.column("select id from t order by id") == [1, 3, 4, 6]
    assert target.value(TABLES) == 2
    found = "\n".join(pipeline.act("check", **keys))
    assert "as it is a table of Citus; unset that, and use drop_old_time_partitions" in found
    assert "premake makes no partition of public.t, which is a table of Citus" in found


def test_a_view_of_somebody_else(pipeline: Pipeline) -> None:
    """It is not asked where TimescaleDB is not installed: its functions would run as the job's role."""
    target = pipeline.target
    target.execute(
        "create schema timescaledb_information; create table marks (); "
        "create function mark() returns name language sql as "
        "'insert into public.marks default values; select null::name';"
        "create view timescaledb_information.hypertables as "
        "select mark() as hypertable_schema, 't'::name as hypertable_name"
    )
    pipeline.insert(6)
    assert pipeline.drain(part_template="")["partitions"] == 3
    assert target.value("select count(*) from marks") == 0


def test_a_table_that_becomes_a_hypertable(pipeline: Pipeline) -> None:
    """While its partition is about to be made: there is none then."""
    target = pipeline.target
    partitioning = Partitioning(TableName("public", "t"), "day", "daily", "")
    missing = MissingTable(TableName("public", "t_2026_11_01"), period_of(b"2026-11-01", "daily"), ())
    assert missing.period
    with connected(Address("target", target.dsn), "test") as connection:
        tables = Tables(connection, partitioning)
        with connection:
            assert tables.place(missing.period).table is None
        timescale(target)
        assert not TableMaker(connection, tables, partitioning, "UTC").create(missing)
        with connection:
            assert tables.place(missing.period).table == partitioning.parent
    assert target.value(TABLES) == 1


@pytest.mark.parametrize("changes", [{"part_template": ""}, {}])
def test_the_check_of_a_hypertable(orders: Orders, role: str, changes: dict[str, object]) -> None:
    """It says where rows go, and asks for the rights to change them, which suffice."""
    timescale(orders.target, "orders")
    orders.target.execute(f'grant all on {CHUNK} to "{role}"')
    keys = as_role(orders, role, row_mode="plain", **changes)
    asked = []
    for _ in range(9):
        faults = faults_of(keys)
        if not faults:
            break
        for fault in faults:
            asked.append(fault)
            mend(orders, fault)
    assert not [fault for fault in asked if "owner to" in fault or "create on schema public" in fault]
    told = fine(keys)
    assert "public.orders is a hypertable of TimescaleDB: its rows go through it" in told
    assert "a row of today goes to public.orders, which is there" in told
    drain(**keys)
    orders.insert(3)
    assert drain(**keys)["rows"] == 3
    assert orders.target.value(TABLES) == 1
