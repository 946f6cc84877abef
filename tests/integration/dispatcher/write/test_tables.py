"""Tables of every kind and name, and columns that come and go."""

from __future__ import annotations

import logging

import pytest
from harness.rows.job import RunningJob, drain
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.errors import SetupError
from tdsup.dispatcher.postgres.identifier import quote


@pytest.fixture
def keys(source: Database, target: Database, queue: Queue) -> dict[str, object]:
    """Keys of a job on the queue; its consumer is registered."""
    keys: dict[str, object] = {"src_db": source.dsn, "dst_db": target.dsn, "pgq_queue_name": queue.name}
    drain(**keys, dest_table="t")
    return keys


def send(queue: Queue, *rows: str, type_: str = "I:id", table: str = "public.t") -> None:
    """Put encoded rows into the queue and close the tick."""
    for row in rows:
        queue.insert(type_, row, table)
    queue.tick()


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
    keys: dict[str, object],
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
    send(queue, row, row.replace("Id=1", "Id=2"), type_="I:Id")
    send(queue, row.replace("=x", "=new"), type_="U:Id")
    send(queue, row.replace("Id=1", "Id=2"), type_="D:Id")
    assert drain(**keys, dest_table=dest_table, part_field=part_field)["dead_letters"] == 0
    where = f"{quote(schema)}.{quote(table + '_2026_11_24')}" if part_field else name
    assert target.rows(f"select * from {where}") == [
        (1, target.value("select date '2026-11-24'"), "new", "y", "z")
    ]


def test_a_view(target: Database, queue: Queue, keys: dict[str, object]) -> None:
    """Rows go through it; bad ones are found there too."""
    target.execute(
        "create table base (id int primary key, n int check (n < 9));"
        "create view t as select id, n from base where n > 0 with check option"
    )
    send(queue, "id=1&n=1", "id=2&n=2", "id=3&n=99", "id=4&n=-1", "id=5&n=5")
    send(queue, "id=1&n=3", type_="U:id")
    send(queue, "id=2&n=2", type_="D:id")
    values = drain(**keys, dest_table="t")
    assert target.rows("select id, n from base order by id") == [(1, 3), (5, 5)]
    assert (values["rows"], values["dead_letters"]) == (5, 2)
    assert target.column("select sqlstate from tdsup.dead_letter order by ev_id") == ["23514", "44000"]


def test_a_view_with_a_trigger(target: Database, queue: Queue, keys: dict[str, object]) -> None:
    """What its trigger makes of a row is its own business."""
    target.execute("""
        create table base (id int primary key, n int);
        create view t as select id, n from base;
        create function double() returns trigger language plpgsql as
            $$ begin insert into base values (new.id, new.n * 2); return new; end $$;
        create trigger double instead of insert on t for each row execute function double()
    """)
    send(queue, "id=1&n=1", "id=2&n=2")
    drain(**keys, dest_table="t")
    assert target.rows("table base order by id") == [(1, 2), (2, 4)]


def test_a_foreign_table(target: Database, queue: Queue, keys: dict[str, object]) -> None:
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
    send(queue, "id=1&n=1", "id=2&n=2", "id=3&n=99", "id=4&n=4")
    send(queue, "id=1&n=3", type_="U:id")
    send(queue, "id=2&n=2", type_="D:id")
    values = drain(**keys, dest_table="t")
    assert target.rows("table far.t order by id") == [(1, 3), (4, 4)]
    assert (values["rows"], values["dead_letters"]) == (5, 1)


def test_a_native_parent_without_part_field(target: Database, queue: Queue, keys: dict[str, object]) -> None:
    """PostgreSQL routes the rows; one that has no partition is a dead letter."""
    target.execute(
        "create table t (id int, day date, primary key (id, day)) partition by range (day);"
        "create table t_old partition of t for values from ('2026-01-01') to ('2026-02-01');"
        "create table t_new partition of t for values from ('2026-02-01') to ('2026-03-01')"
    )
    send(queue, "id=1&day=2026-01-05", "id=2&day=2026-02-05", "id=3&day=2026-07-01")
    send(queue, "id=1&day=2026-02-07", type_="U:id")
    values = drain(**keys, dest_table="t")
    assert target.rows("select tableoid::regclass::text, id from t order by id") == [
        ("t_new", 1),
        ("t_new", 2),
    ]
    assert (values["rows"], values["dead_letters"]) == (3, 1)
    assert target.value("select reason from tdsup.dead_letter").startswith(
        'no partition of relation "t" found'
    )


def test_days_of_a_timestamptz_parent_are_the_source_s(
    source: Database, target: Database, queue: Queue, keys: dict[str, object]
) -> None:
    """Source and target may be in different time zones: a day's rows fit its partition."""
    for database, zone in ((source, "America/New_York"), (target, "Asia/Tokyo")):
        name = database.value("select current_database()")
        database.execute(f"alter database {name} set TimeZone = '{zone}'")
        database.reconnect()
    source.execute("create table t (id int primary key, at timestamptz)")
    queue.attach("t")
    target.execute("create table t (id int, at timestamptz, primary key (id, at)) partition by range (at)")
    source.execute(
        "insert into t select g, timestamptz '2026-11-24 00:30' + g * interval '1 h' "
        "from generate_series(0, 47) g"
    )
    queue.tick()
    values = drain(**keys, dest_table="t", part_field="at")
    assert (values["rows"], values["dead_letters"], values["partitions"]) == (48, 0, 2)
    assert target.rows("select id, at from t order by id") == source.rows("select id, at from t order by id")


