"""A partitioned table of the source is one table, though its events name its partitions."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import pytest
from harness.rows.check import examined
from harness.rows.job import RunningJob, drain, job_keys
from harness.servers.database import Database
from harness.servers.queue import Queue

PARTS = """
    create table p (id int, day date, note text, primary key (id, day)) partition by range (day);
    create table p_1 partition of p for values from ('2026-11-01') to ('2026-11-02');
    create table p_2 partition of p for values from ('2026-11-02') to ('2026-11-04') partition by list (id);
    create table p_2a partition of p_2 for values in (1, 2);
    create table p_2b partition of p_2 default"""

ROWS = [(1, "2026-11-01"), (1, "2026-11-02"), (3, "2026-11-03")]


@pytest.fixture
def keys(source: Database, target: Database, queue: Queue) -> Mapping[str, Any]:
    """Keys of a job whose source table is partitioned, and whose queue carries another table too."""
    source.execute(f"{PARTS}; create table other (id int primary key, day date, note text)")
    target.execute("create table p (id int, day date, note text, primary key (id, day))")
    for table in ("p", "other"):
        queue.attach(table)
    return job_keys(source, target, table="p")


def insert(source: Database, *rows: tuple[int, str]) -> None:
    """Insert rows, and one that is not wanted."""
    for number, day in rows:
        source.execute("insert into p values (%s, %s, 'x')", number, day)
    source.execute("insert into other select coalesce(max(id), 0) + 1, '2026-11-01', 'no' from other")


def loaded(target: Database) -> list[tuple[Any, ...]]:
    """What has arrived."""
    return target.rows("select id, day::text from p order by day, id")


@pytest.mark.parametrize("way", ["blocks", "rows"])
def test_a_filter_that_names_the_root_loads_its_partitions(
    source: Database, target: Database, queue: Queue, keys: Mapping[str, Any], way: str
) -> None:
    """Of any depth; what is passed over is counted."""
    drain(**keys, table_filter="p")
    insert(source, *ROWS)
    if way == "rows":
        source.execute("update p set note = 'y' where id = 3")
    queue.tick()
    values = drain(**keys, table_filter="p")
    assert loaded(target) == ROWS
    assert (values["passed_over"], values["dead_letters"]) == (1, 0)
    assert values["events"] == len(ROWS) + (way == "rows")


def test_partitions_come_and_go(
    source: Database, target: Database, queue: Queue, keys: Mapping[str, Any]
) -> None:
    """A running job takes rows of new ones, and of one that was dropped before they were read."""
    with_filter = {**keys, "table_filter": "p"}
    drain(**with_filter)
    source.execute("create table p_3 partition of p for values from ('2026-11-05') to ('2026-11-06')")
    insert(source, (5, "2026-11-05"))
    queue.tick()
    drain(**with_filter)
    assert loaded(target) == [(5, "2026-11-05")]


def test_events_of_a_partition_that_is_gone(
    source: Database, target: Database, queue: Queue, keys: Mapping[str, Any]
) -> None:
    """The job has known it: they are loaded."""
    with RunningJob(**{**keys, "table_filter": "p", "connection_lifetime": 0.2}) as job:
        job.wait_for("running")
        source.execute("begin")
        insert(source, *ROWS)
        source.execute("drop table p_1")
        source.execute("commit")
        queue.tick()
        target.wait_for("select count(*) = 3 from p")


def test_a_filter_may_name_a_part(
    source: Database, target: Database, queue: Queue, keys: Mapping[str, Any]
) -> None:
    """Then only rows of that part are loaded."""
    drain(**keys, table_filter="p_2")
    insert(source, *ROWS)
    queue.tick()
    assert drain(**keys, table_filter="p_2")["passed_over"] == 2
    assert loaded(target) == ROWS[1:]


def test_nobody_is_warned_of_partitions(
    source: Database, queue: Queue, keys: Mapping[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """They are one table; another table in the queue is named by its root."""
    drain(**keys)
    source.execute("insert into p values (1, '2026-11-01', 'x'), (2, '2026-11-02', 'x')")
    queue.tick()
    drain(**keys)
    assert "carries rows of several tables" not in caplog.text
    insert(source, (4, "2026-11-03"))
    queue.tick()
    drain(**keys)
    assert "carries rows of several tables into public.p (public.other, public.p)" in caplog.text


def test_a_truncate_of_the_root_and_of_a_part(
    source: Database, target: Database, queue: Queue, keys: Mapping[str, Any]
) -> None:
    """The one empties the table; the other removes rows that the target cannot tell: a dead letter."""
    source.execute("drop table other")
    queue.attach_truncate("p")
    source.execute(
        "create trigger truncated after truncate on p_1 "
        "for each statement execute function pgq.logutriga('q')"
    )
    drain(**keys)
    source.execute("insert into p values (1, '2026-11-01', 'x'), (2, '2026-11-02', 'x')")
    source.execute("truncate p_1")
    queue.tick()
    assert drain(**keys)["dead_letters"] == 1
    assert "it is a truncate of one partition" in target.value("select reason from tdsup.dead_letter")
    assert len(loaded(target)) == 2
    source.execute("drop trigger truncated on p_1; truncate p")
    source.execute("insert into p values (3, '2026-11-03', 'x')")
    queue.tick()
    drain(**keys)
    assert loaded(target) == [(3, "2026-11-03")]


def test_the_check_knows_partitions(source: Database, keys: Mapping[str, Any], queue: Queue) -> None:
    """It speaks of the root alone, and shows events of partitions."""
    source.execute("drop table other")
    insert_one = "insert into p values (1, '2026-11-01', 'x')"
    source.execute(insert_one)
    queue.tick()
    for settings in (keys, {**keys, "table_filter": "p"}):
        notes, faults = examined(dict(settings))
        told = "\n".join(notes)
        assert faults == []
        assert "triggers put changes of public.p into it: insert, update, delete" in told
        assert "1: insert of public.p_1 goes to public.p" in told


def test_a_filter_without_a_trigger(
    source: Database, keys: Mapping[str, Any], queue: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    """It is a fault for the check, and a warning in the log; not if producers write without triggers."""
    mistyped = {**keys, "table_filter": "pp"}
    _notes, faults = examined(mistyped)
    assert "no trigger of queue q is on a table of table_filter (pp); its triggers are on" in faults[0]
    drain(**mistyped)
    (record,) = (record for record in caplog.records if record.levelno == logging.WARNING)
    assert record.message == (
        "job: no trigger of queue q is on a table of table_filter (pp): nothing may ever be loaded"
    )
    source.execute("drop table p, other")
    assert not [fault for fault in examined(mistyped)[1] if "table_filter" in fault]
