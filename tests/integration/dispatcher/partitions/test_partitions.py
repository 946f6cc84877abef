"""Partitions are created as rows need them."""

from __future__ import annotations

import pytest
from harness.rows.job import drain, job_keys
from harness.rows.pipeline import Pipeline
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.errors import SetupError

PARENTS = {
    "native": (
        "create table t (id int, day date, note text, primary key (id, day)) partition by range (day)"
    ),
    "inherited": "create table t (id int primary key, day date, note text)",
}
"""Statements that make a parent, by how it is partitioned."""


def test_all_template_words_and_event_time(pipeline: Pipeline) -> None:
    """_DEST_TABLE, _PARENT, _PKEY and _SCHEMA_TABLE create a monthly partition of the event's own time."""
    target = pipeline.target
    target.execute("create schema archive; create table archive.orders (id int, day date)")
    pipeline.insert(5)
    pipeline.drain(
        dest_table="archive.orders",
        fields="id, day",
        part_field="_EVTIME",
        part_method="monthly",
        part_template="create table _DEST_TABLE (primary key (_PKEY)) inherits (_PARENT);"
        "create index _SCHEMA_TABLE_day on _DEST_TABLE (day)",
    )
    month = pipeline.source.value("select to_char(min(ev_time), 'YYYY_MM') from pgq.event_template")
    assert target.value("select count(*) from only archive.orders") == 0
    assert target.value(f"select count(*) from archive.orders_{month}") == 5
    assert target.value(f"select to_regclass('archive.archive__orders_{month}_day') is not null")


@pytest.mark.parametrize("parent", PARENTS.values(), ids=PARENTS)
def test_without_template_the_parent_is_cloned(pipeline: Pipeline, parent: str) -> None:
    """A native partition is attached with the day's bounds; an ordinary parent gets a child with its key."""
    target = pipeline.target
    target.execute(f"drop table t; {parent}")
    pipeline.insert(2000, days=2)
    assert pipeline.drain()["partitions"] == 2
    pipeline.check()
    children = target.column("select inhrelid::regclass::text from pg_inherits order by 1")
    assert [name for name in children if "pkey" not in name] == ["t_2026_11_01", "t_2026_11_02"]
    primary = "select count(*) from pg_index where indisprimary and indrelid::regclass::text ~ '^t_'"
    assert target.value(primary) == 2


NAMES = {
    "weekly": ["t_2026_w44", "t_2026_w45", "t_2026_w46"],
    "monthly": ["t_2026_11"],
    "quarterly": ["t_2026_q4"],
    "yearly": ["t_2026"],
}
"""Partitions of the first ten days of November 2026."""


@pytest.mark.parametrize("method", NAMES)
@pytest.mark.parametrize("parent", PARENTS.values(), ids=PARENTS)
def test_a_partition_may_be_longer_than_a_day(pipeline: Pipeline, parent: str, method: str) -> None:
    """Each row is in the one that holds its day, also once they are found by another process."""
    target = pipeline.target
    target.execute(f"drop table t; {parent}")
    pipeline.insert(100, days=10)
    assert pipeline.drain(part_method=method)["partitions"] == len(NAMES[method])
    pipeline.insert(100, days=10)
    assert pipeline.drain(part_method=method)["partitions"] == 0
    pipeline.check()
    children = target.column(
        "select inhrelid::regclass::text from pg_inherits "
        "join pg_class on oid = inhrelid and relkind = 'r' order by 1"
    )
    assert children == NAMES[method]
    assert target.value("select count(distinct tableoid) from t") == len(NAMES[method])


@pytest.mark.parametrize("length", [52, 53, 63])
def test_a_name_that_the_server_would_cut_off_is_shortened(pipeline: Pipeline, length: int) -> None:
    """Each day has a table of its own, and two parents that begin alike share none."""
    names = ["o" * length, "o" * (length - 1) + "x"]
    for name in names:
        pipeline.target.execute(f"create table {name} (id int, day date, note text)")
    pipeline.insert(4, days=2)
    for name in names:
        pipeline.drain(dest_table=name, consumer_name=name)
    pipeline.insert(4, days=2)
    for name in names:
        pipeline.drain(dest_table=name, consumer_name=name)
        (days,) = pipeline.target.rows(f"select array_agg(distinct tableoid::regclass::text) from {name}")
        assert [day[-11:] for day in sorted(days[0])] == ["_2026_11_01", "_2026_11_02"]


def test_a_key_may_be_called_after_a_table_whose_name_is_shortened(pipeline: Pipeline) -> None:
    """PostgreSQL cuts names off, and the key's would become the table's own."""
    name = "o" * 63
    pipeline.target.execute(f"create table {name} (id int, day date, note text)")
    pipeline.insert(4, days=2)
    template = "create table _DEST_TABLE (constraint _DEST_TABLE_pkey primary key (id)) inherits (_PARENT)"
    pipeline.drain(dest_table=name, part_template=template)
    assert pipeline.target.value(f"select count(distinct tableoid) from {name}") == 2


