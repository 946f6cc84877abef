"""Positions in pgq_ext, which another program may move too: the original, or what goes by its rules."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.paths import PGQ_EXT
from harness.programs import original
from harness.rows.pipeline import Pipeline
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.address import Address
from tdsup.dispatcher.errors import Displaced
from tdsup.dispatcher.ledger import ConsumerRow, Tick, find_position, open_schema
from tdsup.dispatcher.postgres import Connection

WAITS = "select exists (select from pg_stat_activity where wait_event_type = 'Lock' and query ilike %s)"


@pytest.fixture
def pipeline(target: Database, queue: Queue) -> Pipeline:
    """A table whose position is in pgq_ext; its consumer is registered."""
    target.execute(PGQ_EXT.read_text(encoding="utf-8"))
    made = Pipeline(queue, target)
    made.drain()
    return made


def commit_as_the_original(pipeline: Pipeline) -> int:
    """Load the open batch as the original does, up to its commit; returns the batch's id."""
    source, target = pipeline.source, pipeline.target
    batch: int = source.value("select pgq.next_batch('q', 'job')")
    (tick,) = source.column("select tick_id from pgq.get_batch_info(%s)", batch)
    last = target.value("select coalesce(max(id), 0) from t")
    target.execute("begin")
    for row in source.rows("select * from t where id > %s", last):
        target.execute("insert into t values (%s, %s, %s)", *row)
    target.execute("select pgq_ext.set_last_tick('job', %s); commit", tick)
    return batch


def test_a_batch_that_the_original_has_committed(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    """Ours begins afterwards and skips it, though the original has not finished it."""
    pipeline.insert(5)
    commit_as_the_original(pipeline)
    with caplog.at_level("INFO", "job"):
        pipeline.drain()
    assert "the target has it already" in caplog.text
    pipeline.insert(5)
    pipeline.drain()
    pipeline.check()


def test_an_original_that_commits_while_ours_begins(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    """It was faster: no fault of the rows, no outage; ours looks again, and skips the batch."""
    target = pipeline.target
    with caplog.at_level("INFO", "job"), pipeline.running() as job, target.another() as holder:
        job.wait_for("running")
        # Ours has taken its snapshot when it waits for the row.
        holder.execute("begin; select from tdsup.consumer for update")
        pipeline.insert(5)
        target.wait_for(WAITS, "%tdsup.consumer%for update%")
        commit_as_the_original(pipeline)
        holder.execute("rollback")
        pipeline.source.wait_for("select current_batch is null from pgq.get_consumer_info('q', 'job')")
        pipeline.insert(5)
        job.wait_for("running", rows=5)
    assert "somebody else has just moved consumer job" in caplog.text
    assert "the target has it already" in caplog.text
    assert "trying again" not in caplog.text
    assert {report.condition for report in job.context.reports} <= {"running", "standby"}
    pipeline.check()


def test_an_original_that_writes_while_ours_loads_waits(pipeline: Pipeline) -> None:
    """Its tick cannot come between our read and our commit."""
    target = pipeline.target
    with pipeline.running() as job, target.another() as blocker, target.another() as other:
        job.wait_for("running")
        blocker.execute("begin; lock table t in exclusive mode")
        pipeline.insert(5)
        target.wait_for(WAITS, "%copy%")
        tick = target.value("select pgq_ext.get_last_tick('job')")
        other.execute("set lock_timeout = '200ms'")
        with pytest.raises(Exception, match="lock timeout"):
            other.execute("select pgq_ext.set_last_tick('job', %s)", tick + 1)
        blocker.execute("rollback")
        job.wait_for("running", rows=5)
    pipeline.check()


def test_two_first_positions(target: Database) -> None:
    """Where there was none, the second one to write it finds a row, which is no fault of data either."""
    target.execute(PGQ_EXT.read_text(encoding="utf-8"))
    connection = Connection(Address("target", target.dsn), "test")
    facts = open_schema(connection)
    with connection, connection.cursor() as cursor:
        position = find_position(cursor, facts, "q", "job")
    assert position is not None
    position.prepare(connection)
    assert ConsumerRow(connection, position).look() is not None
    with connection.cursor() as cursor:
        assert position.begin(cursor).tick is None
        target.execute("select pgq_ext.set_last_tick('job', 7)")
        with pytest.raises(Displaced, match="somebody else has just moved"):
            position.set(cursor, Tick(5, 1.0))
    connection.close()
    assert target.value("select pgq_ext.get_last_tick('job')") == 7


def test_a_batch_that_another_program_finishes_meanwhile(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    """It may have loaded the batch too: that is told, with batch, ticks and events, and the job goes on."""
    source, target = pipeline.source, pipeline.target
    with pipeline.running() as job, target.another() as blocker, source.another() as other:
        pipeline.insert(5)
        job.wait_for("running", rows=5)
        blocker.execute("begin; lock table t in exclusive mode")
        pipeline.insert(5)
        target.wait_for(WAITS, "%copy%")
        batch, first, last = source.rows(
            "select sub_batch, sub_last_tick, sub_next_tick from pgq.subscription"
        )[0]
        other.execute("begin; select from pgq.subscription for update")
        blocker.execute("rollback")
        source.wait_for(WAITS, "%finish_batch%")
        other.execute("select pgq.finish_batch(%s); commit", batch)
        pipeline.insert(5)
        job.wait_for("running", rows=15)
    (told,) = (record.getMessage() for record in caplog.records if record.levelname == "ERROR")
    ids = source.column("select ev_id from pgq.event_template order by ev_id")[5:10]
    assert f"batch {batch} of queue q, ticks {first} to {last}, was finished by another program" in told
    assert f"with ids from about {ids[0]} to {ids[-1]}, may be in the target twice" in told


def test_our_time_counts_only_with_its_tick(pipeline: Pipeline) -> None:
    """The original goes on from our position and we from its; its tick has no time, whatever our row says."""
    source, target = pipeline.source, pipeline.target
    timed = "select last_tick_id = pgq_ext.get_last_tick('job') from tdsup.consumer"
    pipeline.insert(5)
    pipeline.drain()
    assert target.value(timed)
    pipeline.insert(5)
    source.execute("select pgq.finish_batch(%s)", commit_as_the_original(pipeline))
    assert not target.value(timed)
    pipeline.insert(5)
    pipeline.drain()
    assert target.value(timed)
    pipeline.check()


def test_the_original_and_ours_take_turns(pipeline: Pipeline, tmp_path: Path) -> None:
    """Each goes on where the other has stopped."""
    keys = pipeline.keys(job_name="job", pgq_consumer_id="job")
    file = tmp_path / "job.ini"
    file.touch()
    for count in range(3, 6):
        pipeline.insert(count)
        original.run(file, **keys)
        pipeline.check()
        pipeline.insert(count)
        pipeline.drain()
        pipeline.check()