def test_missing_grants_are_named(target: Database, queue: Queue, keys: dict[str, object]) -> None:
    """The job is blocked and loses nothing."""
    database = target.value("select current_database()")
    role = f"reader_{database}"
    target.execute(
        f"create table t (id int); create role {role} login; grant select on t to {role};"
        f"grant usage on schema tdsup to {role}; grant all on tdsup.completed_tick to {role}"
    )
    try:
        send(queue, "id=1")
        limited = {**keys, "dst_db": f"{target.dsn} user={role}", "dest_table": "t"}
        with pytest.raises(
            SetupError, match=r"cannot load batch \d+ of queue q: permission denied for table t \(42501\)"
        ):
            drain(**limited)
        target.execute(f"grant insert on t to {role}")
        assert drain(**limited)["rows"] == 1
    finally:
        target.execute(f"drop owned by {role}; drop role {role}")


def test_columns_that_change_within_a_batch(target: Database, queue: Queue, keys: dict[str, object]) -> None:
    """Each row brings its own, and none is lost."""
    target.execute("create table t (id int primary key, a text, b text default 'none')")
    send(queue, "id=1&a=1", "id=2&b=2", "b=3&id=3&a=3", "id=4")
    drain(**keys, dest_table="t")
    assert target.rows("table t order by id") == [
        (1, "1", "none"),
        (2, None, "2"),
        (3, "3", "3"),
        (4, None, "none"),
    ]


def test_1600_columns(source: Database, target: Database, queue: Queue, keys: dict[str, object]) -> None:
    """As many as PostgreSQL has."""
    columns = ", ".join(f"c{number} bool" for number in range(1599))
    for database in (source, target):
        database.execute(f"create table t (id int, {columns})")
    queue.attach("t")
    source.execute("insert into t (id, c0, c1598) values (1, true, false)")
    queue.tick()
    assert drain(**keys, dest_table="t")["rows"] == 1
    assert target.rows("select id, c0, c1, c1598 from t") == [(1, True, None, False)]


PARTED = {"part_field": "day", "dest_table": "t"}


@pytest.fixture
def growing(source: Database, target: Database, queue: Queue, keys: dict[str, object]) -> dict[str, object]:
    """A table of the source that has got columns that the target lacks, and rows with them."""
    source.execute("create table t (id int primary key, day date)")
    target.execute("create table t (id int primary key, day date)")
    queue.attach("t")
    source.execute("insert into t values (1, '2026-11-24')")
    queue.tick()
    drain(**keys, **PARTED)
    source.execute("create type color as enum ('red')")
    source.execute('alter table t add "Price" numeric(9,2), add tags text[], add c color')
    source.execute(
        "insert into t values (2, '2026-11-24', 1.50, '{a,b}', 'red'), (3, '2026-11-25', 2, null, null)"
    )
    queue.tick()
    return keys


def test_new_columns_are_dead_letters(target: Database, growing: dict[str, object]) -> None:
    """By default: nothing of a row is dropped in silence; once the column is there, rows load."""
    values = drain(**growing, **PARTED)
    assert values["dead_letters"] == 2
    assert target.column("select reason from tdsup.dead_letter") == [
        "table public.t_2026_11_24 has no column Price, c, tags (on_new_column)",
        "table public.t_2026_11_25 has no column Price, c, tags (on_new_column)",
    ]


def test_a_column_that_is_added_by_hand_is_noticed(
    source: Database, target: Database, queue: Queue, growing: dict[str, object]
) -> None:
    """By a running job, at its next batch."""
    with RunningJob(**growing, **PARTED) as job:
        job.wait_for("running", rows=0)
        target.wait_for("select to_regclass('tdsup.dead_letter') is not null")
        target.wait_for("select count(*) = 2 from tdsup.dead_letter")
        target.execute('alter table t add "Price" numeric, add tags text[], add c text')
        source.execute("insert into t values (4, '2026-11-24', 4, '{}', 'red')")
        queue.tick()
        job.wait_for("running", rows=1)
    assert target.rows('select id, "Price", tags, c from t where id > 1') == [(4, 4, [], "red")]


def test_new_columns_are_ignored_if_so_set(target: Database, growing: dict[str, object]) -> None:
    """The rest of the row loads."""
    assert drain(**growing, **PARTED, on_new_column="ignore")["rows"] == 2
    assert target.column("select id from t order by id") == [1, 2, 3]


