"""Updates and deletes find their rows by key, wherever the row is and however the key is written."""

from __future__ import annotations

import pytest
from harness.rows.job import RunningJob, drain, job_keys
from harness.rows.mirror import KEYED, Mirror
from harness.servers.database import Database
from harness.servers.queue import Queue


@pytest.mark.parametrize(
    ("parent", "template"),
    [
        ("create table t (id int, k2 text, day date, txt text, n numeric) partition by range (day)", ""),
        ("create table t (id int, k2 text, day date, txt text, n numeric)", ""),
        ("", f"create table _DEST_TABLE ({KEYED})"),
        (
            "create table t (id int, k2 text, day date, txt text, n numeric)",
            "create table _DEST_TABLE (like t, primary key (id, k2))",
        ),
    ],
    ids=["native", "inherited", "no parent", "parent apart"],
)
def test_rows_are_found_however_partitions_are_made(
    source: Database, target: Database, parent: str, template: str
) -> None:
    """Rows move between partitions of one parent, and between tables without a parent."""
    mirror = Mirror(source, target, "logutriga")
    keys = {"part_template": template, "row_mode": "plain"}
    target.execute("drop table t;" + parent)
    mirror.drain(**keys)
    source.execute("insert into t select g, '', date '2026-11-01' + g, 'x', 1 from generate_series(1, 3) g")
    mirror.drain(**keys)
    source.execute("update t set day = '2026-11-09' where id < 3; delete from t where id = 3")
    mirror.drain(**keys)
    found = target.column("select id from t_2026_11_09 order by id")
    assert found == [1, 2]
    assert [target.value(f"select count(*) from t_2026_11_0{day}") for day in (2, 3, 4)] == [0, 0, 0]
    source.execute("truncate t")
    mirror.queue.insert("R", "", "public.t")
    mirror.drain(**keys)
    assert target.value("select count(*) from t_2026_11_09") == 0


def test_rows_are_found_in_partitions_that_come(source: Database, target: Database, queue: Queue) -> None:
    """Made by hand while the job runs, and not attached: moves and deletes find their rows there."""
    made = "create table {} (id int primary key, day date, n int)"
    target.execute(f"{made.format('t')}; {made.format('t_2026_11_23')}")
    job = RunningJob(**job_keys(source, target, part_field="day", row_mode="plain"))
    with job:
        job.wait_for("running")
        queue.insert("D", "id='9'", "public.t")
        queue.send("id=1&day=2026-11-23&n=1", type_="U:id")
        job.wait_for("running", rows=1)
        target.execute(made.format("t_2026_11_24"))
        queue.send("id=2&day=2026-11-24&n=1", "id=3&day=2026-11-24&n=1", type_="U:id")
        job.wait_for("running", rows=3)
        queue.insert("D", "id='3'", "public.t")
        queue.send("id=2&day=2026-11-23&n=2", type_="U:id")
        job.wait_for("running", rows=5)
    assert target.rows("select id, n from t_2026_11_23 order by id") == [(1, 1), (2, 2)]
    assert target.rows("select id from t_2026_11_24") == []


def test_a_key_can_change_where_the_event_tells_the_old_one(source: Database, target: Database) -> None:
    """PgQ's triggers refuse such an update, but a producer may send it."""
    mirror = Mirror(source, target, "logutriga")
    source.execute("insert into t values (1, '', '2026-11-01', 'x', 1)")
    source.execute(
        "select pgq.insert_event('q', 'U:id,k2', 'id=5&k2=&day=2026-11-03&txt=y&n=1', 'public.t', "
        "'id=1&k2=&day=2026-11-01&txt=x&n=1', null, null)"
    )
    mirror.drain()
    assert target.rows("select id, txt from t") == [(5, "y")]
    source.execute(
        "select pgq.insert_event('q', 'D:id,k2', 'id=5&k2=&day=2026-11-03', 'public.t', null, null, null)"
    )
    mirror.drain()
    assert target.rows("select id, txt from t") == []


def test_keys_that_are_written_in_several_ways(source: Database, target: Database, queue: Queue) -> None:
    """A time in another zone, or a number with another zero, is the same key: the order is kept."""
    ddl = "create table t (at timestamptz, n numeric, txt text, primary key (at, n))"
    for database in (source, target):
        database.execute(ddl)
    keys = job_keys(source, target)
    drain(**keys)
    for type_, row in (
        ("I", "at=2026-11-24 12:00:00%2b00&n=1&txt=first"),
        ("U", "at=2026-11-24 13:00:00%2b01&n=1.0&txt=second"),
        ("I", "at=2026-11-25 12:00:00%2b00&n=1&txt=gone"),
        ("D", "at=2026-11-25 13:00:00%2b01&n=1.00&txt=gone"),
    ):
        queue.insert(f"{type_}:at,n", row, "public.t")
    queue.tick()
    drain(**keys)
    assert target.column("select txt from t") == ["second"]


def test_keys_that_are_equal_by_their_collation(source: Database, target: Database, queue: Queue) -> None:
    """Texts that differ name the same row: the order is kept."""
    target.execute(
        "create collation any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
        "create table t (id text collate any_case primary key, n int); insert into t values ('a', 0)"
    )
    keys = job_keys(source, target)
    drain(**keys)
    for type_, row in (
        ("U:id", "id=a&n=1"),
        ("U:id", "id=A&n=2"),
        ("U:id", "id=a&n=3"),
        ("I:id", "id=x&n=1"),
        ("D:id", "id=X&n=1"),
    ):
        queue.insert(type_, row, "public.t")
    queue.tick()
    assert drain(**keys)["dead_letters"] == 0
    assert target.rows("select id, n from t") == [("a", 3)]


def test_a_table_that_is_all_key(source: Database, target: Database, queue: Queue) -> None:
    """An update of it has nothing to change, or brings the row back."""
    target.execute("create table t (id int primary key); insert into t values (1)")
    keys = job_keys(source, target)
    drain(**keys)
    for number in (1, 2):
        queue.insert("U:id", f"id={number}", "public.t")
    queue.tick()
    assert drain(**keys)["rows"] == 2
    assert target.column("select id from t order by id") == [1, 2]
