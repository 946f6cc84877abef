"""Pausing a job whose process obeys orders, by histories."""

from __future__ import annotations

from dataclasses import replace

import pytest
from harness.programs.job import BROKEN, DISABLED, HOLDING, SOUND, a_job, a_running_job
from tdsup.jobtype import Condition, Order
from tdsup.supervisor.config.jobconfig import BrokenConfig, JobConfig
from tdsup.supervisor.errors import NotAllowed
from tdsup.supervisor.jobs.escalation import Action
from tdsup.supervisor.jobs.job import Job
from tdsup.supervisor.jobs.state import State


def take_order(job: Job, now: float) -> Order | None:
    """The order that is due, which its process gets."""
    assert job.next_action(now) is Action.ORDER
    job.done(Action.ORDER, now)
    assert job.next_action(now) is Action.NONE
    return job.standing.order


def a_paused_job() -> Job:
    """A job whose process 7 has paused at moment 2, as asked."""
    job = a_running_job(HOLDING)
    job.pause(1)
    take_order(job, 1)
    job.reported(Condition.PAUSED, "by uid 0 on host a", 2)
    return job


def test_a_pause_is_an_order_to_the_living_process() -> None:
    """The job counts as paused at once, and is in that state when its process says so."""
    job = a_running_job(HOLDING)
    assert job.pause(1)
    assert (job.state, job.reason, job.is_paused) == (State.RUNNING, "asked to pause", True)
    for event in (job.start, job.restart):
        with pytest.raises(NotAllowed, match="a: it is paused; resume lets it go on"):
            event(1)
    assert not job.pause(1)
    assert take_order(job, 1) is Order.PAUSE
    job.reported(Condition.RUNNING, "", 2)
    job.reported(Condition.RETRYING, "cannot connect", 2)
    assert (job.reason, job.last_error) == ("cannot connect; asked to pause", ("cannot connect", 2))
    job.reported(Condition.PAUSED, "by uid 0 on host a", 3)
    assert (job.state, job.pid, job.reason) == (State.PAUSED, 7, "by uid 0 on host a")
    assert (job.is_paused, job.standing.order) == (True, None)


def test_a_pause_that_is_written_nowhere_is_for_each_process() -> None:
    """Its processes are told again after a reload and a crash, until somebody resumes it."""
    job = a_running_job(HOLDING)
    job.pause(1)
    take_order(job, 1)
    job.reported(Condition.PAUSED, "paused here alone", 2, unwritten=True)
    assert (job.state, job.reason, job.is_paused) == (State.PAUSED, "paused here alone", True)
    assert job.next_action(2) is Action.NONE
    assert not job.pause(2)
    job.load(HOLDING, 3, asked=True)
    job.exited(0, "", 4)
    job.forked(8, 4)
    assert (job.state, job.reason) == (State.STARTING, "asked to pause")
    assert take_order(job, 5) is Order.PAUSE
    job.reported(Condition.PAUSED, "paused here alone", 5, unwritten=True)
    assert job.resume(6)
    assert take_order(job, 6) is Order.RESUME
    job.reported(Condition.RUNNING, "", 7)
    assert (job.state, job.standing.order, job.is_paused) == (State.RUNNING, None, False)


def test_a_resume_is_an_order_too() -> None:
    """The state is paused until the process works, or finds that another one does."""
    job = a_paused_job()
    assert job.resume(3)
    assert not job.resume(3)
    assert (job.state, job.reason, job.is_paused) == (
        State.PAUSED,
        "by uid 0 on host a; asked to resume",
        False,
    )
    assert take_order(job, 3) is Order.RESUME
    job.reported(Condition.PAUSED, "by uid 0 on host a", 4)
    job.reported(Condition.RETRYING, "cannot connect", 5)
    assert job.standing.order is Order.RESUME
    job.reported(Condition.RUNNING, "", 6)
    assert (job.state, job.reason) == (State.RUNNING, "")
    job.exited(1, "", 7)
    job.forked(8, 8)
    assert job.next_action(8) is Action.NONE


def test_a_process_that_dies_before_it_obeys_leaves_the_order_to_the_next() -> None:
    """Also what the next one reports before it has the order is no answer."""
    job = a_running_job(HOLDING)
    job.pause(1)
    take_order(job, 1)
    job.exited(-9, "", 2)
    assert (job.state, job.is_paused) == (State.BACKOFF, True)
    job.forked(8, 3)
    assert (job.reason, take_order(job, 3)) == ("asked to pause", Order.PAUSE)
    job.reported(Condition.PAUSED, "", 4)
    job.resume(5)
    job.exited(-9, "", 6)
    job.forked(9, 7)
    job.reported(Condition.RUNNING, "", 7)
    assert take_order(job, 7) is Order.RESUME


def test_one_that_dies_paused_is_followed_by_one_that_finds_out_by_itself() -> None:
    """Nobody tells it: meanwhile somebody may have let the job go on from elsewhere."""
    job = a_paused_job()
    job.exited(-9, "", 3)
    job.forked(8, 4)
    assert job.next_action(4) is Action.NONE
    job.reported(Condition.PAUSED, "by uid 0 on host a", 5)
    assert job.is_paused


