"""How many ticks make a batch."""

from __future__ import annotations

import pytest
from harness.rows.pipeline import Pipeline

pytestmark = pytest.mark.usefixtures("without_pgqd")


def batches(pipeline: Pipeline, ticks: int, **keys: object) -> float:
    """How many batches are made of some ticks of 100 events."""
    for _ in range(ticks):
        pipeline.insert(100)
    number: float = pipeline.drain(**keys)["batches"]
    pipeline.check()
    return number


def test_ticks_are_merged_while_behind(pipeline: Pipeline) -> None:
    """Twenty ticks make a few batches; with merge_events = 0 each is one; another limit is kept."""
    batches(pipeline, 1)
    assert batches(pipeline, 20) <= 5
    assert batches(pipeline, 20, merge_events=0) == 20
    assert 9 <= batches(pipeline, 20, merge_events=400) <= 12


def test_ticks_of_other_tables_events_are_merged_too(pipeline: Pipeline) -> None:
    """A job whose table is rare in the queue is behind by ticks that have nothing for it."""
    for _ in range(20):
        pipeline.source.execute(
            "select count(pgq.insert_event(%s, 'I:id', 'id=1', 'public.other', null, null, null)) "
            "from generate_series(1, 100)",
            pipeline.queue.name,
        )
        pipeline.queue.tick()
    pipeline.insert(1)
    values = pipeline.drain(table_filter="t")
    assert (values["rows"], values["batches"] <= 5) == (1, True), values
    pipeline.check()


def test_collecting_keeps_its_meaning(pipeline: Pipeline) -> None:
    """A batch has at least that many events, whether the job is behind or not; fewer have to wait."""
    batches(pipeline, 1)
    for _ in range(7):
        pipeline.insert(100)
    values = pipeline.drain(pgq_batch_collect_events=300)
    assert values["batches"] <= 2
    assert values["events"] >= 300
    pipeline.insert(100)
    left = pipeline.drain(pgq_batch_collect_events=100_000)
    assert left["events"] == 0
    pipeline.drain()
    pipeline.check()


def test_lagging_keeps_its_meaning(pipeline: Pipeline) -> None:
    """Events that are too young wait, however far the job is behind; older ones are loaded."""
    batches(pipeline, 1)
    for _ in range(5):
        pipeline.insert(100)
    # The ticks become older, and with them the events.
    pipeline.source.execute(
        "update pgq.tick set tick_time = tick_time - interval '1 hour' where tick_id > %s",
        pipeline.queue.last_tick("job"),
    )
    for _ in range(5):
        pipeline.insert(100)
    values = pipeline.drain(pgq_keep_lag="30 minutes")
    assert values["events"] == 500
    assert pipeline.drain()["events"] == 500
    pipeline.check()
