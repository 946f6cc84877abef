"""One job as the master sees it: what state it is in and what is to be done next.

`Job` decides. It does no I/O and reads no clock: every event carries its moment, in seconds of
``time.monotonic()``, so that tests replay histories.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from tdsup.jobtype import Condition

from ..config import BrokenConfig, JobConfig
from ..errors import IllegalMoveError, NotAllowed
from ..exits import ON_PURPOSE, Exit, describe
from .backoff import Backoff
from .tally import Tally


class State(Enum):
    """What a job is doing."""

    STARTING = "starting"
    """A process is to be forked, or has not reported yet."""
    RUNNING = "running"
    BACKOFF = "backoff"
    """It failed and will be tried again: by a new process, or by the living one."""
    STOPPING = "stopping"
    """Its process has been asked to end."""
    STOPPED = "stopped"
    PAUSED = "paused"
    """Held by a person: it has no process, and only a person lets it go on."""
    STANDBY = "standby"
    """Another process of the same consumer works; this one waits for its end."""
    BLOCKED = "blocked"
    """It failed and a restart is pointless until somebody changes something."""


class Action(Enum):
    """What the master is to do for a job."""

    NONE = auto()
    SPAWN = auto()
    INTERRUPT = auto()
    TERMINATE = auto()
    KILL = auto()


class Follow(Enum):
    """What comes after the end of a process that has been asked to end."""

    STOPPED = auto()
    PAUSED = auto()
    START = auto()
    BACKOFF = auto()
    REMOVED = auto()


CONDITIONS = {
    Condition.RUNNING: State.RUNNING,
    Condition.STANDBY: State.STANDBY,
    Condition.RETRYING: State.BACKOFF,
}
"""States by the condition that a worker reports."""

ALIVE = frozenset({State.STARTING, State.RUNNING, State.STANDBY, State.BACKOFF})
"""States in which a worker's report decides the state."""

ESCALATION = (Action.INTERRUPT, Action.TERMINATE, Action.KILL)
"""How a process is asked to end, ever more urgently."""

SIGNAL_NAMES = {Action.TERMINATE: "SIGTERM", Action.KILL: "SIGKILL"}
"""What a process is sent once SIGINT did not help, for people."""

CAUSES = ("crash", "signal", "heartbeat", "fork", "reload", "restart")
"""Why a further process is forked."""


@dataclass(frozen=True)
class Timeouts:
    """How long the master waits for a process, in seconds.

    Attributes:
        heartbeat: silence before a process counts as frozen.
        stop: from SIGINT to SIGTERM.
        kill: from SIGTERM to SIGKILL.
    """

    heartbeat: float = 30.0
    stop: float = 30.0
    kill: float = 5.0


