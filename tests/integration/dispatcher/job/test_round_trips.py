"""How often a job waits for its servers."""

from __future__ import annotations

import pytest
from harness.paths import PGQ_EXT
from harness.rows.pipeline import Pipeline
from harness.servers.database import Database
from harness.servers.queue import Queue
from harness.servers.relay import relay

pytestmark = pytest.mark.usefixtures("without_pgqd")

BATCHES = 10

EACH = [3, 6]
"""Round trips of a batch to source and target, whose rows are of one partition."""


def _trips(pipeline: Pipeline, batches: int) -> tuple[int, int]:
    """Round trips to source and target of a run that loads so many batches of one tick each."""
    before = pipeline.queue.last_tick("job")
    for _ in range(batches):
        pipeline.insert(10, days=1)
    with relay(pipeline.source.dsn) as source, relay(pipeline.target.dsn) as target:
        pipeline.drain(src_db=source.dsn, dst_db=target.dsn, merge_events=0)
    assert pipeline.queue.last_tick("job") == before + batches
    return source.trips, target.trips


@pytest.mark.parametrize("pgq_ext", [False, True])
def test_round_trips_of_a_batch(target: Database, queue: Queue, *, pgq_ext: bool) -> None:
    """No more than in the program of schema version 1, which kept a lock for its session.

    That one, at commit 46f5453, made 3 to the source and 6 to the target, with either place for positions. To
    the source: next_batch, COPY, finish_batch. To the target: BEGIN, owner and position, COPY and its end,
    position and counters, COMMIT.
    """
    if pgq_ext:
        target.execute(PGQ_EXT.read_text())
    pipeline = Pipeline(queue, target, part_field="day")
    pipeline.drain()
    # The partition is made.
    _trips(pipeline, 1)
    less, more = _trips(pipeline, BATCHES), _trips(pipeline, 2 * BATCHES)
    assert [(large - small) / BATCHES for small, large in zip(less, more, strict=True)] == EACH
    pipeline.check()
