"""The life cycle of a job: what is due, and what follows from what its process does.

`Lifecycle` decides. It does no I/O and reads no clock: every event carries its moment, in seconds of
``time.monotonic()``, so that tests replay histories.
"""

from __future__ import annotations

import math
import secrets
from collections import Counter
from collections.abc import Iterable

from tdsup.jobtype import Condition, Order

from ..config import BrokenConfig, JobConfig
from ..errors import IllegalMoveError
from ..exits import ON_PURPOSE, Exit, describe
from .backoff import Backoff
from .escalation import SIGNALS, Action, Escalation, Timeouts
from .pulse import Pulse
from .standingorder import StandingOrder
from .state import ALIVE, CONDITIONS, AfterExit, State
from .tally import Tally


class Lifecycle:
    """A job as its process shapes it.

    Args:
        name: what people call it.
        file: what to run; None for a child of the master that has no file.
        backoff: the waits between restarts.
        timeouts: the waits for a process.
        now: the present moment.

    Attributes:
        state: what it is doing; `since` when.
        reason: why, in one line; empty while all is well.
        pid: its process, None without one.
        last_error: the latest error and its moment, or None.
        restarts: how often another process was forked, by cause.
        asked: whether somebody asked for its latest start; else it replaces a process that died.
        identity: random; each of its processes gets it.
        removed: whether it can be forgotten.
        ran: what its latest process ran, as long as a trace of that may be left; None before the first one.
        standing: the order that its process has to carry out.
        tally: its numbers.
        trouble: what is wrong around it though it runs, as it or a watcher says; empty: nothing.
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
        self.pid: int | None = None
        self.state = State.STARTING
        self.since = now
        self.reason = ""
        self.last_error: tuple[str, float] | None = None
        self.restarts: Counter[str] = Counter()
        self.asked = True
        self.identity = secrets.token_hex(8)
        self.removed = False
        self.ran: JobConfig | None = None
        self.standing = StandingOrder()
        self.tally = Tally()
        self.trouble = ""
        self._backoff = backoff
        self._timeouts = timeouts
        self._after_exit = AfterExit.STOPPED
        self._escalation = Escalation(timeouts, now)
        self._next_file = file
        self._retry_at = math.inf
        self.pulse = Pulse(timeouts.heartbeat, now)
        self._healthy_since: float | None = None
        self._cause = ""
        self._take_file(file, now, asked=False)

    # What is due.

    def next_action(self, now: float) -> Action:
        """What is due at this moment; `done` says that it was done."""
        if self.pid is None:
            wanted = self.state is State.STARTING or (self.state is State.BACKOFF and now >= self._retry_at)
            return Action.SPAWN if wanted else Action.NONE
        if now < self.deadline():
            ordered = self.standing.due and self.state is not State.STOPPING
            return Action.ORDER if ordered else Action.NONE
        return self._escalation.action if self.state is State.STOPPING else Action.KILL

    def deadline(self) -> float:
        """The moment to ask `next_action` again; infinity if only events matter."""
        if self.pid is None:
            return self._retry_at if self.state is State.BACKOFF else math.inf
        if self.state is State.STOPPING:
            return self._escalation.due
        return self.pulse.due

    def retry_in(self, now: float) -> float | None:
        """Seconds until the next start; None if no start is due."""
        waiting = self.state is State.BACKOFF and self.pid is None
        return max(0.0, self._retry_at - now) if waiting else None

    # Events of the process.

    def forked(self, pid: int, now: float) -> None:
        """A process was started."""
        _expect(self, "forked", {State.STARTING, State.BACKOFF}, process=False)
        self.pid = pid
        self.ran = self.file if isinstance(self.file, JobConfig) else None
        self.pulse.beat(now)
        self._healthy_since = None
        self.standing.forked()
        if self._cause:
            self.restarts[self._cause] += 1
        self._cause = ""
        self._assign(State.STARTING, self.standing.explain(""), now)

    def not_forked(self, reason: str, now: float) -> None:
        """No process could be started."""
        _expect(self, "not forked", {State.STARTING, State.BACKOFF}, process=False)
        self._back_off(reason, "fork", now)

    def heard(self, now: float) -> None:
        """The process gave a sign of life."""
        _expect(self, "heard", ALIVE | {State.STOPPING}, process=True)
        self.pulse.beat(now)

    def reported(self, condition: Condition, reason: str, now: float, *, unwritten: bool = False) -> None:
        """The process told its condition; while it is stopping, that no longer changes the state.

        Args:
            condition: as told.
            reason: for it.
            now: the present moment.
            unwritten: see `Snapshot`.
        """
        self.heard(now)
        self.standing.reported(condition, unwritten=unwritten)
        state, shown = CONDITIONS[condition], self.standing.explain(reason)
        if state is State.BACKOFF:
            self._healthy_since = None
            if shown != self.reason:
                self.last_error = reason, now
        elif self._healthy_since is None:
            self._healthy_since = now
        if self.state is not State.STOPPING:
            self._assign(state, shown, now)

    def done(self, action: Action, now: float) -> None:
        """The process was sent the order, or the signal, of an action."""
        _expect(self, "signalled", ALIVE | {State.STOPPING}, process=True)
        if action is Action.ORDER:
            self.standing.given()
            return
        if self.state is not State.STOPPING:
            reason = f"no heartbeat for {self._timeouts.heartbeat:g} s"
            self.last_error = reason, now
            self._cause = "heartbeat"
            self._end(AfterExit.BACKOFF, reason, now)
        elif action is not Action.INTERRUPT:
            self._assign(State.STOPPING, f"{self.reason}; sent {SIGNALS[action].name}", now)
        self._escalation = self._escalation.after(action, now)

    def exited(self, code: int, last_words: str, now: float) -> None:
        """The process is dead.

        Args:
            code: exit status, negative if it died by that signal.
            last_words: why it ended, as it said itself; empty if it could not.
            now: the present moment.
        """
        _expect(self, "exited", ALIVE | {State.STOPPING}, process=True)
        self.pid = None
        self.tally.fold(self.pulse.lived_until(now))
        if self._healthy_since is not None:
            self._backoff.lived(now - self._healthy_since)
        if self.state is State.STOPPING:
            self._follow(now)
        elif code in ON_PURPOSE and self.file is not None:
            self._assign(State.STOPPED, last_words or f"ended, but not by the fleet: {describe(code)}", now)
        elif code == Exit.SETUP:
            self.last_error = last_words or describe(code), now
            self._assign(State.BLOCKED, self.last_error[0], now)
        else:
            self._back_off(last_words or describe(code), "signal" if code < 0 else "crash", now)

    # Moves.

    def _assign(self, state: State, reason: str, now: float) -> None:
        """The only place that changes the state."""
        if state is not self.state:
            self.since = now
        self.state, self.reason = state, reason

    def _end(self, after_exit: AfterExit, reason: str, now: float) -> None:
        """Ask the process to end; if it has been asked already, only what comes after changes."""
        self._after_exit = after_exit
        if self.state is not State.STOPPING:
            self._escalation = Escalation(self._timeouts, now)
        self._assign(State.STOPPING, reason, now)

    def _follow(self, now: float) -> None:
        """The process that was asked to end is dead."""
        if self._after_exit is AfterExit.BACKOFF:
            self._back_off(self.reason, "heartbeat", now)
        elif self._after_exit is AfterExit.REMOVED:
            self.removed = True
            self._assign(State.STOPPED, self.reason, now)
        elif self._after_exit is AfterExit.START:
            self._take_file(self._next_file, now, asked=True)
        else:
            self.file = self._next_file
            state = State.PAUSED if self._after_exit is AfterExit.PAUSED else State.STOPPED
            self._assign(state, "as asked", now)

    def _take_file(self, file: JobConfig | BrokenConfig | None, now: float, *, asked: bool) -> None:
        """Take a file while there is no process; see `Job.load`."""
        self.asked = True
        self.file = file
        if isinstance(file, BrokenConfig):
            self.last_error = file.error.summary(), now
            self._assign(State.BLOCKED, file.error.summary(), now)
        elif file is not None and file.host.disabled:
            self._assign(State.STOPPED, "disabled in its file", now)
        elif file is not None and not file.host.autostart and not asked:
            self._assign(State.STOPPED, "autostart is 0 in its file", now)
        elif self.standing.order is not None and not obeys_orders(file):
            held = self.standing.order is Order.PAUSE
            self.standing.stand(None)
            self._assign(State.PAUSED if held else State.STARTING, "", now)
        else:
            self._assign(State.STARTING, self.standing.explain(""), now)

    def _back_off(self, reason: str, cause: str, now: float) -> None:
        """Wait before the next process."""
        self.asked = False
        self.last_error = reason, now
        self._cause = cause
        self._retry_at = now + self._backoff.next_delay()
        self._assign(State.BACKOFF, reason, now)


def obeys_orders(file: JobConfig | BrokenConfig | None) -> bool:
    """Whether a process that runs this file can be paused and go on; a type obeys both orders or none."""
    if not isinstance(file, JobConfig) or file.host.disabled:
        return False
    return Order.PAUSE in file.job_type.orders


def _expect(job: Lifecycle, event: str, states: Iterable[State], *, process: bool) -> None:
    """Refuse an event that cannot happen to a job in its present state."""
    if job.state not in states or (job.pid is not None) != process:
        there = "with" if job.pid is not None else "without"
        raise IllegalMoveError(f"{job.name}: {event}, but it is {job.state.value} {there} a process")
