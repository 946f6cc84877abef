"""Where a consumer begins, and where it goes on after it was unregistered or retired."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.programs.program import Program
from harness.rows.orders import Orders
from harness.rows.pipeline import Pipeline
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.errors import LostPosition

WAITS = "select exists (select from pg_stat_activity where wait_event_type = 'Lock' and query ilike %s)"


def test_a_crash_between_position_and_registration(tmp_path: Path, source: Database, orders: Orders) -> None:
    """The position is whole and committed before; the next start registers there, and misses no event."""
    keys = orders.keys(job_name="orders")
    with source.another() as blocker:
        blocker.execute("begin; lock table pgq.consumer in exclusive mode")
        with Program(tmp_path / "first", **keys):
            source.wait_for(WAITS, "%register_consumer_at%")
        row = "select last_tick_id > 0 and last_tick_time > 0 from tdsup.completed_tick"
        assert orders.target.column(row) == [True]
        orders.insert(10, tick=False)
        source.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and wait_event_type = 'Lock'"
        )
        blocker.execute("rollback")
    orders.queue.tick()
    assert source.value("select count(*) from pgq.get_consumer_info()") == 0
    orders.drain(job_name="orders")
    orders.check()


def test_somebody_registers_a_consumer_that_was_unregistered(pipeline: Pipeline) -> None:
    """At a later tick than the target's position: what lies between is not passed over."""
    pipeline.insert(5)
    pipeline.drain()
    pipeline.source.execute("select pgq.unregister_consumer('q', 'job')")
    pipeline.insert(5)
    pipeline.source.execute("select pgq.register_consumer('q', 'job')")
    pipeline.insert(5)
    with pytest.raises(LostPosition, match="the target is behind"):
        pipeline.drain()
    pipeline.act("rewind")
    pipeline.drain()
    pipeline.check()


@pytest.mark.parametrize("start", ["registered", "beginning"])
def test_start_is_for_one_start(
    target: Database, queue: Queue, caplog: pytest.LogCaptureFixture, start: str
) -> None:
    """While it stands in the file, log and status ask to remove it; without it nobody says a word."""
    pipeline = Pipeline(queue, target)
    queue.source.execute("select pgq.register_consumer('q', 'job')")
    pipeline.insert(5)
    reminder = f"remove start = {start} from its file: after a restore it would count again"
    for _ in range(2):
        with pipeline.running(start=start) as job:
            job.wait_for("running", rows=5, reason=reminder)
        assert caplog.text.count(reminder) == 1
        caplog.clear()
        pipeline.insert(5)
    with pipeline.running() as job:
        job.wait_for("running", rows=5)
        assert not any(report.reason for report in job.context.reports)
    assert "remove start" not in caplog.text
    pipeline.check()


def test_a_retired_job(pipeline: Pipeline) -> None:
    """Its consumer is gone and its row is history; a start afterwards goes on from there."""
    source, target = pipeline.source, pipeline.target
    pipeline.insert(5)
    pipeline.drain()
    last = pipeline.queue.last_tick("job")
    kept = f"its position, tick {last}, is kept"
    assert pipeline.act("retire") == [f"unregistered consumer job on queue q; {kept}"]
    assert pipeline.act("retire") == [f"consumer job on queue q was not registered; {kept}"]
    assert source.value("select count(*) from pgq.get_consumer_info()") == 0
    assert target.column("select last_tick_id from tdsup.completed_tick") == [last]
    ((counters, blocked),) = target.rows("select counters, blocked from tdsup.consumer")
    assert counters["rows"] == 5
    assert blocked.startswith("retired; a start registers it again")
    pipeline.insert(5)
    pipeline.drain()
    pipeline.check()


def test_a_retired_job_is_registered_where_it_was(pipeline: Pipeline) -> None:
    """As a start does it: what came meanwhile is loaded, as far as the queue has the position's tick."""
    pipeline.insert(5)
    pipeline.drain()
    pipeline.act("retire")
    pipeline.insert(5)
    last = pipeline.target.value("select last_tick_id from tdsup.completed_tick")
    assert pipeline.act("register") == [
        "registered consumer job on queue q",
        f"its position is tick {last}, as before",
    ]
    assert pipeline.target.value("select blocked is null from tdsup.consumer")
    pipeline.drain()
    pipeline.check()


def test_a_retired_job_whose_tick_is_gone(pipeline: Pipeline) -> None:
    """The queue went on without it: the job is blocked, and a registration begins anew."""
    pipeline.insert(5)
    pipeline.drain()
    pipeline.act("retire")
    last = pipeline.target.value("select last_tick_id from tdsup.completed_tick")
    pipeline.source.execute("select pgq.force_tick('q'); select pgq.ticker('q')")
    pipeline.source.execute("delete from pgq.tick where tick_id <= %s", last)
    with pytest.raises(LostPosition, match="which the queue does not have"):
        pipeline.drain()
    pipeline.act("register")
    pipeline.insert(5)
    pipeline.drain()
    pipeline.check()
