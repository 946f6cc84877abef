"""Partitions that somebody detaches while a job runs get no more rows."""

from __future__ import annotations

import pytest
from harness.rows.job import RunningJob, job_keys
from harness.servers.database import Database
from harness.servers.queue import Queue

DAY = "2026-11-24"

BY_TIME = (
    (
        "create table t (id int, region text, day date) partition by range (day);"
        "create table old partition of t for values from ('2026-11-01') to ('2026-12-01')"
    ),
    "create table new partition of t for values from ('2026-11-01') to ('2026-12-01')",
)
BY_LIST = (
    (
        "create table t (id int, region text, day date) partition by list (region);"
        "create table old partition of t for values in ('us')"
    ),
    "create table new partition of t for values in ('us')",
)


@pytest.mark.usefixtures("way", "without_pgqd")
@pytest.mark.parametrize(
    ("made", "part_by"), [(BY_TIME, ""), (BY_LIST, "region, day")], ids=["by time", "by lists"]
)
@pytest.mark.parametrize("then", ["replaced", "default", "gone"])
def test_rows_go_where_they_belong_now(
    source: Database, target: Database, queue: Queue, made: tuple[str, str], part_by: str, then: str
) -> None:
    """To the partition that took its place, to the default one, or to a new one."""
    target.execute(made[0])
    keys = job_keys(
        source, target, queue=queue.name, part_field="day", part_by=part_by, row_mode="append", merge_events=0
    )
    with RunningJob(**keys) as job:
        job.wait_for("running")
        queue.send(f"id=1&region=us&day={DAY}")
        job.wait_for("running", rows=1)
        target.execute("alter table t detach partition old")
        if then == "replaced":
            target.execute(made[1])
        elif then == "default":
            target.execute("create table new partition of t default")
        queue.send(f"id=2&region=us&day={DAY}")
        job.wait_for("running", rows=2)
    assert target.column("select id from t") == [2]
    assert target.column("select id from old") == [1]


@pytest.mark.usefixtures("way", "without_pgqd")
@pytest.mark.parametrize("then", ["replaced", "half replaced", "gone"])
def test_the_name_of_a_partition_counts_only_where_there_is_none(
    source: Database, target: Database, queue: Queue, then: str
) -> None:
    """A detached table of such a name takes rows of its time, unless partitions hold all of that."""
    target.execute(
        "create table t (id int, day timestamp) partition by range (day);"
        "create table t_2026_11_24 partition of t for values from ('2026-11-24') to ('2026-11-25');"
        "alter table t detach partition t_2026_11_24"
    )
    if then != "gone":
        end = "2026-12-01" if then == "replaced" else "2026-11-24 12:00"
        target.execute(f"create table new partition of t for values from ('2026-11-01') to ('{end}')")
    keys = job_keys(source, target, queue=queue.name, part_field="day", row_mode="append", merge_events=0)
    with RunningJob(**keys) as job:
        job.wait_for("running")
        queue.send("id=1&day=2026-11-24 01:00", "id=2&day=2026-11-24 13:00")
        job.wait_for("running", rows=2)
    expected = {"replaced": ([1, 2], []), "half replaced": ([], [1, 2]), "gone": ([], [1, 2])}
    found = (target.column("select id from t order by 1"), target.column("select id from t_2026_11_24"))
    assert (found[0], sorted(found[1])) == expected[then]