def test_a_job_may_be_paused_and_let_go_from_elsewhere() -> None:
    """What its process reports is the state; from here it can be resumed as well."""
    job = a_running_job(HOLDING)
    job.reported(Condition.PAUSED, "by uid 0 on host b", 1)
    assert (job.state, job.is_paused, job.pause(1)) == (State.PAUSED, True, False)
    job.reported(Condition.RUNNING, "", 2)
    assert (job.state, job.is_paused) == (State.RUNNING, False)
    job.reported(Condition.PAUSED, "by uid 0 on host b", 3)
    assert job.resume(3)


@pytest.mark.parametrize("state", [State.STOPPED, State.BLOCKED, State.BACKOFF])
def test_a_job_without_a_process_gets_one_that_pauses(state: State) -> None:
    """Other hosts hear of it that way; if it cannot, the job still counts as paused."""
    job = a_running_job(HOLDING)
    job.exited({State.STOPPED: 0, State.BLOCKED: 78}.get(state, 1), "", 1)
    assert job.state is state
    assert job.pause(2)
    assert (job.next_action(2), job.asked) == (Action.SPAWN, True)
    job.forked(8, 2)
    assert take_order(job, 2) is Order.PAUSE
    job.exited(78, "cannot load", 3)
    assert (job.state, job.reason, job.is_paused) == (State.BLOCKED, "cannot load", True)
    assert job.resume(4)
    job.forked(9, 4)
    assert take_order(job, 4) is Order.RESUME


@pytest.mark.parametrize("file", [BROKEN, DISABLED])
def test_a_file_that_does_not_run_is_paused_without_a_process(file: JobConfig | BrokenConfig) -> None:
    """As soon as it runs, a process gets the order."""
    job = a_job(file)
    assert job.pause(1)
    assert (job.state, job.next_action(1)) == (State.PAUSED, Action.NONE)
    job.load(HOLDING, 2, asked=False)
    assert job.next_action(2) is Action.SPAWN
    job.forked(7, 2)
    assert take_order(job, 2) is Order.PAUSE


def test_a_paused_job_takes_a_new_file() -> None:
    """By a new process, which finds out by itself; one whose file does not obey orders rests without."""
    job = a_paused_job()
    job.load(replace(HOLDING, digest="2"), 3, asked=True)
    assert (job.state, job.next_action(3)) == (State.STOPPING, Action.INTERRUPT)
    job.done(Action.INTERRUPT, 3)
    job.exited(0, "", 4)
    job.forked(8, 4)
    assert job.next_action(4) is Action.NONE
    job.reported(Condition.PAUSED, "", 5)
    job.load(SOUND, 6, asked=True)
    job.exited(0, "", 7)
    assert (job.state, job.file, job.next_action(7)) == (State.PAUSED, SOUND, Action.NONE)
    assert job.resume(8)
    job.forked(9, 8)
    assert job.next_action(8) is Action.NONE


def test_an_order_that_no_process_has_had_goes_when_the_type_does() -> None:
    """A job type without orders never gets one."""
    job = a_running_job(HOLDING)
    job.pause(1)
    job.load(SOUND, 2, asked=True)
    job.exited(0, "", 3)
    assert (job.state, job.standing.order, job.is_paused) == (State.PAUSED, None, True)
    job = a_paused_job()
    job.resume(3)
    job.load(SOUND, 4, asked=True)
    job.exited(0, "", 5)
    job.forked(8, 5)
    assert (job.standing.order, job.next_action(5)) == (None, Action.NONE)


def test_a_paused_job_is_stopped_and_removed_like_a_running_one() -> None:
    """It has a process; a start brings one that is still paused."""
    job = a_paused_job()
    assert job.stop(3)
    assert (job.state, job.next_action(3)) == (State.STOPPING, Action.INTERRUPT)
    job.exited(0, "", 4)
    assert (job.state, job.is_paused) == (State.STOPPED, False)
    assert job.start(5)
    job = a_paused_job()
    job.remove(3)
    assert not job.pause(3)
    job.exited(0, "", 4)
    assert job.removed


def test_a_pause_of_a_job_that_is_being_stopped_is_for_the_next_process() -> None:
    """Other hosts have to hear of it; a stop after that is a stop, and the order stands."""
    job = a_running_job(HOLDING)
    job.stop(1)
    assert job.pause(2)
    job.exited(0, "", 3)
    job.forked(8, 3)
    assert job.next_action(3) is Action.ORDER
    job.stop(4)
    job.exited(0, "", 5)
    assert (job.state, job.is_paused) == (State.STOPPED, True)


def test_a_silent_process_is_killed_though_it_is_paused() -> None:
    """It shows signs of life like any other."""
    job = a_paused_job()
    assert job.next_action(32) is Action.KILL
