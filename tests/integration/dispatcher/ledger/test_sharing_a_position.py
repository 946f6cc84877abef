"""A position that several programs lock, each in its own way: each sees what the others have committed."""

from __future__ import annotations

import pytest
from harness.rows.pipeline import Pipeline

WAITS = "select exists (select from pg_stat_activity where wait_event_type = 'Lock' and query ilike %s)"


def test_a_position_is_locked_whoever_moves_it(pipeline: Pipeline, caplog: pytest.LogCaptureFixture) -> None:
    """A program without a row of the consumer locks the position's: a batch waits for that and skips."""
    target = pipeline.target
    # A tick amid an insert would show its rows in the batch after the next one.
    pipeline.source.execute("select pgq.set_queue_config(%s, 'ticker_max_count', '500')", pipeline.queue.name)
    with caplog.at_level("INFO", "job"), pipeline.running() as job, target.another() as other:
        pipeline.insert(5)
        job.wait_for("running", rows=5)
        other.execute("begin; select from tdsup.completed_tick for update")
        pipeline.insert(5)
        target.wait_for(WAITS, "%completed_tick%for update%")
        tick, time = pipeline.source.rows(
            "select tick_id, extract(epoch from tick_time)::float8 "
            "from pgq.tick join pgq.subscription on tick_id = sub_next_tick"
        )[0]
        other.execute(
            "insert into t_2026_11_01 select g, '2026-11-01' from generate_series(6, 10) g; "
            "update tdsup.completed_tick set (last_tick_id, last_tick_time) = (%s, %s); commit",
            tick,
            time,
        )
        pipeline.insert(5)
        job.wait_for("running", rows=10)
    assert "the target has it already" in caplog.text
    pipeline.check()
