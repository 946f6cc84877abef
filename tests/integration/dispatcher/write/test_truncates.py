"""A truncate of the source's table empties the target's, and nothing else."""

from __future__ import annotations

import pytest
from harness.rows.job import drain, job_keys
from harness.rows.mirror import TRIGGERS, Mirror
from harness.servers.database import Database
from harness.servers.queue import Queue


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_truncate_empties_the_target(source: Database, target: Database, trigger: str) -> None:
    """What came before it goes, also in the same batch; what comes after it stays."""
    mirror = Mirror(source, target, trigger)
    source.execute("insert into t values (1, '', '2026-11-01', 'x', 1)")
    mirror.drain()
    source.execute("insert into t values (2, '', '2026-11-01', 'x', 1)")
    source.execute("truncate t")
    source.execute("insert into t values (3, '', '2026-11-02', 'x', 1)")
    mirror.drain()
    assert mirror.agree()
    assert len(mirror.rows()) == 1


def test_a_truncate_spares_what_is_not_its_own(source: Database, target: Database) -> None:
    """Rows of other tables that feed the queue, also for a job that has just begun; tables of other names."""
    mirror = Mirror(source, target, "logutriga")
    source.execute("insert into t values (1, '', '2026-11-01', 'x', 1)")
    mirror.drain()
    target.execute("create table t_2025_01 (id int); insert into t_2025_01 values (1)")
    source.execute("truncate t")
    mirror.drain()
    assert mirror.agree()
    assert target.value("select count(*) from t_2025_01") == 1
    source.execute("create table u (id int primary key, k2 text, day date)")
    mirror.queue.attach("u")
    source.execute("insert into u values (7, '', '2026-11-01')")
    mirror.drain()
    source.execute("truncate t")
    assert mirror.drain()["dead_letters"] == 1
    assert target.column("select id from t") == [7]
    source.execute("truncate t")
    assert mirror.drain(table_filter="t")["dead_letters"] == 0


def test_a_producer_s_own_type_r_is_a_row(source: Database, target: Database, queue: Queue) -> None:
    """Only a truncate of PgQ's triggers, which has no data, empties the table."""
    target.execute("create table t (id int primary key); insert into t values (1)")
    keys = job_keys(source, target)
    drain(**keys)
    queue.insert("R", "id=2")
    queue.tick()
    drain(**keys)
    assert target.column("select id from t order by id") == [1, 2]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("is_sound", [True, False], ids=["sound", "refused"])
def test_a_truncate_where_checks_are_deferred(
    source: Database, target: Database, queue: Queue, *, is_sound: bool
) -> None:
    """They come before it, as PostgreSQL demands that; if one is not met, the truncate is a bad event."""
    made = "create table t (id int primary key, other int references t deferrable initially deferred)"
    source.execute("create table t (id int primary key, other int)")
    target.execute(made)
    queue.attach("t")
    queue.attach_truncate("t", "logutriga")
    keys = job_keys(source, target, queue=queue.name, row_mode="plain", merge_events=0)
    drain(**keys)
    other = 1 if is_sound else 9
    source.execute("begin; insert into t values (1, null); insert into t values (2, %s); commit", other)
    source.execute("begin; update t set other = null where id = 1; truncate t; commit")
    source.execute("insert into t values (3, null)")
    queue.tick()
    values = drain(**keys)
    if is_sound:
        assert (values["dead_letters"], target.column("select id from t")) == (0, [3])
    else:
        assert values["dead_letters"] > 0
        assert 3 in target.column("select id from t")
