"""The list of partitions tells what there is and what becomes of it, and changes nothing."""

from __future__ import annotations

import json

import pytest
from harness.rows.pipeline import Pipeline
from harness.servers.database import Database
from tdsup.dispatcher.errors import SetupError

KEYS = {"retention_period": "30 days", "retention_action": "drop", "premake": 1}


@pytest.fixture
def days(pipeline: Pipeline, target: Database) -> list[str]:
    """Partitions of 40 and 2 days ago and of today, with rows; their names."""
    pipeline.source.execute("insert into t select g, current_date - g from unnest('{40, 2, 0}'::int[]) g")
    pipeline.queue.tick()
    pipeline.drain()
    target.execute("analyze")
    return sorted(target.column("select relname from pg_class where relname ~ '^t_2' and relkind = 'r'"))


def test_a_list(pipeline: Pipeline, target: Database, days: list[str]) -> None:
    """For programs: bounds, rows, size and age of each, and what is to be made."""
    found = [json.loads(line) for line in pipeline.act("partitions", "json", **KEYS)]
    assert [each["partition"] for each in found[:3]] == [f"public.{name}" for name in days]
    assert [each["next"] for each in found] == ["drop", "keep", "keep", "make"]
    assert [each["rows"] for each in found] == [1, 1, 1, None]
    assert all(each["bytes"] > 0 for each in found[:3])
    assert found[0]["age_seconds"] > 39 * 86400
    assert found[0]["start"] == target.value("select (current_date - 40)::text")
    assert found[3]["start"] == target.value("select (current_date + 1)::text")
    lines = pipeline.act("partitions", **KEYS)
    assert lines[0].split() == ["PARTITION", "FROM", "TO", "ROWS", "SIZE", "AGE", "NEXT"]
    assert lines[1].endswith("drop: ended more than 30 days ago")
    assert lines[4].endswith("make: premake")
    assert len(lines) == 5


@pytest.mark.parametrize("kind", ["inherited", "native"])
def test_a_dry_run(pipeline: Pipeline, target: Database, days: list[str], kind: str) -> None:
    """It prints the SQL that the job would run: with it run by hand, nothing is left to do."""
    if kind == "native":
        target.execute("drop table t cascade; create table t (id int, day date) partition by range (day)")
        for name in days:
            first = name[2:].replace("_", "-")
            bounds = f"from ('{first}') to (date '{first}' + 1)"
            target.execute(f"create table {name} partition of t for values {bounds}")
    lines = pipeline.act("partitions", "dry-run", **KEYS)
    assert target.column("select count(*) from pg_class where relname ~ '^t_2' and relkind = 'r'") == [3]
    for statement in "\n".join(line for line in lines if not line.startswith("--")).split(";\n"):
        target.execute(statement)
    assert pipeline.act("partitions", "dry-run", **KEYS) == ["-- nothing is to be done"]
    assert target.column("select count(*) from pg_class where relname ~ '^t_2' and relkind = 'r'") == [3]


def test_a_job_that_is_behind(pipeline: Pipeline, days: list[str], target: Database) -> None:
    """Nothing would go, and the list says why."""
    assert days
    target.execute("update tdsup.completed_tick set last_tick_time = last_tick_time - 3 * 86400")
    lines = pipeline.act("partitions", **KEYS)
    assert lines[-1] == "no partition goes: the last batch is of 3 days before the target's clock"
    script = pipeline.act("partitions", "dry-run", **KEYS)
    assert script[0] == f"-- {lines[-1]}"
    assert not [line for line in script if line.startswith("drop")]


def test_no_partitions(pipeline: Pipeline) -> None:
    """A table without any, and one that has no part_field."""
    assert pipeline.act("partitions") == ["(no partitions)"]
    with pytest.raises(SetupError, match="there is no part_field"):
        pipeline.act("partitions", part_field="")


def test_several_tables(pipeline: Pipeline, target: Database) -> None:
    """Each by its own section, and by the job's; a pattern means those that feed the queue."""
    columns = "(id int primary key, day date)"
    pipeline.source.execute(f"create table u {columns}; create table v {columns}")
    target.execute("create table u (id int, day date); create table v (id int, day date)")
    for name in ("u", "v"):
        pipeline.queue.attach(name)
        pipeline.source.execute(f"insert into {name} values (1, current_date)")
    pipeline.queue.tick()
    tables = {"public.t": {"premake": "0"}, "public.u": {"part_method": "monthly"}, "*.v": {"premake": "3"}}
    keys = {**KEYS, "tables": tables, "dest_table": "x", "unlisted_tables": "ignore"}
    assert pipeline.drain(**keys)["partitions_premade"] == 1 + 3
    lines = [json.loads(line) for line in pipeline.act("partitions", "json", **keys)]
    assert [each["parent"] for each in lines] == ["public.u"] * 2 + ["public.v"] * 4
