"""Partitions that are made beside a default one, when something comes in between."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from harness.rows.pipeline import Pipeline
from harness.servers.database import Database
from tdsup.dispatcher.address import Address
from tdsup.dispatcher.errors import GUARD
from tdsup.dispatcher.partitions import MissingTable, period_of
from tdsup.dispatcher.partitions.making.guard import DefaultPartition, Guard, turn_key
from tdsup.dispatcher.postgres import TableName, connected

KEYS: dict[str, object] = {"part_template": "", "row_mode": "append"}

LEFT = "select convalidated from pg_constraint where starts_with(conname, %s)"

MADE = (
    "drop table t; create table t (id int, day {type}, note text) partition by range (day); "
    "create table rest partition of t default; insert into t values (0, '2020-01-01', '')"
)

PARTED = "default partition by range (day); create table inner_rest partition of rest default"
"""A default partition that has one itself."""


@contextmanager
def guard(target: Database) -> Iterator[Guard]:
    """That of the partition for the first of November."""
    missing = MissingTable(TableName("public", "t_2026_11_01"), period_of(b"2026-11-01", "daily"), ())
    with connected(Address("target", target.dsn), "test") as connection:
        with connection:
            default = DefaultPartition.of(connection, TableName("public", "t"))
        assert default is not None
        yield Guard(connection, default, missing, "UTC")


def test_a_check_that_nobody_has_validated(pipeline: Pipeline) -> None:
    """It is left by a crash: who makes the partition next validates it, and it is gone in the end."""
    target = pipeline.target
    target.execute(MADE.format(type="date"))
    pipeline.insert(6)
    with guard(target) as left:
        left.put_up()
    ((name, check),) = target.rows(
        "select conname, pg_get_constraintdef(oid) from pg_constraint where starts_with(conname, %s)", GUARD
    )
    target.execute(
        f"alter table rest drop constraint {name}; alter table rest add constraint {name} {check} not valid"
    )
    assert target.column(LEFT, GUARD) == [False]
    assert pipeline.drain(**KEYS)["partitions"] == 3
    assert target.column(LEFT, GUARD) == []
    assert target.rows("select tableoid::regclass::text, count(*) from t group by 1 order by 1") == [
        ("rest", 1),
        ("t_2026_11_01", 2),
        ("t_2026_11_02", 2),
        ("t_2026_11_03", 2),
    ]


@pytest.mark.parametrize("default", ["default", PARTED], ids=["table", "partitioned"])
@pytest.mark.parametrize("is_made", [False, True], ids=["left", "being made"])
def test_a_check_of_a_partition_that_is_not_made(
    pipeline: Pipeline, is_made: bool, default: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It refuses rows of the default partition: a job drops it and says so, unless that one is made."""
    caplog.set_level(logging.INFO)
    target = pipeline.target
    target.execute(MADE.format(type="date").replace("default", default))
    pipeline.insert(6)
    with guard(target) as left:
        left.put_up()
    keys = {**KEYS, "part_past": "2026-11-04"}
    maker = connected(Address("target", target.dsn), "test")
    with maker as connection, connection, connection.cursor() as cursor:
        lock = (turn_key(TableName("public", "t_2026_11_01")),)
        if is_made:
            cursor.execute("select pg_advisory_lock(%s)", lock)
        with pipeline.running(**keys) as job:
            if is_made:
                job.wait_for("retrying", reason=GUARD)
                assert set(target.column(LEFT, GUARD)) == {True}
                cursor.execute("select pg_advisory_unlock(%s)", lock)
            job.wait_for("running", rows=6)
    assert target.column(LEFT, GUARD) == []
    assert f"dropped CHECK {GUARD}" in caplog.text
    assert "which a partition left that nobody makes" in caplog.text
    assert target.value("select count(*) from rest where day >= '2026-11-01'") == 6


def test_a_row_that_somebody_adds_meanwhile(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the look at the default partition, and before the CHECK: rows of that day go there, too."""
    target = pipeline.target
    target.execute(MADE.format(type="date"))
    pipeline.insert(6)
    add = vars(Guard)["_add"]

    def late(self: Guard) -> bool:
        if not target.value("select count(*) from rest where day = '2026-11-01'"):
            target.execute("insert into t values (-1, '2026-11-01', 'somebody')")
        is_validated: bool = add(self)
        return is_validated

    monkeypatch.setattr(Guard, "_add", late)
    assert pipeline.drain(**KEYS)["rows"] == 6
    assert target.column(LEFT, GUARD) == []
    assert target.column("select id from rest where day = '2026-11-01' order by id") == [-1, 3, 6]
    assert target.value("select to_regclass('t_2026_11_01')") is None
    assert target.value("select count(*) from t_2026_11_02") == 2


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu"])
def test_days_of_a_time_zone(pipeline: Pipeline, zone: str) -> None:
    """A moment at the end of a day is in that day's partition, and none is lost to the default one."""
    source, target = pipeline.source, pipeline.target
    source.execute("alter table t alter day type timestamptz")
    target.execute(MADE.format(type="timestamptz"))
    source.execute(
        "insert into t select g, (timestamp '2026-11-01 00:00' + g * interval '6 hours' - "
        "(g %% 2) * interval '1 second') at time zone %s, 'x' from generate_series(0, 9) g",
        zone,
    )
    pipeline.queue.tick()
    assert pipeline.drain(**KEYS, part_time_zone=zone)["rows"] == 10
    assert target.column(LEFT, GUARD) == []
    assert target.value("select count(*) from rest") == 1
    assert target.value(
        "select bool_and(tableoid::regclass::text = "
        "to_char(day at time zone %s, '\"t_\"YYYY_MM_DD')) from t where id >= 0 and note = 'x'",
        zone,
    )
