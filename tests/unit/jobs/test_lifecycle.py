"""The life cycle of a job: what its processes do to it, by histories."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from harness.programs.job import TIMEOUTS, a_job, a_running_job
from hypothesis import given
from hypothesis import strategies as st
from tdsup.jobtype import Condition, Metric
from tdsup.supervisor.errors import IllegalMoveError
from tdsup.supervisor.jobs.backoff import Backoff, Schedule
from tdsup.supervisor.jobs.escalation import Action
from tdsup.supervisor.jobs.job import Job
from tdsup.supervisor.jobs.state import State


def test_a_new_job_is_to_be_spawned_and_runs_once_it_reports() -> None:
    """Starting, a fork, a report: running, without a reason."""
    job = a_job()
    assert (job.state, job.next_action(0)) == (State.STARTING, Action.SPAWN)
    job.forked(7, 1)
    assert (job.state, job.next_action(1)) == (State.STARTING, Action.NONE)
    job.reported(Condition.RUNNING, "", 2)
    assert (job.state, job.since, job.pid, job.reason) == (State.RUNNING, 2, 7, "")


@pytest.mark.parametrize(
    ("code", "state", "reason"),
    [
        (0, State.STOPPED, "ended, but not by the fleet: exit status 0"),
        (-2, State.STOPPED, "ended, but not by the fleet: killed by SIGINT"),
        (-15, State.STOPPED, "ended, but not by the fleet: killed by SIGTERM"),
        (130, State.STOPPED, "ended, but not by the fleet: exit status 130 (SIGINT)"),
        (78, State.BLOCKED, "exit status 78"),
        (1, State.BACKOFF, "exit status 1"),
        (-9, State.BACKOFF, "killed by SIGKILL"),
        (-11, State.BACKOFF, "killed by SIGSEGV"),
        (-64, State.BACKOFF, "killed by SIGRTMAX"),
        (-99, State.BACKOFF, "killed by signal 99"),
    ],
)
def test_what_follows_an_exit(code: int, state: State, reason: str) -> None:
    """Who ends a worker on purpose finds it stopped, 78 blocks, everything else is tried again."""
    job = a_running_job()
    job.exited(code, "", 1)
    assert (job.state, job.reason, job.pid) == (state, reason, None)


def test_the_process_s_own_words_are_the_reason() -> None:
    """What a worker said before it died tells more than its exit status."""
    job = a_running_job()
    job.exited(1, "cannot load orders: no such column", 1)
    assert job.reason == "cannot load orders: no such column"
    assert job.last_error == (job.reason, 1)


def test_a_crash_loop_backs_off_and_never_gives_up() -> None:
    """Delays double from 0.5 to 30 seconds and stay there for ever."""
    job, now, delays = a_job(), 0.0, []
    for _ in range(2000):
        assert job.next_action(now) is Action.SPAWN
        job.forked(7, now)
        job.exited(1, "", now)
        assert job.next_action(now) is Action.NONE
        delays.append(job.deadline() - now)
        now = job.deadline()
    assert [round(delay, 6) for delay in delays[:8]] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert round(delays[-1], 6) == 30
    assert job.restarts == {"crash": 1999}


@pytest.mark.parametrize(("life", "delay"), [(29, 2), (30, 0.5)])
def test_a_healthy_life_starts_the_delays_over(life: float, delay: float) -> None:
    """Thirty seconds since ready count, less do not."""
    job = a_job()
    for _ in range(2):
        job.forked(7, 0)
        job.exited(1, "", 0)
    job.forked(7, 10)
    job.reported(Condition.RUNNING, "", 10)
    job.exited(1, "", 10 + life)
    assert job.retry_in(10 + life) == pytest.approx(delay)


def test_a_life_spent_retrying_is_not_healthy() -> None:
    """A worker that could never reach its database does not start the delays over."""
    job = a_job()
    job.forked(7, 0)
    job.exited(1, "", 0)
    job.forked(7, 1)
    job.reported(Condition.RETRYING, "cannot connect", 1)
    job.exited(1, "", 1000)
    assert job.retry_in(1000) == pytest.approx(1)


def test_conditions_are_states() -> None:
    """A worker that retries by itself is in backoff with its pid; one that waits is standby."""
    job = a_running_job()
    job.reported(Condition.RETRYING, "cannot connect", 1)
    assert (job.state, job.pid, job.reason, job.retry_in(1)) == (State.BACKOFF, 7, "cannot connect", None)
    assert job.next_action(2) is Action.NONE
    assert job.last_error == ("cannot connect", 1.0)
    job.reported(Condition.STANDBY, "another one works", 2)
    assert (job.state, job.reason) == (State.STANDBY, "another one works")
    job.reported(Condition.RUNNING, "", 3)
    assert (job.state, job.reason, job.since) == (State.RUNNING, "", 3)
    job.reported(Condition.PAUSED, "paused on host b", 4)
    assert (job.state, job.pid, job.reason) == (State.PAUSED, 7, "paused on host b")


def test_a_process_knows_whether_somebody_asked_for_it() -> None:
    """A start and a reload are asked for; what replaces a dead process is not, unless somebody is faster."""
    job = a_running_job()
    seen = [job.asked]
    job.exited(-9, "", 1)
    seen.append(job.asked)
    job.start(1)
    seen.append(job.asked)
    job.not_forked("no", 2)
    seen.append(job.asked)
    job.forked(8, 3)
    job.restart(4)
    job.exited(0, "", 5)
    seen.append(job.asked)
    assert seen == [True, False, True, False, True]


def test_silence_is_ended_by_a_kill_and_then_tried_again() -> None:
    """A process without a heartbeat is killed; the next one comes only after its death."""
    job = a_running_job()
    job.heard(10)
    assert job.next_action(39.9) is Action.NONE
    assert (job.deadline(), job.next_action(40)) == (40, Action.KILL)
    job.done(Action.KILL, 40)
    assert (job.state, job.reason) == (State.STOPPING, "no heartbeat for 30 s")
    assert job.next_action(9999) is Action.NONE
    job.exited(-9, "", 41)
    assert (job.state, job.reason) == (State.BACKOFF, "no heartbeat for 30 s")
    job.forked(8, 42)
    assert job.restarts == {"heartbeat": 1}


def test_a_process_at_rest_may_be_silent_until_it_is_disturbed() -> None:
    """What it is told wakes it, and a sign of life is due again. Until its death it had all."""
    job = a_running_job()
    job.tally.describe([Metric("lag", "age", "")], {})
    job.tally.update({"lag": None}, 0)
    job.heard(10)
    job.pulse.rests = True
    assert (job.deadline(), job.next_action(9999)) == (math.inf, Action.NONE)
    job.pulse.disturb(100)
    job.pulse.disturb(110)
    assert job.deadline() == 130
    job.pulse.rests = True
    job.heard(125)
    assert job.deadline() == 155
    job.pulse.rests = True
    job.exited(1, "", 500)
    assert job.tally.value("lag", 501) == 1


def test_a_stop_grows_urgent_by_deadlines() -> None:
    """SIGINT at once, SIGTERM after stop_timeout, SIGKILL after kill_timeout, then nothing more."""
    job = a_running_job()
    job.stop(100)
    assert (job.state, job.next_action(100)) == (State.STOPPING, Action.INTERRUPT)
    job.done(Action.INTERRUPT, 100)
    assert (job.next_action(119), job.deadline()) == (Action.NONE, 120)
    assert job.next_action(120) is Action.TERMINATE
    job.done(Action.TERMINATE, 120)
    assert job.reason == "asked to stop; sent SIGTERM"
    assert job.next_action(125) is Action.KILL
    job.done(Action.KILL, 125)
    assert job.next_action(1e9) is Action.NONE
    job.exited(-9, "", 126)
    assert (job.state, job.reason, job.next_action(1e9)) == (State.STOPPED, "as asked", Action.NONE)


def test_a_stop_that_is_asked_for_twice_does_not_start_over() -> None:
    """Whoever asks again does not win the process more time."""
    job = a_running_job()
    job.stop(0)
    job.done(Action.INTERRUPT, 0)
    job.stop(19)
    assert job.deadline() == 20


def test_a_child_without_a_file_always_comes_back() -> None:
    """Nobody but the fleet ends the web child on purpose."""
    web = a_job(None)
    web.forked(7, 0)
    web.exited(0, "", 1)
    assert web.state is State.BACKOFF


def test_a_failed_fork_backs_off() -> None:
    """A full process table is no reason to give up."""
    job = a_job()
    job.not_forked("cannot fork: Resource temporarily unavailable", 0)
    assert (job.state, job.retry_in(0)) == (State.BACKOFF, 0.5)
    job.forked(7, 0.5)
    assert job.restarts == {"fork": 1}


def test_counters_go_on_over_the_death_of_a_process() -> None:
    """The next process starts at 0, the job does not."""
    job = a_running_job()
    job.tally.describe([Metric("events", "counter", "")], {})
    job.tally.update({"events": 5}, 1)
    job.exited(-9, "", 2)
    assert job.tally.value("events", 2) == 5
    job.forked(8, 3)
    job.tally.update({"events": 2}, 4)
    assert job.tally.value("events", 4) == 7


IMPOSSIBLE: list[tuple[str, Callable[[Job], None]]] = [
    ("a second process", lambda job: job.forked(8, 1)),
    ("no fork beside a process", lambda job: job.not_forked("", 1)),
]


@pytest.mark.parametrize(("what", "event"), IMPOSSIBLE)
def test_what_cannot_happen_to_a_running_job_is_an_error(what: str, event: Callable[[Job], None]) -> None:
    """There are never two processes of one job."""
    with pytest.raises(IllegalMoveError, match=r"a: .* but it is running with a process"):
        event(a_running_job())
    assert what


@pytest.mark.parametrize(
    "event",
    [
        lambda job: job.forked(8, 1),
        lambda job: job.heard(1),
        lambda job: job.reported(Condition.RUNNING, "", 1),
        lambda job: job.exited(0, "", 1),
        lambda job: job.done(Action.KILL, 1),
    ],
)
def test_what_cannot_happen_to_a_stopped_job_is_an_error(event: Callable[[Job], None]) -> None:
    """No process, no events of one."""
    job = a_running_job()
    job.exited(0, "", 1)
    with pytest.raises(IllegalMoveError, match="it is stopped without a process"):
        event(job)


@given(st.floats(-1e9, 1e9))
def test_the_clock_s_origin_does_not_matter(origin: float) -> None:
    """A history tells the same from any moment on: only differences of the monotonic clock decide."""
    job = Job("a", None, Backoff(Schedule(), lambda: 0.5), TIMEOUTS, origin)
    job.forked(7, origin)
    job.reported(Condition.RUNNING, "", origin + 1)
    job.exited(1, "", origin + 2)
    assert job.next_action(origin + 2.25) is Action.NONE
    assert job.next_action(origin + 2.75) is Action.SPAWN
