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

from .backoff import Backoff
from .errors import IllegalMoveError
from .exits import ON_PURPOSE, Exit, describe
from .jobfile import BrokenFile, JobFile
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
    START = auto()
    BACKOFF = auto()
    REMOVED = auto()


CONDITIONS = {"running": State.RUNNING, "standby": State.STANDBY, "retrying": State.BACKOFF}
"""States by the condition that a worker reports."""

ALIVE = frozenset({State.STARTING, State.RUNNING, State.STANDBY, State.BACKOFF})
"""States in which a worker's report decides the state."""

ESCALATION = (Action.INTERRUPT, Action.TERMINATE, Action.KILL)
"""How a process is asked to end, ever more urgently."""

CAUSES = ("crash", "signal", "heartbeat", "fork", "reload")
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
        self, name: str, file: JobFile | BrokenFile | None, backoff: Backoff, timeouts: Timeouts, now: float
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
        self.load(file, now)

    @property
    def wanted_file(self) -> JobFile | BrokenFile | None:
        """What is to run once a process that is ending has ended; None for a job that is being removed."""
        removing = self.state is State.STOPPING and self._follow is Follow.REMOVED
        return None if removing else self._next_file

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

    def reported(self, condition: str, reason: str, now: float) -> None:
        """The process told its condition, a key of `CONDITIONS`; one that is ending is past deciding."""
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
        self.tally.fold()
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

    def load(self, file: JobFile | BrokenFile | None, now: float) -> None:
        """Run this file from now on: the present process ends first, a job without one starts at once."""
        self._backoff.reset()
        self._next_file = file
        self.removed = False
        if self.pid is None:
            self._use(file, now)
        else:
            self._cause = "reload"
            self._end(Follow.START, "reloading", now)

    def stop(self, now: float) -> None:
        """Run nothing until told otherwise."""
        self._cause = ""
        if self.pid is not None:
            self._end(Follow.STOPPED, "asked to stop", now)
        elif self.state is not State.BLOCKED:
            self._assign(State.STOPPED, "asked to stop", now)

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
            self._use(self._next_file, now)
        else:
            self.file = self._next_file
            self._assign(State.STOPPED, "as asked", now)

    def _use(self, file: JobFile | BrokenFile | None, now: float) -> None:
        """Take a file while there is no process."""
        self.file = file
        if isinstance(file, BrokenFile):
            self.last_error = file.error.summary(), now
            self._assign(State.BLOCKED, file.error.summary(), now)
        elif file is not None and file.host.disabled:
            self._assign(State.STOPPED, "disabled in its file", now)
        else:
            self._assign(State.STARTING, "", now)

    def _back_off(self, reason: str, cause: str, now: float) -> None:
        """Wait before the next process."""
        self.last_error = reason, now
        self._cause = cause
        self._retry_at = now + self._backoff.next_delay()
        self._assign(State.BACKOFF, reason, now)
