"""One job at work: `Job` decides, `Process` acts, and this joins them to the loop."""

from __future__ import annotations

import logging
import selectors
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tdsup.jobtype import TROUBLE, Condition, Metric, Order

from ..jobs import SIGNALS, Action, Job, State
from ..loop import Appointment, Loop
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
        self._sent = 0
        self._last_words: list[str] = []
        self._appointment = Appointment(loop, self._due)
        self._told = State.STARTING
        self._messages: dict[str, Callable[[dict[str, Any]], None]] = {
            "hello": lambda message: job.tally.describe(
                [Metric(**metric) for metric in message["metrics"]], message["labels"]
            ),
            "snapshot": self._snapshot,
            "beat": lambda _message: self._beat(),
            "rest": lambda message: self._beat(rests=message["heard"] == self._sent),
            "reload": lambda _message: hooks.reload(self),
            "news": lambda message: hooks.news(self, message["jobs"]),
            "note": lambda message: hooks.note(message["jobs"]),
            "farewell": lambda message: self._last_words.append(message["reason"]),
        }

    def start(self) -> None:
        """Begin as soon as the loop has time."""
        self._appointment.by(self._loop.now())

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
        self._appointment.by(self.job.deadline())

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
            self._pass_on(self._process)

    def _spawn(self, now: float) -> None:
        self._last_words.clear()
        try:
            process = Process(self._title, self._body(self.job))
        except OSError as error:
            self.job.not_forked(f"cannot start a process: {error.strerror}", now)
            return
        self._process, self._sent = process, 0
        self._news.begin()
        self.job.forked(process.pid, self._loop.now())
        self._pass_on(process)
        self._loop.watch(process.channel.fileno(), selectors.EVENT_READ, self._on_channel)
        self._loop.watch(process.pidfd, selectors.EVENT_READ, self._on_death)

    def _tell_process(self, action: Action, now: float) -> None:
        """Give the process its order, or send it the signal of the action."""
        order = self.job.standing.order
        if self._process is not None and action is not Action.ORDER:
            self._process.send(SIGNALS[action])
        elif self._process is not None and order is not None:
            self._pass_on(self._process, order)
        if action in {Action.TERMINATE, Action.KILL}:
            name, number = self.job.name, SIGNALS[action].name
            _log.warning("%s: sent %s to pid %s", name, number, self.job.pid, extra={"job": name})
        self.job.done(action, now)

    def _on_channel(self, _events: int) -> None:
        if self._process is not None:
            self._pass_on(self._process)
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

    def _pass_on(self, process: Process, order: Order | None = None) -> None:
        """Give the process what is new, and an order: a process at rest gives a sign of life again."""
        given = self._news.give(process.channel)
        if order is not None:
            give(process.channel, order)
            given += 1
        if given:
            self._sent += given
            self.job.pulse.disturb(self._loop.now())
            self._appointment.by(self.job.deadline())

    def _beat(self, *, rests: bool = False) -> None:
        """The process gave a sign of life; if it rests, it owes none until it is told something."""
        self.job.heard(self._loop.now())
        self.job.pulse.rests = rests

    def _snapshot(self, message: dict[str, Any]) -> None:
        now = self._loop.now()
        self.job.tally.update(message["values"], now, frozenset(message["totals"]))
        take_trouble(self.job, message["values"])
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

    def _due(self) -> None:
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


def take_trouble(job: Job, values: Mapping[str, Any]) -> None:
    """Take what is said, beside the numbers of a job, of what is wrong around it; log it if that is new."""
    trouble = str(values.get(TROUBLE, job.trouble))
    if bool(trouble) != bool(job.trouble):
        level, text = (logging.WARNING, trouble) if trouble else (logging.INFO, "all is well again")
        _log.log(level, "%s: %s", job.name, text, extra={"job": job.name})
    job.trouble = trouble


def _headline(job: Job, now: float) -> str:
    """State, process or waiting time, and reason, in one line."""
    text = job.state.value
    if job.pid is not None:
        text += f" (pid {job.pid})"
    retry = job.retry_in(now)
    if retry is not None:
        text += f" {retry:.1f} s"
    return f"{text}: {job.reason}" if job.reason else text
