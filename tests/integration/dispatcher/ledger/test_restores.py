"""Databases and whole servers restored to an earlier moment: nothing is lost or doubled in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.paths import PGQ_EXT
from harness.rows.pipeline import Pipeline
from harness.servers.backups import Copy, dump, restore
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.errors import LostPosition, SetupError
from tdsup.sandbox import Sandbox


@pytest.fixture(params=["own", "pgq_ext"])
def pipeline(target: Database, queue: Queue, request: pytest.FixtureRequest) -> Pipeline:
    """A table whose position is kept in tdsup's schema, or in pgq_ext; its job has not run yet."""
    if request.param == "pgq_ext":
        target.execute(PGQ_EXT.read_text(encoding="utf-8"))
    return Pipeline(queue, target, part_field="day")


def load(pipeline: Pipeline, count: int = 10) -> None:
    """Insert rows and load them."""
    pipeline.insert(count)
    pipeline.drain()


def rewind_loads_again(pipeline: Pipeline) -> None:
    """The job is blocked, its message names the way, and that way leaves nothing out."""
    pipeline.insert(10)
    with pytest.raises(LostPosition, match="the target is behind, as if it had been restored; tdsup rewind"):
        pipeline.drain()
    (said,) = pipeline.act("rewind")
    assert said.startswith("rewound consumer job on queue q, which was at tick ")
    pipeline.drain()
    pipeline.check()
    counted = pipeline.target.value("select counters->'rows' from tdsup.consumer")
    assert counted == pipeline.target.value("select count(*) from t")


def test_a_target_from_a_dump(pipeline: Pipeline, tmp_path: Path) -> None:
    """Its tables and our schema are of one moment: a rewind loads what came after, and counters fit too."""
    pipeline.drain()
    load(pipeline)
    saved = dump(pipeline.target, tmp_path / "dump")
    load(pipeline)
    load(pipeline)
    restore(pipeline.target, saved)
    rewind_loads_again(pipeline)


def test_a_target_from_a_dump_before_the_first_batch(pipeline: Pipeline, tmp_path: Path) -> None:
    """It has no position: a person says where it begins, and it is not where the source stands by itself."""
    saved = dump(pipeline.target, tmp_path / "dump")
    pipeline.drain()
    load(pipeline)
    restore(pipeline.target, saved)
    pipeline.insert(10)
    for _ in range(2):
        with pytest.raises(SetupError, match="restored to before the job's first batch, start = beginning"):
            pipeline.drain()
    assert pipeline.target.value("select count(*) from t") == 0
    pipeline.drain(start="beginning")
    pipeline.check()


def test_a_whole_target_server(pipeline: Pipeline, sandbox: Sandbox) -> None:
    """As a base backup brings it back."""
    pipeline.drain()
    load(pipeline)
    saved = Copy(sandbox.target)
    pipeline.target.reconnect()
    load(pipeline)
    load(pipeline)
    saved.restore()
    pipeline.target.reconnect()
    rewind_loads_again(pipeline)


@pytest.mark.parametrize("ticks", [1, 2])
@pytest.mark.usefixtures("without_pgqd")
def test_a_whole_source_server(pipeline: Pipeline, sandbox: Sandbox, ticks: int) -> None:
    """Its new ticks have the old numbers and other times, so that they are not taken for the old ones.

    What the target has of the time that is gone stays there; what was inserted since is loaded.
    """
    pipeline.drain()
    load(pipeline)
    saved = Copy(sandbox.source)
    pipeline.source.reconnect()
    for _ in range(ticks):
        load(pipeline)
    saved.restore()
    pipeline.source.reconnect()
    pipeline.insert(10)
    what = "of another time" if ticks == 1 else "the source is behind"
    with pytest.raises(LostPosition, match=what):
        pipeline.drain()
    for _ in range(ticks):
        with pytest.raises(SetupError, match=r"cannot rewind .* (of another time|has no tick \d+ )"):
            pipeline.act("rewind")
        pipeline.insert(10)
    with pytest.raises(LostPosition):
        pipeline.drain()
    with pytest.raises(SetupError, match=r"cannot rewind .* of another time .* --reset FILE goes on"):
        pipeline.act("rewind")
    pipeline.act("reset")
    pipeline.drain()
    verdict = pipeline.verdict()
    gone = tuple(range(11, 11 + 10 * ticks))
    assert (verdict.lost, verdict.doubled, verdict.unexpected) == ((), (), gone)


@pytest.mark.usefixtures("without_pgqd")
def test_a_source_server_from_before_the_registration(pipeline: Pipeline, sandbox: Sandbox) -> None:
    """The job does not register its consumer at a tick that only has the number of its position."""
    saved = Copy(sandbox.source)
    pipeline.source.reconnect()
    pipeline.drain()
    load(pipeline)
    saved.restore()
    pipeline.source.reconnect()
    with pytest.raises(LostPosition, match=r"is not registered .* which the queue does not have"):
        pipeline.drain()
    pipeline.insert(10)
    with pytest.raises(LostPosition, match="of another time, as if the queue had been created again"):
        pipeline.drain()
    said = pipeline.act("register")
    assert said[0] == "registered consumer job on queue q"
    pipeline.insert(10)
    pipeline.drain()
    verdict = pipeline.verdict()
    assert (verdict.lost, verdict.doubled) == (tuple(range(11, 21)), ())


@pytest.mark.parametrize("is_registered", [False, True])
@pytest.mark.usefixtures("without_pgqd")
def test_a_queue_that_is_dropped_and_created(pipeline: Pipeline, *, is_registered: bool) -> None:
    """With the same tick numbers: neither its ticks nor somebody's registration are taken for ours."""
    source, queue = pipeline.source, pipeline.queue
    pipeline.drain()
    load(pipeline)
    last = queue.last_tick("job")
    source.execute("drop trigger t_q on t; select pgq.drop_queue('q', true)")
    queue.create()
    queue.attach("t")
    if is_registered:
        source.execute("select pgq.register_consumer('q', 'job')")
    while source.value("select max(tick_id) from pgq.tick") < last:
        source.execute("select pgq.force_tick('q'); select pgq.ticker('q')")
    with pytest.raises(LostPosition, match="of another time"):
        pipeline.drain()
    with pytest.raises(SetupError, match="of another time"):
        pipeline.act("rewind")
    pipeline.act("reset" if is_registered else "register")
    load(pipeline)
    pipeline.check()
