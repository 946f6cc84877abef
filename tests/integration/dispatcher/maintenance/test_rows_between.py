"""Rows that come while a partition is on its way out are seen, late, or prepared again: none is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.rows.job import Keys
from harness.rows.pipeline import Pipeline, Table
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.maintenance import removal
from tdsup.dispatcher.partitions.making import pending

COLUMNS = "id int primary key, day date, note text"
NATIVE = "id int, day date, note text, primary key (id, day)) partition by range (day"

KEYS: Keys = {
    "retention_period": "30 days",
    "retention_action": "drop",
    "retention_sql": "insert into cold select * from %(part)s",
}

PENDING = "select count(*) from pg_inherits where inhdetachpending"


@pytest.fixture
def aging(queue: Queue, target: Database, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A job that has loaded five rows of today and five of 40 days ago; ``cold`` takes what goes."""
    for waiting in (removal, pending):
        monkeypatch.setattr(waiting, "PATIENCE", "200ms")
    made = Pipeline(queue, target, Table(columns=COLUMNS, parent=NATIVE), part_field="day")
    made.drain()
    made.source.execute(
        "insert into t select g, current_date - 40 * (g % 2), 'x' from generate_series(1, 10) g"
    )
    made.queue.tick()
    made.drain()
    target.execute("create table cold (like t)")
    return made


def late_row(pipeline: Pipeline, number: int = 101) -> None:
    """A row of 40 days ago."""
    pipeline.source.execute(f"insert into t values ({number}, current_date - 40, 'late')")
    pipeline.queue.tick()


def old(target: Database) -> str:
    """The partition of 40 days ago."""
    name: str = target.value("select 't_' || to_char(current_date - 40, 'YYYY_MM_DD')")
    return name


def cold(target: Database, number: int = 101) -> int:
    """How often a row was copied."""
    count: int = target.value("select count(*) from cold where id = %s", number)
    return count


@pytest.mark.parametrize("late", ["dead_letter", "ignore"])
def test_a_detach_that_has_begun(aging: Pipeline, target: Database, late: str) -> None:
    """Its partition takes no rows: they are late, whatever is to become of them."""
    with target.another() as reader:
        reader.execute("begin; select count(*) from t")
        aging.drain(**KEYS, late_events=late)
        assert target.value(PENDING) == 1
        late_row(aging)
        values = aging.drain(**KEYS, late_events=late)
        assert (values["rows"], values["late_events"]) == (0, 1)
        assert values["dead_letters"] == (late == "dead_letter")
        assert target.value(f"select count(*) from {old(target)}") == 5
    aging.drain(**KEYS, late_events=late)
    assert target.value("select to_regclass(%s)", old(target)) is None


def test_a_detach_that_a_job_has_seen_begin(aging: Pipeline, target: Database) -> None:
    """What it remembers of the partition counts no longer."""
    with target.another() as reader:
        reader.execute("begin; select count(*) from t")
        with aging.running(**KEYS, late_events="dead_letter") as job:
            target.wait_for(PENDING)
            late_row(aging)
            target.wait_for("select count(*) = 1 from tdsup.dead_letter")
            job.context.stop()
        assert target.value(f"select count(*) from {old(target)}") == 5


def test_a_row_that_makes_its_partition_again(aging: Pipeline, target: Database) -> None:
    """It waits until the old one is detached, and ends that itself; its own one is copied when it goes."""
    with target.another() as reader:
        reader.execute("begin; select count(*) from t")
        aging.drain(**KEYS)
        assert target.value(PENDING) == 1
        late_row(aging)
        with aging.running(**KEYS) as job:
            job.wait_for("retrying", reason="has begun, and waits for transactions that read public.t")
            assert target.value(f"select count(*) from {old(target)}") == 5
    assert aging.drain(**KEYS)["rows"] == 1
    aging.drain(**KEYS)
    assert target.value("select count(*) from t") == 5
    assert cold(target) == 1


