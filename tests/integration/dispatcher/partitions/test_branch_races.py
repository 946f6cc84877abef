"""Jobs that need the same new partitions at the same moment, and random rows in random tables."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date, timedelta

import pytest
from harness.rows.job import RunningJob, drain, job_keys
from harness.servers.database import Database
from harness.servers.queue import Queue
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tdsup.dispatcher.address import Address
from tdsup.dispatcher.partitions import MissingTable, Partitioning, Spot, TableMaker, Tables, period_of
from tdsup.dispatcher.postgres import TableName, connected

JOBS, ROUNDS = 8, 10

FIRST = date(2026, 11, 24)


def test_jobs_that_need_the_same_partitions(source: Database, target: Database, queue: Queue) -> None:
    """Each value gets one list partition, and each of its days one partition; no job sees an error."""
    target.execute("create table t (id int, region text, day date) partition by list (region)")
    names = [f"job{number}" for number in range(JOBS)]
    keys = job_keys(source, target, part_field="day", part_by="region, day", row_mode="append")
    for name in names:
        drain(**keys, job_name=name)
    with ExitStack() as running:
        jobs = [running.enter_context(RunningJob(**keys, job_name=name)) for name in names]
        for number in range(ROUNDS):
            day = FIRST + timedelta(number % 2)
            queue.send(*(f"id={number}&region=r{number // 2}{new}&day={day}" for new in "ab"))
            for job in jobs:
                job.wait_for("running", rows=2 * (number + 1))
        assert [job.context.values["dead_letters"] for job in jobs] == [0] * JOBS
        assert {report.condition for job in jobs for report in job.context.reports} == {"running"}
    assert target.value("select count(*) from t") == 2 * JOBS * ROUNDS
    parts = "select count(*) from pg_partition_tree('t') where isleaf = %s"
    assert (target.value(parts, True), target.value(parts, False)) == (2 * ROUNDS, ROUNDS + 1)
    made = sum(job.context.values["partitions"] for job in jobs)
    assert made == 2 * ROUNDS


def test_a_list_partition_that_somebody_has_just_made(target: Database) -> None:
    """By hand, under another name: it is used, though another one was missing a moment ago."""
    target.execute("create table t (id int, region text, day date) partition by list (region)")
    how = Partitioning(TableName("public", "t"), "day", "daily", "", target="day", lists=("region",))
    period = period_of(b"2026-11-24", "daily")
    with connected(Address("target", target.dsn), "test") as connection:
        tables = Tables(connection, how)
        maker = TableMaker(connection, tables, how, "UTC")
        for made, name in ((False, "t_eu_2026_11_24"), (True, "mine_2026_11_24")):
            with connection:
                spot = Spot.of(period, tables.branches.of(("eu",)))
                assert tables.place(spot).table is None
            if not made:
                target.execute(
                    "create table mine partition of t for values in ('eu') partition by range (day)"
                )
            assert how.partition(spot) == TableName("public", name)
            assert maker.create(MissingTable(how.partition(spot), spot, ())) == made
        with connection:
            assert tables.place(spot).table == how.partition(spot)
    assert target.column("select relname from pg_class where relname ~ '^(t|mine)_'") == [name]


REGIONS = ["de", "fr", "us", "De", "'); drop table t; --", "", None]

LAYOUTS: dict[str, dict[str | None, str]] = {
    "": {},
    "create table europe partition of t for values in ('de', 'fr') partition by range (day)": {
        "de": "europe",
        "fr": "europe",
    },
    "create table none partition of t for values in (null, ''); "
    "create table rest partition of t default partition by range (day)": {
        None: "none",
        "": "none",
        **dict.fromkeys(["de", "fr", "us", "De", "'); drop table t; --"], "rest"),
    },
    "create table us partition of t for values in ('us') partition by range (day); "
    "create table us_rest partition of us default; create table de partition of t for values in ('de')": {
        "us": "us",
        "de": "de",
    },
}
"""Partitions that are there, and which values each takes."""

WHOLE = {"none", "de"}
"""Those of them that are not partitioned by day."""

Step = tuple[str, int, str | None, int, bool]
"""What is done to a row: insert or update, or delete; its id, region and day; whether a batch ends there."""

steps: st.SearchStrategy[list[Step]] = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "put", "drop"]),
        st.integers(1, 6),
        st.sampled_from(REGIONS),
        st.integers(0, 2),
        st.booleans(),
    ),
    min_size=1,
    max_size=25,
)


@pytest.mark.usefixtures("way")
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=steps, layout=st.sampled_from(list(LAYOUTS)))
def test_random_rows(
    source: Database, target: Database, queue: Queue, steps: Sequence[Step], layout: str
) -> None:
    """The target has the rows of the source; a partition has all of its regions and day, and no others."""
    columns = "id int, region text, day date, n int"
    source.execute(f"drop table if exists t; create table t ({columns}, primary key (id))")
    queue.attach("t")
    target.execute(
        f"drop table if exists t cascade; create table t ({columns}, unique (id, region, day)) "
        f"partition by list (region); {layout}"
    )
    keys = job_keys(source, target, part_field="day", part_by="region, day", row_mode="plain")
    drain(**keys)
    for number, (what, id_, region, day, is_end) in enumerate(steps):
        if what == "drop":
            source.execute("delete from t where id = %s", id_)
        else:
            source.execute(
                "insert into t values (%s, %s, %s, %s) on conflict (id) do update "
                "set region = excluded.region, day = excluded.day, n = excluded.n",
                *(id_, region, FIRST + timedelta(day), number),
            )
        if is_end:
            queue.tick()
            assert drain(**keys)["dead_letters"] == 0
    queue.tick()
    assert drain(**keys)["dead_letters"] == 0
    rows = "select id, region, day::text, n from t order by id"
    assert target.rows(rows) == source.rows(rows)
    places: dict[str, set[tuple[str, str]]] = {}
    for region, day, table in target.rows("select region, day::text, tableoid::regclass::text from t"):
        branch = LAYOUTS[layout].get(region, repr(region))
        places.setdefault(table, set()).add((branch, "" if branch in WHOLE else day))
    assert all(len(held) == 1 for held in places.values())
    assert len(places) == len(set().union(*places.values()))
