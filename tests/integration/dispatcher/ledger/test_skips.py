"""A batch that a person passes over: its events are kept, and counted."""

from __future__ import annotations

import pytest
from harness.paths import PGQ_EXT
from harness.rows.pipeline import Pipeline
from harness.servers.database import Database
from tdsup.dispatcher.errors import DataError, SetupError


@pytest.fixture(params=["own", "pgq_ext"])
def stopped(target: Database, checked: Pipeline, request: pytest.FixtureRequest) -> Pipeline:
    """A job that a bad event of its second batch has stopped."""
    if request.param == "pgq_ext":
        checked.act("unregister")
        target.execute(PGQ_EXT.read_text(encoding="utf-8"))
        checked.drain()
    checked.source.execute("insert into t select g, '2026-11-01', g from generate_series(1, 5) g")
    checked.queue.tick()
    checked.drain(bad_events="stop")
    checked.source.execute("insert into t select g, '2026-11-01', g * 10 from generate_series(6, 10) g")
    checked.queue.tick()
    with pytest.raises(DataError):
        checked.drain(bad_events="stop")
    return checked


LETTERS = "select reason, sqlstate, count(*) from tdsup.dead_letter group by 1, 2"


def test_the_batch_becomes_dead_letters(stopped: Pipeline) -> None:
    """All of it, with the reason; the job goes on, its counters know, and the letters can be replayed."""
    (said,) = stopped.act("skip")
    assert said.startswith("skipped batch ")
    assert said.endswith("its 5 events are dead letters")
    assert stopped.target.rows(LETTERS) == [("skipped by a person, with its batch", None, 5)]
    (counters,) = stopped.target.column("select counters from tdsup.consumer")
    assert (counters["rows"], counters["events"]) == (5, {"insert,row": 5, "insert,dead_letter": 5})
    assert stopped.drain(bad_events="stop")["events"] == 0
    stopped.source.execute("insert into t values (11, '2026-11-01', 11)")
    stopped.queue.tick()
    assert stopped.drain(bad_events="stop")["rows"] == 1
    assert stopped.act("replay")[-2] == "loaded 4 of 5"
    assert stopped.target.column("select n from t order by id")[5:] == [60, 70, 80, 90, 11]
    assert stopped.target.value("select reason like '%check constraint%' from tdsup.dead_letter")
    source_at, target_at = stopped.verdict().positions
    assert source_at == target_at


def test_what_is_masked_is_masked_in_a_skipped_batch(stopped: Pipeline) -> None:
    """The letters show no more than rows would."""
    stopped.act("skip", mask="n: null")
    letters = stopped.target.column("select ev_data from tdsup.dead_letter order by ev_id")
    assert letters == [f"id={number}&day=2026-11-01&n" for number in range(6, 11)]


def test_a_batch_that_the_target_has(stopped: Pipeline) -> None:
    """It is finished, and nothing is buried; then there is none to skip."""
    first = stopped.source.value("select sub_last_tick from pgq.subscription")
    stopped.drain()
    stopped.target.execute("delete from tdsup.dead_letter")
    stopped.source.execute("select pgq.register_consumer_at('q', 'job', %s)", first)
    stopped.source.execute("select pgq.next_batch('q', 'job')")
    (said,) = stopped.act("skip")
    assert said.endswith("of queue q: the target has it already")
    assert stopped.target.rows(LETTERS) == []
    with pytest.raises(SetupError, match=r"cannot skip the open batch of consumer job .*: there is none"):
        stopped.act("skip")


def test_a_batch_that_is_not_open_is_spared(stopped: Pipeline) -> None:
    """A second skip does not bury the batch after, which has stopped nobody."""
    stopped.act("skip")
    stopped.source.execute("insert into t values (11, '2026-11-01', 11)")
    stopped.queue.tick()
    with pytest.raises(SetupError, match=r"cannot skip the open batch of consumer job .*: there is none"):
        stopped.act("skip")
    assert stopped.drain(bad_events="stop")["rows"] == 1


def test_a_lost_position_is_not_skipped(stopped: Pipeline) -> None:
    """Nobody knows then what the target lacks."""
    stopped.target.execute(
        "select pgq_ext.set_last_tick('job', 99)"
        if stopped.target.value("select to_regnamespace('pgq_ext') is not null")
        else "update tdsup.completed_tick set last_tick_id = 99"
    )
    with pytest.raises(SetupError, match=r"cannot skip .* Lost position"):
        stopped.act("skip")
    assert stopped.target.rows(LETTERS) == []


def test_a_job_at_work_is_left_alone(stopped: Pipeline) -> None:
    """Its batch may be loaded at this moment."""
    with stopped.running() as job, stopped.target.another() as blocker:
        job.wait_for("running", rows=4)
        blocker.execute("begin; lock table t in exclusive mode")
        blocker.execute("lock table t_2026_11_01 in exclusive mode")
        stopped.source.execute("insert into t values (12, '2026-11-01', 12)")
        stopped.queue.tick()
        stopped.target.wait_for("select exists (select from pg_locks where not granted)")
        with pytest.raises(SetupError, match=r"cannot skip .* it works at this moment: .*; stop it first"):
            stopped.act("skip")
        blocker.execute("rollback")
        job.wait_for("running", rows=5)
