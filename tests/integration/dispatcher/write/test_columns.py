"""Columns that come, that go, and that only one side has."""

from __future__ import annotations

import pytest
from harness.rows.job import Keys, RunningJob, drain
from harness.servers.database import Database
from harness.servers.queue import Queue

BY_DAY = {"part_field": "day"}


@pytest.fixture
def growing(source: Database, target: Database, queue: Queue, keys: Keys) -> Keys:
    """A source table with new columns that the target lacks, and rows with values in them."""
    source.execute("create table t (id int primary key, day date)")
    target.execute("create table t (id int primary key, day date)")
    queue.attach("t")
    source.execute("insert into t values (1, '2026-11-24')")
    queue.tick()
    drain(**keys, **BY_DAY)
    source.execute("create type color as enum ('red')")
    source.execute('alter table t add "Price" numeric(9,2), add tags text[], add c color')
    source.execute(
        "insert into t values (2, '2026-11-24', 1.50, '{a,b}', 'red'), (3, '2026-11-25', 2, null, null)"
    )
    queue.tick()
    return keys


def test_new_columns_are_dead_letters(target: Database, growing: dict[str, object]) -> None:
    """By default: no part of a row is dropped in silence."""
    values = drain(**growing, **BY_DAY)
    assert values["dead_letters"] == 2
    assert target.column("select reason from tdsup.dead_letter") == [
        "table public.t_2026_11_24 has no column Price, c, tags (on_new_column)",
        "table public.t_2026_11_25 has no column Price, c, tags (on_new_column)",
    ]


def test_a_column_that_is_added_by_hand_is_noticed(
    source: Database, target: Database, queue: Queue, growing: dict[str, object]
) -> None:
    """By a running job, at its next batch."""
    with RunningJob(**growing, **BY_DAY) as job:
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
    assert drain(**growing, **BY_DAY, on_new_column="ignore")["rows"] == 2
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
    drain(**growing, **BY_DAY, on_new_column="add", part_template=template)
    types = target.column(
        "select format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = 't_2026_11_24'::regclass and attnum > 2 order by attname"
    )
    assert types == ["numeric(9,2)", "text", "text[]"]
    rows = target.rows('select id, "Price", tags, c from t_2026_11_24 where id > 1')
    assert rows == source.rows('select id, "Price", tags, c::text from t where id = 2')
    assert target.value("select count(*) from t_2026_11_25") == 1


def test_all_columns_of_an_event_can_be_new(target: Database, queue: Queue, keys: Keys) -> None:
    """They are added, also where a bad event would stop the job."""
    target.execute("create table t ()")
    queue.send("a=1&b=2")
    drain(**keys, on_new_column="add", bad_events="stop")
    assert target.rows("table t") == [("1", "2")]


def test_columns_that_change_within_a_batch(target: Database, queue: Queue, keys: Keys) -> None:
    """Each row brings its own, and none is lost."""
    target.execute("create table t (id int primary key, a text, b text default 'none')")
    queue.send("id=1&a=1", "id=2&b=2", "b=3&id=3&a=3", "id=4")
    drain(**keys)
    assert target.rows("table t order by id") == [
        (1, "1", "none"),
        (2, None, "2"),
        (3, "3", "3"),
        (4, None, "none"),
    ]


@pytest.mark.parametrize("name", ["", "%00", "x" * 64, "ctid"])
def test_a_name_that_no_column_can_have_is_not_added(
    target: Database, queue: Queue, keys: Keys, name: str
) -> None:
    """Its event is a dead letter, not the end of the job."""
    target.execute("create table t (id int)")
    queue.send(f"id=1&{name}=2", "id=3")
    values = drain(**keys, on_new_column="add")
    assert (values["rows"], values["dead_letters"]) == (1, 1)
    assert target.value("select reason from tdsup.dead_letter").startswith("no column can be called ")


@pytest.mark.parametrize("policy", ["dead_letter", "add", "ignore"])
def test_a_column_that_the_target_generates(
    source: Database, target: Database, queue: Queue, keys: Keys, policy: str
) -> None:
    """It computes its own value, whatever on_new_column says."""
    for database in (source, target):
        database.execute(
            "create table t (id int primary key, a int, b int generated always as (a * 2) stored)"
        )
    queue.attach("t")
    source.execute("insert into t values (1, 2), (2, 3); update t set a = 5 where id = 2")
    queue.tick()
    assert drain(**keys, on_new_column=policy)["dead_letters"] == 0
    assert target.rows("table t order by id") == [(1, 2, 4), (2, 5, 10)]


def test_partitions_of_unequal_columns(target: Database, queue: Queue, keys: Keys) -> None:
    """A change of some columns looks only into partitions that have them."""
    target.execute(
        "create table t_2026_01_01 (id int, day date, c text); create table t_2026_01_02 (id int, day date);"
        "insert into t_2026_01_01 values (1, '2026-01-01', 'old'); insert into t_2026_01_02 values (2)"
    )
    queue.send("c='new' where id='1'", "c='new' where id='2'", type_="U")
    values = drain(**keys, **BY_DAY, row_mode="plain")
    assert (values["rows"], values["dead_letters"]) == (1, 1)
    assert target.column("select c from t_2026_01_01") == ["new"]
