"""Tables of every kind and name take rows, and changes of rows."""

from __future__ import annotations

import logging

import pytest
from harness.rows.job import Keys, drain
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.errors import SetupError
from tdsup.dispatcher.postgres.identifier import quote

NAMES = {
    "plain": ("t", "public", "t"),
    "a schema": ("s.t", "s", "t"),
    "upper case": ("Orders", "public", "Orders"),
    "quoted": ('"The Shop"."Or""ders.x"', "The Shop", 'Or"ders.x'),
    "a keyword": ("select.table", "select", "table"),
    "SQL": ('"t; drop table t; --"', "public", "t; drop table t; --"),
    "not ASCII": ("tellimused_õ", "public", "tellimused_õ"),
    "52 bytes, and the partition's 11 more": ("t" * 52, "public", "t" * 52),
}
"""Names as the ini file has them, with schema and table."""


@pytest.mark.parametrize(("dest_table", "schema", "table"), NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("part_field", ["", "day"], ids=["whole", "by day"])
def test_names(
    target: Database,
    queue: Queue,
    keys: Keys,
    dest_table: str,
    schema: str,
    table: str,
    part_field: str,
) -> None:
    """Tables and columns may be called anything."""
    columns = ['"Id"', "day", '"select"', '"a""b;--"', f'"{"c" * 63}"']
    name = f"{quote(schema)}.{quote(table)}"
    target.execute(f"create schema if not exists {quote(schema)}")
    target.execute(
        f"create table {name} ({columns[0]} int primary key, day date, {' text, '.join(columns[2:])} text)"
    )
    row = f"Id=1&day=2026-11-24&select=x&a%22b%3b--=y&{'c' * 63}=z"
    queue.send(row, row.replace("Id=1", "Id=2"), type_="I:Id")
    queue.send(row.replace("=x", "=new"), type_="U:Id")
    queue.send(row.replace("Id=1", "Id=2"), type_="D:Id")
    assert drain(**{**keys, "dest_table": dest_table, "part_field": part_field})["dead_letters"] == 0
    where = f"{quote(schema)}.{quote(table + '_2026_11_24')}" if part_field else name
    assert target.rows(f"select * from {where}") == [
        (1, target.value("select date '2026-11-24'"), "new", "y", "z")
    ]


def test_a_view(target: Database, queue: Queue, keys: Keys) -> None:
    """Rows go through it; bad ones are found there too."""
    target.execute(
        "create table base (id int primary key, n int check (n < 9));"
        "create view t as select id, n from base where n > 0 with check option"
    )
    queue.send("id=1&n=1", "id=2&n=2", "id=3&n=99", "id=4&n=-1", "id=5&n=5")
    queue.send("id=1&n=3", type_="U:id")
    queue.send("id=2&n=2", type_="D:id")
    values = drain(**keys, row_mode="plain")
    assert target.rows("select id, n from base order by id") == [(1, 3), (5, 5)]
    assert (values["rows"], values["dead_letters"]) == (5, 2)
    assert target.column("select sqlstate from tdsup.dead_letter order by ev_id") == ["23514", "44000"]


def test_a_view_with_a_trigger(target: Database, queue: Queue, keys: Keys) -> None:
    """What its trigger makes of a row is its own business."""
    target.execute("""
        create table base (id int primary key, n int);
        create view t as select id, n from base;
        create function double() returns trigger language plpgsql as
            $$ begin insert into base values (new.id, new.n * 2); return new; end $$;
        create trigger double instead of insert on t for each row execute function double()
    """)
    queue.send("id=1&n=1", "id=2&n=2")
    drain(**keys)
    assert target.rows("table base order by id") == [(1, 2), (2, 4)]


def test_a_foreign_table(target: Database, queue: Queue, keys: Keys) -> None:
    """Rows and changes travel on; a server that is away is told as its own error."""
    target.execute("create extension postgres_fdw; create schema far")
    socket, port, database = target.rows(
        "select current_setting('unix_socket_directories'), current_setting('port'), current_database()"
    )[0]
    target.execute(
        "create table far.t (id int primary key, n int check (n < 9));"
        f"create server there foreign data wrapper postgres_fdw options (host '{socket}', port '{port}', "
        f"dbname '{database}'); create user mapping for current_user server there;"
        "create foreign table t (id int, n int) server there options (schema_name 'far')"
    )
    queue.send("id=1&n=1", "id=2&n=2", "id=3&n=99", "id=4&n=4")
    queue.send("id=1&n=3", type_="U:id")
    queue.send("id=2&n=2", type_="D:id")
    values = drain(**keys, row_mode="plain")
    assert target.rows("table far.t order by id") == [(1, 3), (4, 4)]
    assert (values["rows"], values["dead_letters"]) == (5, 1)


def test_a_native_parent_without_part_field(target: Database, queue: Queue, keys: Keys) -> None:
    """PostgreSQL routes the rows; one that has no partition is a dead letter."""
    target.execute(
        "create table t (id int, day date, primary key (id, day)) partition by range (day);"
        "create table t_old partition of t for values from ('2026-01-01') to ('2026-02-01');"
        "create table t_new partition of t for values from ('2026-02-01') to ('2026-03-01')"
    )
    queue.send("id=1&day=2026-01-05", "id=2&day=2026-02-05", "id=3&day=2026-07-01")
    queue.send("id=1&day=2026-02-07", type_="U:id")
    values = drain(**keys)
    assert target.rows("select tableoid::regclass::text, id from t order by id") == [
        ("t_new", 1),
        ("t_new", 2),
    ]
    assert (values["rows"], values["dead_letters"]) == (3, 1)
    assert target.value("select reason from tdsup.dead_letter").startswith(
        'no partition of relation "t" found'
    )


def test_missing_grants_are_named(target: Database, queue: Queue, keys: Keys) -> None:
    """The job is blocked and loses nothing."""
    database = target.value("select current_database()")
    role = f"reader_{database}"
    target.execute(
        f"create table t (id int); create role {role} login; grant select on t to {role};"
        f"grant usage on schema tdsup to {role}; grant all on tdsup.completed_tick to {role}"
    )
    try:
        queue.send("id=1")
        limited = {**keys, "dst_db": f"{target.dsn} user={role}"}
        with pytest.raises(
            SetupError, match=r"cannot load batch \d+ of queue q: permission denied for table t \(42501\)"
        ):
            drain(**limited)
        target.execute(f"grant insert on t to {role}")
        assert drain(**limited)["rows"] == 1
    finally:
        target.execute(f"drop owned by {role}; drop role {role}")


def test_a_key_changes_without_the_right_to_delete(target: Database, queue: Queue, keys: Keys) -> None:
    """A job that loads no deletes needs no such right."""
    role = f"updater_{target.value('select current_database()')}"
    target.execute(
        f"create table t (id int primary key, n int); insert into t values (1, 1); create role {role} login; "
        f"grant insert, select, update on t to {role};"
        f"grant usage on schema tdsup to {role}; grant all on all tables in schema tdsup to {role}"
    )
    try:
        queue.insert("U:id", "id=7&n=1", "public.t")
        queue.source.execute(
            "select pgq.insert_event('q', 'U:id', 'id=2&n=2', 'public.t', 'id=1&n=1', null, null)"
        )
        queue.tick()
        drain(**{**keys, "dst_db": f"{target.dsn} user={role}", "event_types": "I, U"})
        assert target.rows("select * from t order by id") == [(2, 2), (7, 1)]
    finally:
        target.execute(f"drop owned by {role}; drop role {role}")


def test_1600_columns(source: Database, target: Database, queue: Queue, keys: Keys) -> None:
    """As many as PostgreSQL has."""
    columns = ", ".join(f"c{number} bool" for number in range(1599))
    for database in (source, target):
        database.execute(f"create table t (id int, {columns})")
    queue.attach("t")
    source.execute("insert into t (id, c0, c1598) values (1, true, false)")
    queue.tick()
    assert drain(**keys)["rows"] == 1
    assert target.rows("select id, c0, c1, c1598 from t") == [(1, True, None, False)]


def test_rows_of_several_tables_are_told_once(
    target: Database, queue: Queue, keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    """A queue that mixes tables into one dest_table is loaded as with the original, with one warning."""
    target.execute("create table t (id int)")
    with caplog.at_level(logging.WARNING):
        for number in range(3):
            queue.send(f"id={number}", table="public.t")
            queue.send(f"id={number}", table="public.u")
        drain(**keys)
    (record,) = caplog.records
    mixed = "queue q carries rows of several tables into public.t (public.t, public.u)"
    assert record.message == f"job: {mixed}; table_filter would choose"
    queue.send("", type_="R", table="public.u")
    assert drain(**keys, table_filter="u", row_mode="plain", event_types="R")["rows"] == 1


def test_a_truncate_of_one_of_several_tables_is_a_dead_letter(
    target: Database, queue: Queue, keys: Keys
) -> None:
    """Rows of the other table would go with it."""
    target.execute("create table t (id int)")
    queue.send("id=1", table="public.t")
    queue.send("id=2", table="public.u")
    queue.send("", type_="R", table="public.u")
    assert drain(**keys, row_mode="plain", event_types="I, R")["dead_letters"] == 1
    assert target.value("select count(*) from t") == 2


def test_a_table_called_like_a_line_number(target: Database, queue: Queue, keys: Keys) -> None:
    """Its name is not taken for the place of a bad row."""
    target.execute('create table "a, b2" (id int, n int)')
    queue.send(*(f"id={number}&n={'x' if number == 5 else 1}" for number in range(1, 9)))
    drain(**{**keys, "dest_table": '"a, b2"'})
    assert target.column('select id from "a, b2" order by id') == [1, 2, 3, 4, 6, 7, 8]