@pytest.mark.parametrize("keys", [{}, {**KEYS, "late_events": "ignore"}])
def test_a_table_that_is_about_to_be_dropped(aging: Pipeline, target: Database, keys: Keys) -> None:
    """It takes no rows, as if it were gone; a partition is made beside it for rows that are not late."""
    name = old(target)
    target.execute(f"alter table t detach partition {name}")
    target.execute(f"comment on table {name} is 'tdsup drops this table [], a former partition of public.t'")
    late_row(aging)
    values = aging.drain(**keys)
    assert (values["rows"], values["late_events"]) == ((0, 1) if keys else (1, 0))
    assert target.value("select count(*) from t where id = 101") == (not keys)
    if not keys:
        assert target.value(f"select count(*) from {name}") == 5


def test_a_detach_that_cannot_begin(aging: Pipeline, target: Database) -> None:
    """Its partition takes rows as before, and they are copied before it goes."""
    with target.another() as other:
        other.execute("begin; lock table only t in share update exclusive mode")
        aging.drain(**KEYS)
        late_row(aging)
        assert aging.drain(**KEYS)["late_events"] == 0
        assert target.value("select count(*) from t where id = 101") == 1
    aging.drain(**KEYS)
    assert target.value("select count(*) from t") == 5
    assert cold(target) == 2, "a process does not know what another one has copied"


@pytest.mark.parametrize("parent", [NATIVE, COLUMNS], ids=["native", "inherited"])
def test_rows_of_others_while_one_is_prepared(
    queue: Queue, target: Database, tmp_path: Path, parent: str
) -> None:
    """They are copied as well, wherever they come between the copy and the end."""
    made = Pipeline(queue, target, Table(columns=COLUMNS, parent=parent), part_field="day")
    made.drain()
    late_row(made, 1)
    made.drain()
    target.execute("create table cold (like t)")
    script = tmp_path / "keep"
    script.write_text(
        f"#!/bin/sh\n[ -e {tmp_path}/ran ] && exit\ntouch {tmp_path}/ran\n"
        f"psql -qc \"insert into $1 values (101, '$2', 'of another')\" '{target.dsn}'\n"
    )
    script.chmod(0o755)
    made.drain(**KEYS, retention_program=str(script))
    assert target.rows("select id from cold order by id") == [(1,), (1,), (101,)]
    assert target.value("select to_regclass(%s)", old(target)) is None


def test_rows_that_never_end(aging: Pipeline, target: Database, tmp_path: Path) -> None:
    """The partition is not dropped without its newest rows, and a later look tries again."""
    script = tmp_path / "keep"
    script.write_text(f"#!/bin/sh\npsql -qc \"update $1 set note = note || '.'\" '{target.dsn}'\n")
    script.chmod(0o755)
    aging.drain(**KEYS, retention_program=str(script))
    assert target.value(f"select min(note) from {old(target)}") == "x....", "prepared once, and thrice again"
    aging.drain(**KEYS)
    assert target.value("select to_regclass(%s)", old(target)) is None
    assert cold(target, 1) == 5


def test_a_copy_that_takes_the_rows_away(aging: Pipeline, target: Database) -> None:
    """What the job's own SQL changes is no news: it runs once."""
    moving = "with gone as (delete from %(part)s returning *) insert into cold select * from gone"
    aging.drain(**{**KEYS, "retention_sql": moving})
    assert target.value("select to_regclass(%s)", old(target)) is None
    assert target.value("select count(*) from cold") == 5


def test_a_detach_that_is_ended_later(aging: Pipeline, target: Database) -> None:
    """What was copied before is not copied again, unless rows have come since."""
    with target.another() as reader:
        reader.execute("begin; select count(*) from t")
        aging.drain(**KEYS)
        assert target.value(PENDING) == 1
    aging.drain(**KEYS)
    assert target.value("select to_regclass(%s)", old(target)) is None
    assert target.value("select count(*) from cold") == 5


def test_a_row_that_another_writes_meanwhile(aging: Pipeline, target: Database) -> None:
    """Into the partition itself, while its detach waits: it is copied before it goes."""
    with target.another() as reader:
        reader.execute("begin; select count(*) from t")
        aging.drain(**KEYS)
        target.execute(f"insert into {old(target)} values (101, current_date - 40, 'of another')")
    aging.drain(**KEYS)
    assert target.value("select to_regclass(%s)", old(target)) is None
    assert cold(target) == 1
