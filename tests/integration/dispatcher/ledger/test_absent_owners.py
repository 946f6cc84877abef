"""An owner without sessions is waited for, for so long, and then no longer."""

from __future__ import annotations

import time

import pytest
from harness.rows.pipeline import Pipeline

# A tick without events is news, too.
pytestmark = pytest.mark.usefixtures("without_pgqd")

AFTER = 2.0
"""Seconds that an owner has here; 10 if nothing else is said."""

SOON = 3.0
"""Seconds within which a standby then takes over."""


def _leave_to_an_absent_owner(pipeline: Pipeline, next_try: str = "null") -> int:
    """Let another process own the consumer, without sessions and with nothing to read; returns the epoch."""
    pipeline.drain()
    epoch: int = pipeline.target.value(
        "update tdsup.consumer set epoch = epoch + 1, owner = 'other', host = 'far', target_pid = null, "
        f"target_start = null, source_pid = null, source_start = null, next_try = {next_try} returning epoch"
    )
    return epoch


def test_an_idle_owner_has_time_from_the_first_news_on(pipeline: Pipeline) -> None:
    """Without news it is waited for as long as that takes; it has 2 s from the first news, not the last."""
    epoch = _leave_to_an_absent_owner(pipeline)
    with pipeline.running(takeover_after=AFTER) as standby:
        standby.wait_for("standby", reason="host far, which has no connection at this moment")
        time.sleep(AFTER + SOON)
        standby.wait_for("standby")
        pipeline.insert(10)
        began = time.monotonic()
        while pipeline.target.value("select epoch from tdsup.consumer") == epoch:
            pipeline.insert(1)
            time.sleep(0.1)
        assert AFTER <= time.monotonic() - began < AFTER + SOON
        standby.wait_for("running", rows=10)
    pipeline.check()


def test_news_that_the_owner_has_read_are_none(pipeline: Pipeline) -> None:
    """An owner that comes, works and rests again keeps the consumer, however often."""
    _leave_to_an_absent_owner(pipeline)
    with pipeline.running(takeover_after=AFTER) as standby:
        standby.wait_for("standby")
        for _ in range(4):
            pipeline.insert(1)
            time.sleep(AFTER / 2)
            pipeline.target.execute(
                "update tdsup.completed_tick set last_tick_id = %s",
                pipeline.source.value("select max(tick_id) from pgq.tick"),
            )
            time.sleep(AFTER / 2)
        standby.wait_for("standby", reason="host far")
        assert pipeline.target.value("select owner from tdsup.consumer") == "other"


@pytest.mark.parametrize("has_news", [False, True])
def test_an_owner_that_comes_back_later_has_time_from_then_on(pipeline: Pipeline, *, has_news: bool) -> None:
    """Whether or not there are news meanwhile."""
    _leave_to_an_absent_owner(pipeline, "clock_timestamp() + interval '2 seconds'")
    began = time.monotonic()
    with pipeline.running(takeover_after=AFTER) as standby:
        if has_news:
            pipeline.insert(10)
        standby.wait_for("running")
        assert AFTER + 2 <= time.monotonic() - began < AFTER + 2 + SOON
    pipeline.check()


def test_an_owner_that_was_refused_keeps_the_consumer(pipeline: Pipeline) -> None:
    """It tries again and again, ever less, while a lock keeps its rows out; the standby stands by."""
    target = pipeline.target
    name = target.value("select current_database()")
    pipeline.insert(10)
    pipeline.drain()
    target.execute(f"alter database {name} set lock_timeout = '100ms'")
    with target.another() as blocker, pipeline.running() as owner:
        owner.wait_for("running")
        with pipeline.running() as standby:
            standby.wait_for("standby")
            identity = target.value("select owner from tdsup.consumer")
            blocker.execute("begin; lock table t_2026_11_01 in exclusive mode")
            pipeline.insert(10)
            owner.wait_for("retrying", reason="lock timeout")
            standby.wait_for("standby", reason=", which has no connection at this moment")
            owners = set()
            end = time.monotonic() + SOON
            while time.monotonic() < end:
                owners.add(target.value("select owner from tdsup.consumer"))
                time.sleep(0.02)
            assert owners == {identity}
            blocker.execute("rollback")
            owner.wait_for("running", rows=10)
            standby.wait_for("standby", reason=", backend ")
    pipeline.check()


def test_a_read_only_target_leaves_one_owner_in_the_end(pipeline: Pipeline) -> None:
    """Nothing can be written there about who tries again when; both try, and one works afterwards."""
    target = pipeline.target
    name = target.value("select current_database()")
    with pipeline.running() as one:
        one.wait_for("running")
        with pipeline.running() as two:
            two.wait_for("standby")
            target.execute(f"alter database {name} set default_transaction_read_only = on")
            target.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'tdsup %'"
            )
            one.wait_for("retrying", reason="read-only")
            two.wait_for("retrying", reason="read-only")
            target.execute("set transaction_read_only = off")
            target.execute(f"begin; set transaction read write; alter database {name} reset all; commit")
            pipeline.insert(10)
            target.wait_for("select count(*) = 10 from t")
            wanted = {"running", "standby"}
            deadline = time.monotonic() + 20
            while {str(job.context.reports[-1].condition) for job in (one, two)} != wanted:
                assert time.monotonic() < deadline, [job.context.reports[-1] for job in (one, two)]
                time.sleep(0.05)
    pipeline.check()