class Job:
    """The state machine of one job.

    Args:
        name: how people call it.
        file: what to run; None for a child of the master that has no file.
        backoff: the waits between restarts.
        timeouts: the waits for a process.
        now: the present moment.

    Attributes:
        state: what it is doing; `since` when.
        reason: why, in one line; empty while all is well.
        pid: its process, None without one.
        last_error: the latest error and its moment, or None.
        restarts: how often a further process was forked, by reason.
        removed: it is to be forgotten.
        tally: its numbers.
    """

    def __init__(
        self,
        name: str,
        file: JobConfig | BrokenConfig | None,
        backoff: Backoff,
        timeouts: Timeouts,
        now: float,
    ) -> None:
        self.name = name
        self.file = file
        self.pid: int | None = None
        self.state = State.STARTING
        self.since = now
        self.reason = ""
        self.last_error: tuple[str, float] | None = None
        self.restarts: Counter[str] = Counter()
        self.removed = False
        self.tally = Tally()
        self._backoff = backoff
        self._timeouts = timeouts
        self._follow = Follow.STOPPED
        self._next_file = file
        self._retry_at = math.inf
        self._heard = now
        self._healthy_since: float | None = None
        self._asked = 0
        self._asked_at = now
        self._cause = ""
        self._use(file, now, asked=False)

    @property
    def wanted_file(self) -> JobConfig | BrokenConfig | None:
        """What is to run once a process that is ending has ended; None for a job that is being removed."""
        return None if self._is_leaving else self._next_file

    # What has to be done.

    def next_action(self, now: float) -> Action:
        """What is due at this moment; `done` says that it was done."""
        if self.pid is None:
            wanted = self.state is State.STARTING or (self.state is State.BACKOFF and now >= self._retry_at)
            return Action.SPAWN if wanted else Action.NONE
        if now < self._deadline_of_process():
            return Action.NONE
        return ESCALATION[self._asked] if self.state is State.STOPPING else Action.KILL

    def deadline(self) -> float:
        """The moment at which `next_action` has to be asked again; infinity if only events matter."""
        if self.pid is not None:
            return self._deadline_of_process()
        return self._retry_at if self.state is State.BACKOFF else math.inf

    def retry_in(self, now: float) -> float | None:
        """Seconds until the next start, None unless one is awaited."""
        waiting = self.state is State.BACKOFF and self.pid is None
        return max(0.0, self._retry_at - now) if waiting else None

    def headline(self, now: float) -> str:
        """State, process or waiting time, and reason, in one line."""
        text = self.state.value
        if self.pid is not None:
            text += f" (pid {self.pid})"
        retry = self.retry_in(now)
        if retry is not None:
            text += f" {retry:.1f} s"
        return f"{text}: {self.reason}" if self.reason else text

    def _deadline_of_process(self) -> float:
        if self.state is not State.STOPPING:
            return self._heard + self._timeouts.heartbeat
        waits = (0.0, self._timeouts.stop, self._timeouts.kill, math.inf)
        return self._asked_at + waits[self._asked]

    # Events of the process.

    def forked(self, pid: int, now: float) -> None:
        """A process was started."""
        self._expect("forked", {State.STARTING, State.BACKOFF}, process=False)
        self.pid = pid
        self._heard, self._healthy_since, self._asked = now, None, 0
        if self._cause:
            self.restarts[self._cause] += 1
        self._cause = ""
        self._assign(State.STARTING, "", now)

    def not_forked(self, reason: str, now: float) -> None:
        """No process could be started."""
        self._expect("not forked", {State.STARTING, State.BACKOFF}, process=False)
        self._back_off(reason, "fork", now)

    def heard(self, now: float) -> None:
        """The process gave a sign of life."""
        self._expect("heard", ALIVE | {State.STOPPING}, process=True)
        self._heard = now

    def reported(self, condition: Condition, reason: str, now: float) -> None:
        """The process told its condition; one that is ending is past deciding."""
        self.heard(now)
        state = CONDITIONS[condition]
        if state is State.BACKOFF:
            self._healthy_since = None
            if reason != self.reason:
                self.last_error = reason, now
        elif self._healthy_since is None:
            self._healthy_since = now
        if self.state is not State.STOPPING:
            self._assign(state, reason, now)

    def done(self, action: Action, now: float) -> None:
        """The process was sent the signal of an action."""
        self._expect("signalled", ALIVE | {State.STOPPING}, process=True)
        if self.state is not State.STOPPING:
            reason = f"no heartbeat for {self._timeouts.heartbeat:g} s"
            self.last_error = reason, now
            self._cause, self._follow = "heartbeat", Follow.BACKOFF
            self._assign(State.STOPPING, reason, now)
        elif action in SIGNAL_NAMES:
            self._assign(State.STOPPING, f"{self.reason}; sent {SIGNAL_NAMES[action]}", now)
        self._asked = ESCALATION.index(action) + 1
        self._asked_at = now

    def exited(self, code: int, last_words: str, now: float) -> None:
        """The process is dead.

        Args:
            code: exit status, negative if it died by that signal.
            last_words: why it ended, as it said itself; empty if it could not.
            now: the present moment.
        """
        self._expect("exited", ALIVE | {State.STOPPING}, process=True)
        self.pid = None
        self.tally.fold(self._heard)
        if self._healthy_since is not None:
            self._backoff.lived(now - self._healthy_since)
        if self.state is State.STOPPING:
            self._followed(now)
        elif code in ON_PURPOSE and self.file is not None:
            self._assign(State.STOPPED, last_words or f"ended, but not by the fleet: {describe(code)}", now)
        elif code == Exit.SETUP:
            self.last_error = last_words or describe(code), now
            self._assign(State.BLOCKED, self.last_error[0], now)
        else:
            self._back_off(last_words or describe(code), "signal" if code < 0 else "crash", now)

    # Events from people.

    def load(self, file: JobConfig | BrokenConfig | None, now: float, *, asked: bool) -> None:
        """Run this file from now on: the present process ends first, a job without one starts at once.

        A paused job takes the file and stays paused.

        Args:
            file: what to run.
            now: the present moment.
            asked: somebody asked for just this job, hence ``autostart = 0`` does not count.
        """
        self._backoff.reset()
        self._next_file = file
        self.removed = False
        if self.is_paused:
            self.file = file if self.pid is None else self.file
        elif self.pid is None:
            self._use(file, now, asked=asked)
        else:
            self._cause = "reload"
            self._end(Follow.START, "reloading", now)

    def start(self, now: float) -> bool:
        """Run, and at once if it was waiting; returns whether that changes anything.

        Raises:
            NotAllowed: it is paused, or its file does not let it run.
        """
        self._refuse_paused("start")
        self._refuse_file("start")
        if self.state is State.STOPPING:
            changes, self._follow = self._follow is not Follow.START, Follow.START
            return changes
        if self.pid is not None or self.state is State.STARTING:
            return False
        self._backoff.reset()
        self._use(self._next_file, now, asked=True)
        return True

    def restart(self, now: float) -> bool:
        """Run with a new process; returns True, for that always changes something.

        Raises:
            NotAllowed: it is paused, or its file does not let it run.
        """
        self._refuse_paused("restart")
        self._refuse_file("restart")
        if self.pid is None:
            self.start(now)
        else:
            self._backoff.reset()
            self._cause = "restart"
            self._end(Follow.START, "restarting", now)
        return True

    def stop(self, now: float) -> bool:
        """Run nothing until told otherwise; returns whether that changes anything."""
        return self._halt(Follow.STOPPED, State.STOPPED, "asked to stop", now)

    def pause(self, now: float) -> bool:
        """Run nothing until `resume`, whatever becomes of the file; returns whether that is new."""
        return self._halt(Follow.PAUSED, State.PAUSED, "asked to pause", now)

    def resume(self, now: float) -> bool:
        """Run again if it is paused; returns whether that changes anything.

        Raises:
            NotAllowed: its file does not let it run.
        """
        if not self.is_paused:
            return False
        self._refuse_file("resume")
        self._backoff.reset()
        if self.pid is None:
            self._use(self._next_file, now, asked=True)
        else:
            self._follow = Follow.START
        return True

    @property
    def is_paused(self) -> bool:
        """Whether it is held, or will be once its process has ended."""
        ending = self.state is State.STOPPING and self._follow is Follow.PAUSED
        return ending or self.state is State.PAUSED

    def remove(self, now: float) -> None:
        """Stop, then be forgotten."""
        if self.pid is None:
            self.removed = True
            self._assign(State.STOPPED, "its file is gone", now)
        else:
            self._end(Follow.REMOVED, "its file is gone", now)

    def complain(self, error: str, now: float) -> None:
        """Keep an error that changes nothing about what runs."""
        self.last_error = error, now

    # Moves.

    def _expect(self, event: str, states: Iterable[State], process: bool) -> None:
        if self.state not in states or (self.pid is not None) != process:
            there = "with" if self.pid is not None else "without"
            raise IllegalMoveError(f"{self.name}: {event}, but it is {self.state.value} {there} a process")

    def _refuse_paused(self, verb: str) -> None:
        if self.is_paused:
            raise NotAllowed(f"cannot {verb} {self.name}: it is paused; resume lets it go on")

    @property
    def _is_leaving(self) -> bool:
        return self.state is State.STOPPING and self._follow is Follow.REMOVED

    def _refuse_file(self, verb: str) -> None:
        file = self._next_file
        if self._is_leaving:
            raise NotAllowed(f"cannot {verb} {self.name}: {self.reason}")
        if isinstance(file, BrokenConfig):
            raise NotAllowed(f"cannot {verb} {self.name}: {file.error.summary()}")
        if file is not None and file.host.disabled:
            raise NotAllowed(f"cannot {verb} {self.name}: [{file.section}] disabled is 1 in {file.path}")

    def _halt(self, follow: Follow, state: State, reason: str, now: float) -> bool:
        """Come to rest in a state, at once without a process."""
        if self.state is state or (self.state is State.STOPPING and self._follow is follow):
            return False
        if self._is_leaving or (self.is_paused and follow is Follow.STOPPED):
            return False
        self._cause = ""
        if self.pid is not None:
            self._end(follow, reason, now)
        else:
            self._assign(state, reason, now)
        return True

    def _assign(self, state: State, reason: str, now: float) -> None:
        """The only place that changes the state."""
        if state is not self.state:
            self.since = now
        self.state, self.reason = state, reason

    def _end(self, follow: Follow, reason: str, now: float) -> None:
        """Ask the process to end; one that is ending already only learns what follows."""
        self._follow = follow
        if self.state is not State.STOPPING:
            self._asked, self._asked_at = 0, now
        self._assign(State.STOPPING, reason, now)

    def _followed(self, now: float) -> None:
        """The process that was asked to end is dead."""
        if self._follow is Follow.BACKOFF:
            self._back_off(self.reason, "heartbeat", now)
        elif self._follow is Follow.REMOVED:
            self.removed = True
            self._assign(State.STOPPED, self.reason, now)
        elif self._follow is Follow.START:
            self._use(self._next_file, now, asked=True)
        else:
            self.file = self._next_file
            state = State.PAUSED if self._follow is Follow.PAUSED else State.STOPPED
            self._assign(state, "as asked", now)

    def _use(self, file: JobConfig | BrokenConfig | None, now: float, *, asked: bool) -> None:
        """Take a file while there is no process; see `load`."""
        self.file = file
        if isinstance(file, BrokenConfig):
            self.last_error = file.error.summary(), now
            self._assign(State.BLOCKED, file.error.summary(), now)
        elif file is not None and file.host.disabled:
            self._assign(State.STOPPED, "disabled in its file", now)
        elif file is not None and not file.host.autostart and not asked:
            self._assign(State.STOPPED, "autostart is 0 in its file", now)
        else:
            self._assign(State.STARTING, "", now)

    def _back_off(self, reason: str, cause: str, now: float) -> None:
        """Wait before the next process."""
        self.last_error = reason, now
        self._cause = cause
        self._retry_at = now + self._backoff.next_delay()
        self._assign(State.BACKOFF, reason, now)
