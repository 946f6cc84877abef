"""Rows whose partition is gone by ``retention_period``."""

from __future__ import annotations

import pytest
from harness.rows.job import Keys
from harness.rows.pipeline import Pipeline, Table
from harness.servers.database import Database
from harness.servers.queue import Queue

KEYS: Keys = {"retention_period": "30 days", "retention_action": "drop"}

NATIVE = "id int, day date, note text, primary key (id, day)) partition by range (day"
BESIDE_DEFAULT = f"{NATIVE}); create table rest partition of t default; create table dual (x int"

COLUMNS = "id int primary key, day date, note text"


@pytest.fixture(params=[COLUMNS, NATIVE, BESIDE_DEFAULT], ids=["inherited", "native", "beside a default"])
def late(request: pytest.FixtureRequest, target: Database, queue: Queue) -> Pipeline:
    """A job with rows of today and of 40 days ago that nobody has loaded yet."""
    made = Pipeline(queue, target, Table(columns=COLUMNS, parent=request.param), part_field="day")
    made.drain()
    made.source.execute(
        "insert into t select g, current_date - 40 * (g % 2), 'x' from generate_series(1, 10) g"
    )
    made.source.execute("update t set note = 'y' where id = 3")
    made.queue.tick()
    return made


def outcomes(pipeline: Pipeline, **keys: object) -> tuple[int, int, int, int]:
    """Rows, ignored events, dead letters and late events of a run."""
    values = pipeline.drain(**KEYS, **keys)
    late: int = values["late_events"]
    return values["rows"], values["ignored"], values["dead_letters"], late


def test_they_are_loaded(late: Pipeline, target: Database) -> None:
    """By default, and counted; the partition that is made for them goes at the next look."""
    assert outcomes(late) == (11, 0, 0, 6)
    late.drain(**KEYS)
    assert target.value("select count(*) from t") in {
        5,
        10 if target.value("select to_regclass('rest')") else 5,
    }


def test_they_are_dead_letters(late: Pipeline, target: Database) -> None:
    """With the reason; who replays one means it, and it is loaded."""
    assert outcomes(late, late_events="dead_letter") == (5, 0, 6, 6)
    assert target.value("select count(*) from t") == 5
    assert any("is gone (retention_period, late_events)" in line for line in late.act("list"))
    late.act("replay", **KEYS, late_events="dead_letter")
    assert target.value("select count(*) from t") == 10


def test_they_are_ignored(late: Pipeline, target: Database) -> None:
    """And counted."""
    assert outcomes(late, late_events="ignore") == (5, 6, 0, 6)
    assert target.value("select count(*) from t") == 5


def test_a_partition_that_is_there(late: Pipeline, target: Database) -> None:
    """Nothing is late for it: rows go in, whatever their age."""
    late.drain()
    late.source.execute("insert into t values (11, current_date - 40, 'z')")
    late.queue.tick()
    assert late.drain(**KEYS, late_events="ignore")["late_events"] == 0


def test_a_job_that_is_behind(late: Pipeline, target: Database) -> None:
    """Age counts from the batch: what was of its time when it came is loaded months later."""
    late.source.execute("update pgq.tick set tick_time = tick_time - interval '20 days'")
    target.execute("update tdsup.completed_tick set last_tick_time = last_tick_time - 20 * 86400")
    assert outcomes(late, late_events="ignore") == (11, 0, 0, 0)