def test_the_name_of_an_unpartitioned_table_is_not_cut_off(pipeline: Pipeline) -> None:
    """No row lands in another table because PostgreSQL shortens a name."""
    pipeline.target.execute(f"create table {'o' * 63} (id int, day date, note text)")
    pipeline.insert(2)
    with pytest.raises(SetupError, match="the name is longer than PostgreSQL's 63 bytes"):
        pipeline.drain(dest_table="o" * 64, part_field="")


TEMPLATES = [
    ("daily", "d%%(day)s.%%(month)s.%%(year)s %%(parent)s", ["d01.11.2026 t", "d02.11.2026 t"]),
    ("monthly", "%%(parent)s$%%(month)s%%(year)s", ["t$112026"]),
    ("weekly", "%%(parent)s_%%(year)s_%%(month)s_%%(day)s", ["t_2026_10_26", "t_2026_11_02"]),
    ("weekly", "w%%(week)s_%%(year)s_%%(parent)s", ["w44_2026_t", "w45_2026_t"]),
]


@pytest.mark.parametrize(("method", "template", "names"), TEMPLATES)
def test_partitions_are_called_as_part_name_says(
    pipeline: Pipeline, method: str, template: str, names: list[str]
) -> None:
    """They are found again by such names: apart from their parent, too, and the oldest and newest of them."""
    keys = {"part_method": method, "part_name": template.replace("%%", "%"), "part_past": "2026-10-01"}
    template_sql = "create table _DEST_TABLE (id int primary key, day date, note text)"
    pipeline.insert(4, days=2)
    pipeline.drain(part_template=template_sql, **keys)
    pipeline.source.execute("delete from t where id > 2")
    pipeline.queue.tick()
    numbers = pipeline.drain(part_template=template_sql, **keys)
    assert numbers["dead_letters"] == 0
    made = pipeline.target.rows(
        "select relname::text from pg_class where relkind = 'r' and relname like '%%t%%' "
        "and relnamespace = 'public'::regnamespace and relname <> 't' order by 1"
    )
    assert [name for (name,) in made] == names
    rows = " union all ".join(f'select id from "{name}"' for name in names)
    assert pipeline.target.rows(f"select id from ({rows}) u order by 1") == [(1,), (2,)]


def test_a_generated_column_is_cloned(pipeline: Pipeline) -> None:
    """A native parent with a generated column gets its partitions like any other."""
    pipeline.target.execute(
        "drop table t; create table t (id int, day date, note text, "
        "twice int generated always as (id * 2) stored) partition by range (day)"
    )
    pipeline.insert(2, days=1)
    pipeline.drain()
    assert pipeline.target.column("select twice from t_2026_11_01 order by 1") == [2, 4]


def test_a_dropped_partition_is_created_again(pipeline: Pipeline) -> None:
    """What a job remembers of its tables is dropped when the target contradicts it."""
    with pipeline.running() as job:
        pipeline.insert(10, days=1)
        job.wait_for("running", rows=10)
        pipeline.target.execute("drop table t_2026_11_01")
        pipeline.insert(10, days=1)
        job.wait_for("running", rows=20)
    assert pipeline.target.value("select count(*) from t_2026_11_01") == 10


def test_days_of_a_timestamptz_parent_are_the_source_s(
    source: Database, target: Database, queue: Queue
) -> None:
    """Source and target may be in different time zones: a day's rows fit its partition."""
    for database, zone in ((source, "America/New_York"), (target, "Asia/Tokyo")):
        name = database.value("select current_database()")
        database.execute(f"alter database {name} set TimeZone = '{zone}'")
        database.reconnect()
    keys = job_keys(source, target, part_field="at")
    drain(**keys)
    source.execute("create table t (id int primary key, at timestamptz)")
    queue.attach("t")
    target.execute("create table t (id int, at timestamptz, primary key (id, at)) partition by range (at)")
    source.execute(
        "insert into t select g, timestamptz '2026-11-24 00:30' + g * interval '1 h' "
        "from generate_series(0, 47) g"
    )
    queue.tick()
    values = drain(**keys)
    assert (values["rows"], values["dead_letters"], values["partitions"]) == (48, 0, 2)
    assert target.rows("select id, at from t order by id") == source.rows("select id, at from t order by id")


def test_a_partition_dropped_before_a_change(pipeline: Pipeline) -> None:
    """An update brings its row back into a new partition; a delete has nothing to do."""
    target, queue = pipeline.target, pipeline.queue
    queue.send("id=1&day=2026-11-24", "id=2&day=2026-11-24")
    with pipeline.running() as job:
        job.wait_for("running", rows=2)
        target.execute("drop table t_2026_11_24")
        queue.send("id=1&day=2026-11-24", type_="U:id")
        job.wait_for("running", rows=3)
        target.execute("drop table t_2026_11_24")
        queue.send("id=1&day=2026-11-24", type_="D:id")
        queue.send("id=3&day=2026-11-25")
        job.wait_for("running", rows=4)
    assert target.column("select id from t") == [3]
