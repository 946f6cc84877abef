"""One job at work: `Job` decides, `Process` acts, and this joins them to the loop."""

from __future__ import annotations

import logging
import math
import selectors
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tdsup.jobtype import Condition, Metric

from ..jobs import SIGNALS, Action, Job, State
from ..loop import Loop, Timer
from ..worker import give, receive
from .news import News
from .process import Body, Process

LEVELS = {State.BACKOFF: logging.WARNING, State.BLOCKED: logging.ERROR}
"""Log levels of states that a person should look at; the others are INFO."""

_log = logging.getLogger("tdsup")


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a runner calls.

    Attributes:
        changed: after each change of state.
        reload: when its process asks to reload the job.
        news: when its process, a watcher's, tells news of jobs.
        note: when it tells numbers of jobs.
    """

    changed: Callable[[Runner], None]
    reload: Callable[[Runner], None]
    news: Callable[[Runner, Mapping[str, int]], None]
    note: Callable[[Mapping[str, Mapping[str, Any]]], None]


class Runner:
    """Runs one job.

    Args:
        job: what decides.
        loop: what waits.
        title: process title of the job.
        body: called at each start, when the job's file is up to date; returns what the process does.
        hooks: see there.
    """

    def __init__(
        self,
        job: Job,
        loop: Loop,
        title: str,
        body: Callable[[Job], Body],
        hooks: Hooks,
    ) -> None:
        self.job = job
        self._loop = loop
        self._title = title
        self._body = body
        self._hooks = hooks
        self._news = News()
        self._process: Process | None = None
        self._last_words: list[str] = []
        self._timer: Timer | None = None
        self._timer_at = math.inf
        self._told = State.STARTING
        self._messages: dict[str, Callable[[dict[str, Any]], None]] = {
            "hello": self._hello,
            "snapshot": self._snapshot,
            "beat": lambda _message: self.job.heard(self._loop.now()),
            "reload": lambda _message: hooks.reload(self),
            "news": lambda message: hooks.news(self, message["jobs"]),
            "note": lambda message: hooks.note(message["jobs"]),
            "farewell": lambda message: self._last_words.append(message["reason"]),
        }

    def start(self) -> None:
        """Begin as soon as the loop has time."""
        self._schedule(self._loop.now())

    def step(self) -> None:
        """Do what is due; call this after each event of the job."""
        self._tell()
        now = self._loop.now()
        while (action := self.job.next_action(now)) is not Action.NONE:
            if action is Action.SPAWN:
                self._spawn(now)
            else:
                self._tell_process(action, now)
            self._tell()
        self._schedule(self.job.deadline())

    def send(self, number: signal.Signals) -> bool:
        """Send a signal to the process, without asking the job; returns whether there is a process."""
        if self._process is None:
            return False
        self._process.send(number)
        return True

    def tell(self, what: str, news: int | None) -> None:
        """Tell the present process, and each later one, what a watcher has told; see `News`."""
        self._news.set(what, news)
        if self._process is not None:
            self._news.give(self._process.channel)

    def _spawn(self, now: float) -> None:
        self._last_words.clear()
        try:
            process = Process(self._title, self._body(self.job))
        except OSError as error:
            self.job.not_forked(f"cannot start a process: {error.strerror}", now)
            return
        self._process = process
        self._news.begin()
        self._news.give(process.channel)
        self.job.forked(process.pid, self._loop.now())
        self._loop.watch(process.channel.fileno(), selectors.EVENT_READ, self._on_channel)
        self._loop.watch(process.pidfd, selectors.EVENT_READ, self._on_death)

    def _tell_process(self, action: Action, now: float) -> None:
        """Give the process its order, or send it the signal of the action."""
        order = self.job.standing.order
        if self._process is not None and action is not Action.ORDER:
            self._process.send(SIGNALS[action])
        elif self._process is not None and order is not None:
            give(self._process.channel, order)
        if action in {Action.TERMINATE, Action.KILL}:
            name, number = self.job.name, SIGNALS[action].name
            _log.warning("%s: sent %s to pid %s", name, number, self.job.pid, extra={"job": name})
        self.job.done(action, now)

    def _on_channel(self, _events: int) -> None:
        if self._process is not None:
            self._news.give(self._process.channel)
        if self._process is None or self._take_messages(self._process):
            self.step()

    def _take_messages(self, process: Process) -> bool:
        """Take the messages that have arrived; returns whether they may have changed the job's state."""
        changing = False
        for message in receive(process.channel):
            if message is None:
                self._loop.unwatch(process.channel.fileno())
                break
            self._messages[message["kind"]](message)
            changing = changing or message["kind"] == "snapshot"
        return changing

    def _hello(self, message: dict[str, Any]) -> None:
        self.job.heard(self._loop.now())
        self.job.tally.describe([Metric(**metric) for metric in message["metrics"]], message["labels"])

    def _snapshot(self, message: dict[str, Any]) -> None:
        now = self._loop.now()
        self.job.tally.update(message["values"], now, frozenset(message["totals"]))
        condition, reason = Condition(message["condition"]), message["reason"]
        self.job.reported(condition, reason, now, unwritten=message["unwritten"])

    def _on_death(self, _events: int) -> None:
        """The process is dead: take its last messages, then its exit status."""
        process = self._process
        if process is None:
            return
        code = process.exit_code()
        if code is None:
            return
        while self._take_messages(process):
            pass
        self._loop.unwatch(process.channel.fileno())
        self._loop.unwatch(process.pidfd)
        self._process = None
        process.close()
        self.job.exited(code, "".join(self._last_words[-1:]), self._loop.now())
        self.step()

    def _schedule(self, when: float) -> None:
        """Come back at that moment. An earlier appointment stays: keeping it makes the next one."""
        if when < self._timer_at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = when
            self._timer = self._loop.at(when, self._due)

    def _due(self) -> None:
        self._timer, self._timer_at = None, math.inf
        if self._process is not None:
            # After the master has stalled, signs of life that wait here count before a missing one does.
            self._take_messages(self._process)
        self.step()

    def _tell(self) -> None:
        """Log a change of state, once, and pass it on."""
        job = self.job
        changed = job.state is not self._told
        if changed:
            self._told = job.state
            _log.log(
                LEVELS.get(job.state, logging.INFO),
                "%s: %s",
                job.name,
                _headline(job, self._loop.now()),
                extra={"job": job.name},
            )
        if changed or job.removed:
            self._hooks.changed(self)


def _headline(job: Job, now: float) -> str:
    """State, process or waiting time, and reason, in one line."""
    text = job.state.value
    if job.pid is not None:
        text += f" (pid {job.pid})"
    retry = job.retry_in(now)
    if retry is not None:
        text += f" {retry:.1f} s"
    return f"{text}: {job.reason}" if job.reason else text
