"""The target remembers what was loaded, and a position that does not fit is never guessed."""

from __future__ import annotations

import pytest
from harness.rows.pipeline import Pipeline
from harness.servers.database import Database
from harness.servers.pgq_ext import PGQ_EXT
from harness.servers.queue import Queue
from tdsup.dispatcher.errors import LostPosition


def repair(target: Database, error: LostPosition) -> None:
    """Run the command that a lost position names."""
    target.execute(str(error).rpartition("run on the target: ")[2])


def test_position_is_kept_in_our_own_schema(pipeline: Pipeline) -> None:
    """Without pgq_ext, the target's position is in tdsup.completed_tick, and equals the source's."""
    pipeline.insert(10)
    pipeline.drain()
    rows = pipeline.target.rows("select queue_name, consumer_name, last_tick_id from tdsup.completed_tick")
    assert rows == [("q", "job", pipeline.queue.last_tick("job"))]


def test_position_is_kept_in_pgq_ext(target: Database, queue: Queue) -> None:
    """With pgq_ext in the target the position is there, and no schema of ours appears."""
    target.execute(PGQ_EXT.read_text())
    pipeline = Pipeline(queue, target)
    pipeline.drain()
    pipeline.insert(10)
    pipeline.drain()
    assert target.value("select pgq_ext.get_last_tick('job')") == queue.last_tick("job")
    assert target.value("select to_regnamespace('tdsup')") is None


def test_a_position_that_does_not_fit_stops_the_job(pipeline: Pipeline) -> None:
    """The message has the command that repairs it, and the command works."""
    pipeline.insert(10)
    pipeline.drain()
    pipeline.target.execute("update tdsup.completed_tick set last_tick_id = 999")
    pipeline.insert(10)
    with pytest.raises(LostPosition, match=r"Lost position: batch .* dst has 999") as caught:
        pipeline.drain()
    repair(pipeline.target, caught.value)
    pipeline.drain()
    pipeline.check()


def test_a_queue_that_is_created_again_is_not_taken_for_the_old_one(pipeline: Pipeline) -> None:
    """Its ticks start at 1 again; a batch that ends at a tick number of the old queue is not skipped."""
    source, target, queue = pipeline.source, pipeline.target, pipeline.queue
    pipeline.insert(10)
    pipeline.drain()
    source.execute("select pgq.drop_queue(%s, true)", queue.name)
    queue.create()
    source.execute("select pgq.register_consumer(%s, 'job')", queue.name)
    first = queue.last_tick("job")
    pipeline.insert(10)
    target.execute("update tdsup.completed_tick set last_tick_id = %s", first + 1)
    message = (
        rf"Lost position: batch {first}..{first + 1}, dst has {first + 1} of another time, as if the queue"
    )
    with pytest.raises(LostPosition, match=message) as caught:
        pipeline.drain()
    repair(target, caught.value)
    pipeline.drain()
    pipeline.check()
