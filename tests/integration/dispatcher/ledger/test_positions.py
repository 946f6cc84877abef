"""The target remembers what was loaded, and a position that does not fit is never guessed."""

from __future__ import annotations

import pytest
from harness.paths import PGQ_EXT
from harness.rows.pipeline import Pipeline
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.errors import LostPosition, SetupError


def test_position_is_kept_in_our_own_schema(pipeline: Pipeline) -> None:
    """Without pgq_ext, the target's position is in tdsup.completed_tick, and equals the source's."""
    pipeline.insert(10)
    pipeline.drain()
    rows = pipeline.target.rows("select queue_name, consumer_name, last_tick_id from tdsup.completed_tick")
    assert rows == [("q", "job", pipeline.queue.last_tick("job"))]


def test_position_is_kept_in_pgq_ext(target: Database, queue: Queue) -> None:
    """With pgq_ext in the target the position is there; our row says so, and keeps its time."""
    target.execute(PGQ_EXT.read_text())
    pipeline = Pipeline(queue, target)
    pipeline.drain()
    pipeline.insert(10)
    pipeline.drain()
    last = queue.last_tick("job")
    assert target.value("select pgq_ext.get_last_tick('job')") == last
    assert target.column("select last_tick_id from tdsup.completed_tick") == []
    assert target.rows("select stored_in, last_tick_id, last_tick_time is not null from tdsup.consumer") == [
        ("pgq_ext", last, True)
    ]


def test_a_target_that_is_behind_is_loaded_again(pipeline: Pipeline) -> None:
    """As if it had been restored: the message says so, and a rewind loads again what is missing."""
    target = pipeline.target
    pipeline.insert(10)
    pipeline.drain()
    target.execute("create table saved as select * from tdsup.completed_tick")
    pipeline.insert(10)
    pipeline.drain()
    target.execute(
        "delete from t where id > 10; "
        "update tdsup.completed_tick t set (last_tick_id, last_tick_time) = "
        "(select last_tick_id, last_tick_time from saved)"
    )
    pipeline.insert(10)
    with pytest.raises(LostPosition, match=r"Lost position: batch .*: the target is behind") as caught:
        pipeline.drain()
    assert "tdsup rewind job" in str(caught.value)
    (said,) = pipeline.act("rewind")
    assert said.startswith("rewound consumer job on queue q, which was at tick ")
    pipeline.drain()
    pipeline.check()
    (said,) = pipeline.act("rewind")
    assert said.endswith("the target's position, already")


def test_a_reset_goes_on_from_where_the_source_stands(pipeline: Pipeline) -> None:
    """Whatever the position was; what came before is the person's to answer for."""
    pipeline.insert(10)
    pipeline.drain()
    pipeline.target.execute("update tdsup.completed_tick set last_tick_id = 999")
    pipeline.insert(10)
    with pytest.raises(LostPosition, match=r"dst has 999 .*: the source is behind"):
        pipeline.drain()
    with pytest.raises(SetupError, match=r"cannot rewind .* has no tick 999"):
        pipeline.act("rewind")
    (said,) = pipeline.act("reset")
    assert said.endswith("where the source stands; it was tick 999")
    pipeline.drain()
    pipeline.check()


@pytest.mark.parametrize("at_start", [False, True])
def test_a_queue_that_is_created_again_is_not_taken_for_the_old_one(
    pipeline: Pipeline, *, at_start: bool
) -> None:
    """Its ticks start at 1 again; a batch with a tick number of the old queue is another one."""
    source, target, queue = pipeline.source, pipeline.target, pipeline.queue
    pipeline.insert(10)
    pipeline.drain()
    source.execute("select pgq.drop_queue(%s, true)", queue.name)
    queue.create()
    source.execute("select pgq.register_consumer(%s, 'job')", queue.name)
    first = queue.last_tick("job")
    pipeline.insert(10)
    old = first if at_start else first + 1
    target.execute("update tdsup.completed_tick set last_tick_id = %s", old)
    with pytest.raises(LostPosition, match=rf"batch {first}..{first + 1}, dst has {old} of another time"):
        pipeline.drain()
    with pytest.raises(SetupError, match=rf"cannot rewind .* tick {old} is of another time"):
        pipeline.act("rewind")
    pipeline.act("reset")
    pipeline.drain()
    pipeline.check()


def test_a_consumer_that_somebody_else_registered(target: Database, queue: Queue) -> None:
    """Without a position the job does not guess where to begin: a person says it, in one of two ways."""
    pipeline = Pipeline(queue, target)
    queue.source.execute("select pgq.register_consumer('q', 'job')")
    pipeline.insert(10)
    with pytest.raises(SetupError, match=r"is registered on the source, .*--register FILE or start = "):
        pipeline.drain()
    assert target.value("select count(*) from t") == 0
    said = pipeline.act("register")
    assert said == [
        "consumer job on queue q is registered already",
        f"its position is tick {queue.last_tick('job')}",
    ]
    pipeline.drain()
    pipeline.check()


def test_start_registered(target: Database, queue: Queue) -> None:
    """The file may say that the consumer begins where it is registered."""
    pipeline = Pipeline(queue, target)
    pipeline.insert(5)
    queue.source.execute("select pgq.register_consumer('q', 'job')")
    pipeline.insert(10)
    pipeline.drain(start="registered")
    assert target.value("select min(id) from t") == 6


@pytest.mark.parametrize("is_registered", [False, True])
def test_start_at_the_beginning(target: Database, queue: Queue, *, is_registered: bool) -> None:
    """The file may say that the consumer begins at the queue's oldest tick, wherever it is registered."""
    pipeline = Pipeline(queue, target)
    pipeline.insert(5)
    if is_registered:
        queue.source.execute("select pgq.register_consumer('q', 'job')")
    pipeline.insert(5)
    pipeline.drain(start="beginning")
    pipeline.check()


def test_a_restored_target_loses_nothing_in_silence(pipeline: Pipeline) -> None:
    """Restored to before the job's first batch, it has no position: the job is blocked."""
    pipeline.insert(10)
    pipeline.drain()
    pipeline.target.execute("drop schema tdsup cascade; truncate t")
    pipeline.insert(10)
    with pytest.raises(SetupError, match="if the target was restored to before the job's first batch"):
        pipeline.drain()
    pipeline.drain(start="beginning")
    pipeline.check()


def test_a_consumer_that_was_unregistered_goes_on_where_it_was(pipeline: Pipeline) -> None:
    """The queue still has the very tick of its position, and so all that followed."""
    pipeline.insert(10)
    pipeline.drain()
    pipeline.source.execute("select pgq.unregister_consumer('q', 'job')")
    pipeline.insert(10)
    pipeline.drain()
    pipeline.check()


def test_an_unregistered_consumer_whose_tick_is_gone(pipeline: Pipeline) -> None:
    """It is blocked, and a person can let it begin anew."""
    pipeline.insert(10)
    pipeline.drain()
    pipeline.source.execute("select pgq.unregister_consumer('q', 'job')")
    pipeline.target.execute("update tdsup.completed_tick set last_tick_id = 0")
    with pytest.raises(LostPosition, match="not registered on queue q, and the target is at tick 0, which"):
        pipeline.drain()
