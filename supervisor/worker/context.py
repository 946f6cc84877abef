"""What a job may ask of the process that hosts it."""

from __future__ import annotations

import logging
import math
import secrets
import select
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tdsup.jobtype import Order, Snapshot

from ..logs import Stream
from .channel import Sender
from .processmetrics import process_values
from .program import run_program

STUCK = 20.0
"""Seconds without a wait after which a watcher counts as stuck; to connect, it may take 15 s."""

PROCESS_EVERY = 60.0
"""Seconds between two reports that tell nothing new but the process's own numbers."""

AT_ONCE = 200
"""Jobs whose numbers are in one message."""


@dataclass(frozen=True, slots=True)
class Start:
    """How a process of a job came to be.

    Attributes:
        asked: somebody asked for it; else it replaces a process that died.
        identity: random; see `Context.identity`.
    """

    asked: bool = True
    identity: str = field(default_factory=lambda: secrets.token_hex(8))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the processes of a fleet have in common.

    Attributes:
        beat: seconds between signs of life.
        stream: where all of them log to; None: to files of their own.
    """

    beat: float
    stream: Stream | None


class WorkerContext:
    """The host of one job; implements the contract's `Context`.

    Args:
        logger: where the job's messages go.
        sender: takes its reports.
        ready: called at each report; the first one shows that the job has begun.
        start: how this process came to be; None: without a fleet.
        every: seconds between signs of life.

    Attributes:
        wake: is called when a rest ends by itself, so that the process gives signs of life again.
    """

    def __init__(
        self,
        logger: logging.Logger,
        sender: Sender,
        ready: Callable[[], None],
        start: Start | None = None,
        every: float = math.inf,
    ) -> None:
        self.logger = logger
        self.wake: Callable[[], None] = lambda: None
        self._every = every
        self._waits_until = 0.0
        self._rests = False
        self._heard = 0
        start = start or Start()
        self.asked, self.identity = start.asked, start.identity
        self._sender = sender
        self._ready = ready
        self._reported: Snapshot | None = None
        self._said: Snapshot | None = None
        self._said_at = 0.0
        self._lock = threading.Lock()
        self._stopping = False
        self._order: Order | None = None
        self._news: dict[str, int | None] = {}
        self._new: set[str] = set()
        self._change = threading.Condition()

    def report(self, snapshot: Snapshot) -> None:
        """Publish the job's numbers and condition, if there is news."""
        with self._lock:
            if snapshot == self._reported:
                return
            self._reported = snapshot
            self._send(snapshot)
        self._ready()

    def beat(self) -> bool:
        """Show that the process lives, with its present numbers; called in the lifeline's thread.

        Returns:
            Whether it rests now: the job waits for so long that the next sign would come before it has done
            anything.
        """
        # Under the lock: an older snapshot that arrives after a newer one would make counters fall.
        with self._lock:
            if self._reported is not None and self._send(self._reported):
                return False
            with self._change:
                if self._waits_until - time.monotonic() > self._every:
                    self._rests = self._sender.rest(self._heard)
                    return self._rests
            self._sender.beat()
            return False

    def _send(self, snapshot: Snapshot) -> bool:
        """Send a snapshot, unless its numbers are known: those of the process can wait; returns whether."""
        present = snapshot.present() if snapshot.present is not None else {}
        said = replace(snapshot, values={**snapshot.values, **present}, present=None)
        now = time.monotonic()
        if said == self._said and now - self._said_at < PROCESS_EVERY:
            return False
        self._said, self._said_at = said, now
        self._sender.snapshot(replace(said, values={**said.values, **process_values()}))
        return True

    def stopping(self) -> bool:
        """Whether the job has been asked to end."""
        return self._stopping

    def order(self) -> Order | None:
        """Take the newest order that has not been taken yet."""
        with self._change:
            order, self._order = self._order, None
            return order

    def news(self, what: str) -> int | None:
        """What a watcher has told last; None: nobody watches."""
        with self._change:
            self._new.discard(what)
            return self._news.get(what)

    def run_program(self, command: Sequence[str], environment: Mapping[str, str], seconds: float) -> str:
        """Run a program to its end; returns why it did not succeed."""
        return run_program(command, environment, seconds, self.logger, self.stopping)

    def wait(self, seconds: float, *, for_news: Collection[str] = ()) -> bool:
        """Sleep that long, or until asked to end, given an order or, if wanted, told news."""

        def is_over() -> bool:
            return self._stopping or self._order is not None or not self._new.isdisjoint(for_news)

        with self._change:
            self._waits_until = time.monotonic() + seconds
            self._change.wait_for(is_over, max(0.0, seconds))
            self._waits_until = 0.0
            rested, self._rests = self._rests, False
        if rested:
            self.wake()
        return self._stopping

    # Called in the lifeline's thread.

    def stop(self) -> None:
        """Ask the job to end."""
        with self._change:
            self._stopping = True
            self._change.notify_all()

    def hear(self, message: Mapping[str, Any]) -> None:
        """Take what the master says: an order, which replaces one that has not been taken, or news."""
        with self._change:
            self._heard += 1
            # The thread that calls this beats next.
            self._rests = False
            if "order" in message:
                self._order = Order(message["order"])
            else:
                self._news[message["what"]] = message["news"]
                self._new.add(message["what"])
            self._change.notify_all()


class WatcherContext:
    """The host of a watcher, whose process ends at once when asked to; implements `WatchContext`.

    Args:
        logger: where the watcher's messages go.
        sender: takes its reports and news.
    """

    def __init__(self, logger: logging.Logger, sender: Sender) -> None:
        self.logger = logger
        self._sender = sender
        self._reported: Snapshot | None = None
        self._waited = time.monotonic()

    def report(self, snapshot: Snapshot) -> None:
        """Publish the watcher's condition, if there is news."""
        if snapshot != self._reported:
            self._reported = snapshot
            self._sender.snapshot(replace(snapshot, values=process_values()))

    def stopping(self) -> bool:
        """Whether the watcher has been asked to end: then it has ended."""
        return False

    def wait(self, seconds: float, descriptor: int | None = None) -> bool:
        """Sleep, and show by that that the watcher is not stuck."""
        self._waited = math.inf
        poller = select.poll()
        if descriptor is not None:
            poller.register(descriptor, select.POLLIN)
        poller.poll(max(0.0, seconds) * 1000)
        self._waited = time.monotonic()
        return False

    def beat(self) -> bool:
        """Show that the watcher lives, unless it is stuck: jobs would sleep, and it sees nothing."""
        if time.monotonic() - self._waited < STUCK:
            self._sender.beat()
        return False

    def note(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Publish numbers of jobs."""
        names = list(values)
        for start in range(0, len(names), AT_ONCE):
            self._sender.note({name: values[name] for name in names[start : start + AT_ONCE]})

    def tell(self, news: Mapping[str, int]) -> None:
        """Wake jobs, by the master."""
        if news:
            self._sender.news(news)
