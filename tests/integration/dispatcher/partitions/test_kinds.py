"""What a partition is to its parent: attached beside a default one, a child with a CHECK, or alone."""

from __future__ import annotations

import pytest
from harness.rows.pipeline import Pipeline
from tdsup.dispatcher.address import Address
from tdsup.dispatcher.errors import GUARD
from tdsup.dispatcher.partitions import MissingTable, period_of
from tdsup.dispatcher.partitions.making.guard import DefaultPartition, Guard
from tdsup.dispatcher.postgres import TableName, connected

LEFT = "select count(*) from pg_constraint where starts_with(conname, %s)"

CHECKS = (
    "select pg_get_constraintdef(oid) from pg_constraint "
    "where contype = 'c' and conrelid = 't_2026_11_01'::regclass"
)


@pytest.mark.parametrize(
    ("column", "check"),
    [
        ("day date", "CHECK (((day >= '2026-11-01'::date) AND (day < '2026-11-02'::date)))"),
        ("day timestamptz", None),
    ],
)
def test_a_child_has_a_check_where_that_is_sure(pipeline: Pipeline, column: str, check: str | None) -> None:
    """A moment may be of another day there than its text says here: such a child has none."""
    pipeline.target.execute(f"drop table t; create table t (id int primary key, {column}, note text)")
    pipeline.insert(6)
    assert pipeline.drain(part_template="")["partitions"] == 3
    assert pipeline.target.column(CHECKS) == ([check] if check else [])
    pipeline.check()


def test_a_clone_of_its_own(pipeline: Pipeline) -> None:
    """With its key, apart from its parent; changes find its rows."""
    source, target = pipeline.source, pipeline.target
    pipeline.insert(6)
    keys = {"part_template": "", "part_kind": "alone", "row_mode": "plain"}
    assert pipeline.drain(**keys)["partitions"] == 3
    assert target.value("select count(*) from pg_inherits where inhparent = 't'::regclass") == 0
    assert target.value("select count(*) from t") == 0
    source.execute("update t set note = 'new' where id = 1; delete from t where id = 2")
    pipeline.queue.tick()
    pipeline.drain(**keys)
    rows = [row for day in (1, 2, 3) for row in target.rows(f"select id, note from t_2026_11_0{day}")]
    assert sorted(rows) == source.rows("select id, note from t order by id")


def test_beside_a_default_partition(pipeline: Pipeline) -> None:
    """No CHECK is left on it, not even one that a crash has left."""
    target = pipeline.target
    target.execute(
        "drop table t; create table t (id int, day date, note text) partition by range (day); "
        "create table rest partition of t default; insert into t values (0, '2020-01-01', '')"
    )
    pipeline.insert(6)
    missing = MissingTable(TableName("public", "t_2026_11_01"), period_of(b"2026-11-01", "daily"), ())
    with connected(Address("target", target.dsn), "test") as connection:
        with connection:
            default = DefaultPartition.of(connection, TableName("public", "t"))
        assert default is not None
        assert Guard(connection, default, missing, "UTC").put_up()
    assert target.value(LEFT, GUARD) == 1
    assert pipeline.drain(part_template="", row_mode="append")["partitions"] == 3
    assert target.value("select count(*) from rest") == 1
    assert target.value(LEFT, GUARD) == 0
    assert target.value("select count(*) from t") == 7


def test_hours_of_a_column_of_dates_have_no_check(pipeline: Pipeline) -> None:
    """Both bounds would be the same date, and no row would fit."""
    pipeline.insert(6)
    values = pipeline.drain(part_template="", part_method="hourly")
    assert (values["partitions"], values["dead_letters"]) == (3, 0)
    pipeline.check()