@pytest.mark.parametrize(
    "template",
    ["", "create table _DEST_TABLE (like _PARENT including all)"],
    ids=["children", "on their own"],
)
def test_new_columns_are_added_if_so_set(
    source: Database, target: Database, growing: dict[str, object], template: str
) -> None:
    """To parent and partitions, with their types in the source; text where the target has no such type."""
    drain(**growing, **PARTED, on_new_column="add", part_template=template)
    types = target.column(
        "select format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = 't_2026_11_24'::regclass and attnum > 2 order by attname"
    )
    assert types == ["numeric(9,2)", "text", "text[]"]
    rows = target.rows('select id, "Price", tags, c from t_2026_11_24 where id > 1')
    assert rows == source.rows('select id, "Price", tags, c::text from t where id = 2')
    assert target.value("select count(*) from t_2026_11_25") == 1


def test_rows_of_several_tables_are_told_once(
    target: Database, queue: Queue, keys: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    """A queue that mixes tables into one dest_table is loaded as with the original, with one warning."""
    target.execute("create table t (id int)")
    with caplog.at_level(logging.WARNING):
        for number in range(3):
            send(queue, f"id={number}", table="public.t")
            send(queue, f"id={number}", table="public.u")
        drain(**keys, dest_table="t")
    (record,) = caplog.records
    mixed = "queue q carries rows of several tables into public.t (public.t, public.u)"
    assert record.message == f"job: {mixed}; table_filter would choose"
    send(queue, "", type_="R", table="public.u")
    assert drain(**keys, dest_table="t", table_filter="u")["rows"] == 1


def test_a_truncate_of_one_of_several_tables_is_a_dead_letter(
    target: Database, queue: Queue, keys: dict[str, object]
) -> None:
    """Rows of the other table would go with it."""
    target.execute("create table t (id int)")
    send(queue, "id=1", table="public.t")
    send(queue, "id=2", table="public.u")
    send(queue, "", type_="R", table="public.u")
    assert drain(**keys, dest_table="t")["dead_letters"] == 1
    assert target.value("select count(*) from t") == 2


def test_a_partition_dropped_before_a_change(
    source: Database, target: Database, queue: Queue, keys: dict[str, object]
) -> None:
    """An update brings its row back into a new partition; a delete has nothing to do."""
    target.execute("create table t (id int primary key, day date)")
    send(queue, "id=1&day=2026-11-24", "id=2&day=2026-11-24")
    with RunningJob(**keys, **PARTED) as job:
        job.wait_for("running", rows=2)
        target.execute("drop table t_2026_11_24")
        send(queue, "id=1&day=2026-11-24", type_="U:id")
        job.wait_for("running", rows=3)
        target.execute("drop table t_2026_11_24")
        send(queue, "id=1&day=2026-11-24", type_="D:id")
        send(queue, "id=3&day=2026-11-25")
        job.wait_for("running", rows=4)
    assert target.column("select id from t") == [3]


@pytest.mark.parametrize("name", ["", "%00", "x" * 64, "ctid"])
def test_a_name_that_no_column_can_have_is_not_added(
    target: Database, queue: Queue, keys: dict[str, object], name: str
) -> None:
    """Its event is a dead letter, not the end of the job."""
    target.execute("create table t (id int)")
    send(queue, f"id=1&{name}=2", "id=3")
    values = drain(**keys, dest_table="t", on_new_column="add")
    assert (values["rows"], values["dead_letters"]) == (1, 1)
    assert target.value("select reason from tdsup.dead_letter").startswith("no column can be called ")


def test_a_table_called_like_a_line_number(target: Database, queue: Queue, keys: dict[str, object]) -> None:
    """Its name is not taken for the place of a bad row."""
    target.execute('create table "a, b2" (id int, n int)')
    send(queue, *(f"id={number}&n={'x' if number == 5 else 1}" for number in range(1, 9)))
    drain(**keys, dest_table='"a, b2"')
    assert target.column('select id from "a, b2" order by id') == [1, 2, 3, 4, 6, 7, 8]


@pytest.mark.parametrize("policy", ["dead_letter", "add", "ignore"])
def test_a_column_that_the_target_generates(
    source: Database, target: Database, queue: Queue, keys: dict[str, object], policy: str
) -> None:
    """It computes its own value, whatever becomes of columns that it lacks."""
    for database in (source, target):
        database.execute(
            "create table t (id int primary key, a int, b int generated always as (a * 2) stored)"
        )
    queue.attach("t")
    source.execute("insert into t values (1, 2), (2, 3); update t set a = 5 where id = 2")
    queue.tick()
    assert drain(**keys, dest_table="t", on_new_column=policy)["dead_letters"] == 0
    assert target.rows("table t order by id") == [(1, 2, 4), (2, 5, 10)]


def test_partitions_of_unequal_columns(target: Database, queue: Queue, keys: dict[str, object]) -> None:
    """A change of some columns looks into those partitions that have them."""
    target.execute(
        "create table t_2026_01_01 (id int, day date, c text); create table t_2026_01_02 (id int, day date);"
        "insert into t_2026_01_01 values (1, '2026-01-01', 'old'); insert into t_2026_01_02 values (2)"
    )
    send(queue, "c='new' where id='1'", "c='new' where id='2'", type_="U")
    values = drain(**keys, **PARTED)
    assert (values["rows"], values["dead_letters"]) == (1, 1)
    assert target.column("select c from t_2026_01_01") == ["new"]
