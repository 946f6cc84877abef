"""What people and files ask of a job, by histories."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from harness.programs.job import BROKEN, DISABLED, HOLDING, LAZY, OTHER, SOUND, a_job, a_running_job
from hypothesis import given
from hypothesis import strategies as st
from tdsup.supervisor.config.jobconfig import BrokenConfig, JobConfig
from tdsup.supervisor.errors import IllegalMoveError, NotAllowed
from tdsup.supervisor.jobs.escalation import Action
from tdsup.supervisor.jobs.job import Job
from tdsup.supervisor.jobs.state import CONDITIONS, State


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
    with pytest.raises(NotAllowed, match="cannot start a: no file describes it any more"):
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


def rest(job: Job, now: float) -> None:
    """The process gives the last sign of life for now."""
    job.heard(now)
    job.pulse.rests = True


EVENTS: dict[str, Callable[[Job, float], object]] = {
    "forked": lambda job, now: job.forked(7, now),
    "not forked": lambda job, now: job.not_forked("no", now),
    "heard": lambda job, now: job.heard(now),
    "rested": lambda job, now: rest(job, now),
    "disturbed": lambda job, now: job.pulse.disturb(now),
    **{
        condition: lambda job, now, condition=condition: job.reported(condition, "", now)  # type: ignore[misc]
        for condition in CONDITIONS
    },
    **{
        f"exited {code}": lambda job, now, code=code: job.exited(code, "", now)  # type: ignore[misc]
        for code in (0, 1, 78, -9, -15)
    },
    "load": lambda job, now: job.load(SOUND, now, asked=True),
    "load holding": lambda job, now: job.load(HOLDING, now, asked=True),
    "load broken": lambda job, now: job.load(BROKEN, now, asked=True),
    "stop": lambda job, now: job.stop(now),
    "remove": lambda job, now: job.remove(now),
    "start": lambda job, now: job.start(now),
    "restart": lambda job, now: job.restart(now),
    "pause": lambda job, now: job.pause(now),
    "resume": lambda job, now: job.resume(now),
}


@given(
    st.sampled_from((SOUND, HOLDING)),
    st.lists(st.tuples(st.sampled_from(sorted(EVENTS)), st.floats(0, 60)), max_size=40),
)
def test_no_history_leads_astray(file: JobConfig, history: list[tuple[str, float]]) -> None:
    """Over any history: never two processes, no unknown pair passes, actions fit, deadlines are kept."""
    job, now, processes = a_job(file), 0.0, 0
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
        if job.state in {State.STOPPED, State.BLOCKED}:
            assert processes == 0
