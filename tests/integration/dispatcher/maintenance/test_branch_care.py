"""Partitions of lists of values: their days are made ahead and go in the end, in each of them."""

from __future__ import annotations

import json

import pytest
from harness.rows.pipeline import Pipeline, Table
from harness.servers.database import Database
from harness.servers.queue import Queue

KEYS = {"retention_period": "30 days", "retention_action": "drop", "premake": 1}
PARENT = "id int, region text, day date) partition by list (region"


@pytest.fixture
def regions(queue: Queue, target: Database) -> Pipeline:
    """Rows of 40 days ago and of today in two regions, and a list partition without days."""
    table = Table(columns="id int primary key, region text, day date", parent=PARENT)
    made = Pipeline(queue, target, table, part_field="day", part_by="region, day")
    target.execute("create table flat partition of t for values in ('flat')")
    made.drain()
    made.source.execute(
        "insert into t select row_number() over (), r, current_date - g "
        "from unnest('{eu,us}'::text[]) r, unnest('{40,0}'::int[]) g; "
        "insert into t values (9, 'flat', '2020-01-01')"
    )
    queue.tick()
    made.drain()
    return made


def names(target: Database) -> list[str]:
    """Partitions of days, each as its region and how many days ago it is."""
    return target.column(
        "select substr(relname, 3, 2) || ' ' || current_date - to_date(substr(relname, 6), 'YYYY_MM_DD') "
        "from pg_class where relname ~ '^t_.._2' and relkind = 'r' order by 1"
    )


def test_days_come_and_go_in_each_region(regions: Pipeline, target: Database) -> None:
    """One is made ahead in each list partition that has days; old ones go; list partitions stay."""
    assert names(target) == ["eu 0", "eu 40", "us 0", "us 40"]
    regions.drain(**KEYS)
    assert names(target) == ["eu -1", "eu 0", "us -1", "us 0"]
    assert target.column("select id from t order by id") == [2, 4, 9]


def test_a_list(regions: Pipeline) -> None:
    """It tells of each partition what becomes of it, and why list partitions stay."""
    found = [json.loads(line) for line in regions.act("partitions", "json", **KEYS)]
    told = [(each["partition"].split(".")[1][:7], each["next"], each["why"]) for each in found]
    own = "has partitions of its own"
    assert sorted(told) == [
        ("flat", "keep", "its bounds cannot be read"),
        ("t_eu", "keep", own),
        ("t_eu_20", "drop", "ended more than 30 days ago"),
        ("t_eu_20", "keep", ""),
        ("t_eu_20", "make", "premake"),
        ("t_us", "keep", own),
        ("t_us_20", "drop", "ended more than 30 days ago"),
        ("t_us_20", "keep", ""),
        ("t_us_20", "make", "premake"),
    ]
    assert {each["parent"] for each in found if each["next"] == "make"} == {"public.t_eu", "public.t_us"}


def test_a_dry_run(regions: Pipeline, target: Database) -> None:
    """It prints the SQL that the job would run: with it run by hand, nothing is left to do."""
    lines = regions.act("partitions", "dry-run", **KEYS)
    for statement in "\n".join(line for line in lines if not line.startswith("--")).split(";\n"):
        target.execute(statement)
    assert names(target) == ["eu -1", "eu 0", "us -1", "us 0"]
    assert regions.act("partitions", "dry-run", **KEYS) == ["-- nothing is to be done"]
