"""Tables of the source that are partitioned, or whose rows go to one table: sections of the job's file."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from harness.rows.job import RunningJob, drain, job_keys
from harness.servers.database import Database
from harness.servers.queue import Queue
from harness.waiting import wait_until

Sections = Mapping[str, Mapping[str, object]]

KEPT: Mapping[str, object] = {"row_mode": "plain", "deleted_at": "gone"}


@pytest.fixture
def parts(source: Database, target: Database, queue: Queue) -> Queue:
    """A table ``p`` of the source, partitioned by region, and the same in one piece in the target."""
    source.execute(
        "create table p (id int, region text, note text) partition by list (region); "
        "create table pa partition of p for values in ('a'); "
        "create table pb partition of p for values in ('b')"
    )
    queue.attach("p", "pkey=id")
    target.execute("create table p (id int primary key, region text, note text, gone timestamptz)")
    return queue


def keys(queue: Queue, target: Database, sections: Sections, **more: object) -> dict[str, object]:
    """Those of a job with sections."""
    found = {**job_keys(queue.source, target), "tables": dict(sections), **more}
    if "dest_table" not in more:
        del found["dest_table"]
    return found


@pytest.mark.usefixtures("way", "without_pgqd")
@pytest.mark.parametrize("section", [KEPT, {"row_mode": "plain"}, {"row_mode": "keep_latest"}])
def test_a_row_that_moves_between_partitions(
    parts: Queue, target: Database, section: Mapping[str, object]
) -> None:
    """It goes from one and comes to the other in that order, whatever came to the other one before."""
    job = keys(parts, target, {"p": section, "other": {}})
    parts.source.execute("insert into p values (1, 'a', 'one')")
    parts.tick()
    drain(**job)
    parts.source.execute("insert into p values (7, 'b', 'x')")
    parts.source.execute("update p set region = 'b' where id = 1")
    parts.tick()
    drain(**job)
    assert target.rows("select id, region, note, gone from p order by id") == [
        (1, "b", "one", None),
        (7, "b", "x", None),
    ]


@pytest.mark.usefixtures("way", "without_pgqd")
def test_a_row_that_moves_between_tables_of_one_target(
    queue: Queue, source: Database, target: Database
) -> None:
    """The same of tables that a pattern joins."""
    for shard in ("s1", "s2"):
        source.execute(f"create schema {shard}; create table {shard}.t (id int primary key, note text)")
        queue.attach(f"{shard}.t")
    target.execute("create table t (id int primary key, note text, gone timestamptz)")
    job = keys(queue, target, {"s?.t": {"dest_table": "t", **KEPT}})
    drain(**job)
    source.execute("insert into s1.t values (1, 'one'); insert into s2.t values (7, 'x')")
    source.execute(
        "with gone as (delete from s1.t where id = 1 returning *) insert into s2.t select * from gone"
    )
    queue.tick()
    drain(**job)
    assert target.rows("select * from t order by id") == [(1, "one", None), (7, "x", None)]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("unlisted", ["ignore", "error", "default"])
def test_a_partition_that_comes_while_the_job_runs(parts: Queue, target: Database, unlisted: str) -> None:
    """Its rows are those of its table, though nobody knew of it when the job began."""
    target.execute("create table rest (like p including all)")
    more = {"dest_table": "rest"} if unlisted == "default" else {}
    job = keys(parts, target, {"p": KEPT}, unlisted_tables=unlisted, loop_delay=0.1, **more)
    drain(**{**job, "loop_delay": 0})
    running = RunningJob(**job)
    with running:
        parts.source.execute("insert into p values (1, 'a', 'one')")
        parts.tick()
        wait_until(lambda: target.column("select id from p") == [1], "the first row is loaded")
        parts.source.execute("create table pc partition of p for values in ('c')")
        parts.source.execute("insert into p values (2, 'c', 'two')")
        parts.tick()
        wait_until(lambda: target.column("select id from p order by id") == [1, 2], "the second one is")
    assert target.value("select count(*) from rest") == 0


def test_one_target_of_many_tables(queue: Queue, source: Database, target: Database) -> None:
    """How many tables of the source a pattern stands for is no matter."""
    target.execute("create table t (id int primary key, note text)")
    job = keys(queue, target, {"shard*": {"dest_table": "t"}}, bad_events="stop")
    drain(**job)
    source.execute(
        "select pgq.insert_event('q', 'I:id', 'id=' || g, 'public.shard' || g, null, null, null) "
        "from generate_series(1, 1500) g"
    )
    queue.tick()
    assert drain(**job)["rows"] == 1500
