"""The state machine of one job, by histories."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tdsup.jobtype import Condition, Metric
from tdsup.supervisor.config.jobconfig import BrokenConfig, JobConfig
from tdsup.supervisor.config.jobsettings import JobSettings
from tdsup.supervisor.errors import ConfigError, IllegalMoveError, NotAllowed
from tdsup.supervisor.master.backoff import Backoff, Schedule
from tdsup.supervisor.master.escalation import Action, Timeouts
from tdsup.supervisor.master.job import Job
from tdsup.supervisor.master.state import CONDITIONS, State

TIMEOUTS = Timeouts(heartbeat=30, stop=20, kill=5)

BROKEN = BrokenConfig("conf.d/a.ini", "", "a", ConfigError("cannot load conf.d/a.ini: first", "second"))


NOTHING = cast("Any", None)
SOUND = JobConfig("conf.d/a.ini", "sleeper", "1", JobSettings(job_name="a"), NOTHING)
OTHER = replace(SOUND, digest="2")
LAZY = replace(SOUND, host=JobSettings(job_name="a", autostart=False))
DISABLED = replace(SOUND, host=JobSettings(job_name="a", disabled=True))


def a_job(file: JobConfig | BrokenConfig | None = SOUND) -> Job:
    """A new job at moment 0, whose delays are exactly the nominal ones."""
    return Job("a", file, Backoff(Schedule(first=0.5, limit=30, reset=30), lambda: 0.5), TIMEOUTS, 0)


def a_running_job() -> Job:
    """A job whose process 7 runs since moment 0."""
    job = a_job()
    job.forked(7, 0)
    job.reported(Condition.RUNNING, "", 0)
    return job


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


def test_a_reload_starts_the_next_process_after_the_death_of_the_last() -> None:
    """The worker ends its batch first; until then nothing is spawned."""
    job = a_running_job()
    job.load(SOUND, 1, asked=True)
    assert (job.state, job.next_action(1)) == (State.STOPPING, Action.INTERRUPT)
    job.done(Action.INTERRUPT, 1)
    assert job.next_action(2) is Action.NONE
    job.exited(0, "", 3)
    assert (job.state, job.next_action(3)) == (State.STARTING, Action.SPAWN)
    job.forked(8, 3)
    assert job.restarts == {"reload": 1}


def test_a_stop_after_a_reload_wins() -> None:
    """What was asked last follows."""
    job = a_running_job()
    job.load(SOUND, 1, asked=True)
    job.stop(2)
    job.exited(0, "", 3)
    assert (job.state, job.next_action(3)) == (State.STOPPED, Action.NONE)


def test_a_paused_job_ends_its_batch_and_rests_until_resumed() -> None:
    """The process is asked to end; neither a new file nor a start lets it go on, only resume."""
    job = a_running_job()
    assert job.pause(1)
    assert (job.state, job.next_action(1)) == (State.STOPPING, Action.INTERRUPT)
    job.done(Action.INTERRUPT, 1)
    assert not job.pause(1)
    job.exited(0, "", 2)
    assert (job.state, job.next_action(1e9), job.deadline()) == (State.PAUSED, Action.NONE, math.inf)
    job.load(OTHER, 3, asked=True)
    assert (job.state, job.file) == (State.PAUSED, OTHER)
    for event in (job.start, job.restart):
        with pytest.raises(NotAllowed, match="a: it is paused; resume lets it go on"):
            event(4)
    assert job.resume(5)
    assert (job.state, job.next_action(5)) == (State.STARTING, Action.SPAWN)
    assert not job.resume(5)


def test_a_resume_before_the_end_of_the_process_is_a_restart() -> None:
    """What was asked last follows, and a file that came meanwhile is taken."""
    job = a_running_job()
    job.pause(1)
    job.load(OTHER, 2, asked=False)
    assert job.resume(3)
    job.exited(0, "", 4)
    assert (job.state, job.file) == (State.STARTING, OTHER)


@pytest.mark.parametrize("state", [State.STOPPED, State.BLOCKED, State.BACKOFF, State.STARTING])
def test_a_job_without_a_process_is_paused_at_once(state: State) -> None:
    """Whatever it was waiting for; a stop changes nothing about that."""
    job = a_running_job()
    job.exited({State.STOPPED: 0, State.BLOCKED: 78}.get(state, 1), "", 1)
    if state is State.STARTING:
        job.start(1)
    assert job.state.value == state.value
    assert job.pause(2)
    assert (job.state, job.next_action(1e9)) == (State.PAUSED, Action.NONE)
    assert not job.stop(3)
    assert job.resume(4)
    assert job.next_action(4) is Action.SPAWN


@pytest.mark.parametrize("code", [0, 1, 78])
def test_a_start_is_at_once_and_once(code: int) -> None:
    """It ends a wait, unblocks, and does nothing to a job that runs."""
    job = a_running_job()
    assert not job.start(0)
    job.exited(code, "", 1)
    assert job.start(2)
    assert (job.state, job.next_action(2)) == (State.STARTING, Action.SPAWN)
    assert not job.start(2)


def test_a_restart_is_a_new_process_after_the_old_one() -> None:
    """It is counted as such, with and without a process to end."""
    job = a_running_job()
    assert job.restart(1)
    assert (job.state, job.reason) == (State.STOPPING, "restarting")
    job.exited(0, "", 2)
    job.forked(8, 2)
    assert job.restarts == {"restart": 1}
    job.exited(78, "", 3)
    assert job.restart(4)
    assert job.state is State.STARTING


def test_a_job_without_autostart_waits_for_somebody() -> None:
    """It is stopped with the fleet, starts when asked, and goes on over changes of its file."""
    job = a_job(LAZY)
    assert (job.state, job.reason) == (State.STOPPED, "autostart is 0 in its file")
    job.load(LAZY, 1, asked=False)
    assert job.next_action(1) is Action.NONE
    assert job.start(2)
    job.forked(7, 2)
    job.load(LAZY, 3, asked=False)
    job.exited(0, "", 4)
    assert job.state is State.STARTING


@pytest.mark.parametrize("file", [DISABLED, BROKEN])
def test_a_file_that_does_not_run_cannot_be_asked_to(file: JobConfig | BrokenConfig) -> None:
    """The error names the file; nothing changes."""
    job = a_job(file)
    state = job.state
    for event in (job.start, job.restart):
        with pytest.raises(NotAllowed, match=r"a: .*conf.d/a.ini"):
            event(1)
    assert job.state is state
    job.pause(2)
    with pytest.raises(NotAllowed, match=r"cannot resume a: .*conf.d/a.ini"):
        job.resume(3)
    assert job.state is State.PAUSED


def test_a_job_that_is_being_removed_is_past_asking() -> None:
    """It can neither be kept by a pause nor be started again; a file that comes back does that."""
    job = a_running_job()
    job.remove(1)
    assert not job.pause(2)
    assert not job.stop(2)
    with pytest.raises(NotAllowed, match="cannot start a: its file is gone"):
        job.start(2)
    job.exited(0, "", 3)
    assert job.removed


@pytest.mark.parametrize("code", [78, 0, 1])
def test_a_reload_starts_what_does_not_run(code: int) -> None:
    """It unblocks a blocked job, starts a stopped one, ends a wait, and starts the delays over."""
    job = a_running_job()
    job.exited(code, "", 1)
    job.load(SOUND, 1, asked=True)
    assert (job.state, job.next_action(1)) == (State.STARTING, Action.SPAWN)


def test_a_broken_file_blocks_its_job() -> None:
    """Nothing is spawned; the reason counts the faults."""
    job = a_job(BROKEN)
    assert (job.state, job.reason) == (State.BLOCKED, "cannot load conf.d/a.ini: first (and 1 more)")
    assert job.next_action(1e9) is Action.NONE
    job.load(BROKEN, 1, asked=True)
    assert job.state is State.BLOCKED


def test_a_removed_job_is_forgotten_after_its_process() -> None:
    """Not before; and at once if there is none."""
    job = a_running_job()
    job.remove(1)
    assert (job.removed, job.state) == (False, State.STOPPING)
    job.exited(0, "", 2)
    assert job.removed
    idle = a_job()
    idle.remove(1)
    assert idle.removed


@pytest.mark.parametrize("crashed", [False, True])
def test_a_job_removed_without_a_process_never_gets_one(crashed: bool) -> None:
    """Neither from starting nor from backoff is anything due any more."""
    job = a_running_job() if crashed else a_job()
    if crashed:
        job.exited(1, "", 1)
        assert job.deadline() < math.inf
    job.remove(2)
    assert (job.next_action(1e9), job.deadline()) == (Action.NONE, math.inf)


def test_the_wanted_file_is_what_comes_next() -> None:
    """While a process ends, it is the new file, or none for a job that is being removed."""
    job = a_running_job()
    seen = [job.wanted_file]
    job.load(BROKEN, 1, asked=True)
    seen.append(job.wanted_file)
    job.remove(2)
    seen.append(job.wanted_file)
    job.load(BROKEN, 3, asked=True)
    seen.append(job.wanted_file)
    assert seen == [SOUND, BROKEN, None, BROKEN]


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


EVENTS: dict[str, Callable[[Job, float], object]] = {
    "forked": lambda job, now: job.forked(7, now),
    "not forked": lambda job, now: job.not_forked("no", now),
    "heard": lambda job, now: job.heard(now),
    **{
        condition: lambda job, now, condition=condition: job.reported(condition, "", now)  # type: ignore[misc]
        for condition in CONDITIONS
    },
    **{
        f"exited {code}": lambda job, now, code=code: job.exited(code, "", now)  # type: ignore[misc]
        for code in (0, 1, 78, -9, -15)
    },
    "load": lambda job, now: job.load(SOUND, now, asked=True),
    "load broken": lambda job, now: job.load(BROKEN, now, asked=True),
    "stop": lambda job, now: job.stop(now),
    "remove": lambda job, now: job.remove(now),
    "start": lambda job, now: job.start(now),
    "restart": lambda job, now: job.restart(now),
    "pause": lambda job, now: job.pause(now),
    "resume": lambda job, now: job.resume(now),
}


@given(st.lists(st.tuples(st.sampled_from(sorted(EVENTS)), st.floats(0, 60)), max_size=40))
def test_no_history_leads_astray(history: list[tuple[str, float]]) -> None:
    """Over any history: never two processes, no unknown pair passes, actions fit, deadlines are kept."""
    job, now, processes = a_job(), 0.0, 0
    for name, later in history:
        now += later
        while (action := job.next_action(now)) not in {Action.NONE, Action.SPAWN}:
            assert processes == 1
            job.done(action, now)
        assert (action is Action.SPAWN) <= (processes == 0)
        assert action is Action.SPAWN or job.deadline() > now
        state, pid = job.state, job.pid
        try:
            EVENTS[name](job, now)
        except (IllegalMoveError, NotAllowed):
            assert (job.state, job.pid) == (state, pid)
            continue
        processes += (name == "forked") - name.startswith("exited")
        assert processes == (job.pid is not None)
        assert processes in {0, 1}
        if job.state in {State.RUNNING, State.STANDBY, State.STOPPING}:
            assert processes == 1
        if job.state in {State.STOPPED, State.PAUSED, State.BLOCKED}:
            assert processes == 0


@given(st.floats(-1e9, 1e9))
def test_the_clock_s_origin_does_not_matter(origin: float) -> None:
    """A history tells the same from any moment on: only differences of the monotonic clock decide."""
    job = Job("a", None, Backoff(Schedule(), lambda: 0.5), TIMEOUTS, origin)
    job.forked(7, origin)
    job.reported(Condition.RUNNING, "", origin + 1)
    job.exited(1, "", origin + 2)
    assert job.next_action(origin + 2.25) is Action.NONE
    assert job.next_action(origin + 2.75) is Action.SPAWN
