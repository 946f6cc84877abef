"""The one place where the master waits: for descriptors, timers and signals."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import math
import selectors
import signal
import socket
import time
from collections.abc import Callable
from functools import partial

TIMER_SHARE = 0.01
"""Seconds that due timers may take before descriptors are served again."""

_log = logging.getLogger("tdsup")


class Timer:
    """A call at some moment."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Never make the call."""
        self._callback = None

    def fire(self) -> None:
        """Make the call, unless cancelled."""
        if self._callback is not None:
            self._callback()


class Appointment:
    """A call at the earliest of the moments that were asked for.

    Args:
        loop: makes the call.
        callback: is called; it may ask for another moment.
    """

    def __init__(self, loop: Loop, callback: Callable[[], None]) -> None:
        self._loop = loop
        self._callback = callback
        self._timer: Timer | None = None
        self._at = math.inf

    def by(self, when: float) -> None:
        """Call back at that moment, unless an earlier one was asked for: that call asks for the next one."""
        if when < self._at:
            if self._timer is not None:
                self._timer.cancel()
            self._at = when
            self._timer = self._loop.at(when, self._due)

    def _due(self) -> None:
        self._timer, self._at = None, math.inf
        self._callback()


class Loop:
    """Waits by epoll(7), whose cost does not grow with the descriptors that are silent.

    A forked child shares the registrations, and could remove some: it must close all descriptors first, and
    never call a method of the loop.

    An exception in a callback is logged and the loop goes on: one defect must not end a fleet.
    """

    def __init__(self) -> None:
        self._selector = selectors.EpollSelector()
        self._timers: list[tuple[float, int, Timer]] = []
        self._sequence = itertools.count()
        self._signals: dict[int, Callable[[], object]] = {}
        self._running = True
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self.watch(self._reader.fileno(), selectors.EVENT_READ, self._take_signals)

    @staticmethod
    def now() -> float:
        """The present moment in seconds. No other clock decides anything."""
        return time.monotonic()

    def watch(self, descriptor: int, events: int, callback: Callable[[int], None]) -> None:
        """Call back with the events that are ready; a second call for a descriptor replaces the first."""
        # The one that had the number may be closed: then epoll does not know it any more.
        self.unwatch(descriptor)
        self._selector.register(descriptor, events, callback)

    def unwatch(self, descriptor: int) -> None:
        """Forget a descriptor; one that is not watched is no error."""
        with contextlib.suppress(KeyError):
            self._selector.unregister(descriptor)

    def at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call back at that moment, or as soon as possible after it."""
        timer = Timer(callback)
        heapq.heappush(self._timers, (when, next(self._sequence), timer))
        return timer

    def on_signal(self, number: signal.Signals, callback: Callable[[], object]) -> None:
        """Call back from the loop after a signal; several that come at once may be one call."""
        self._signals[number] = callback
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        signal.signal(number, lambda _signal, _frame: None)

    def stop(self) -> None:
        """Let `run` return."""
        self._running = False

    def close(self) -> None:
        """Free the loop's own descriptors; what is watched belongs to others."""
        self._selector.close()
        self._reader.close()
        self._writer.close()

    def run(self) -> None:
        """Serve until `stop`."""
        while self._running:
            for key, events in self._selector.select(self._wait()):
                # An earlier callback of this round may have closed the descriptor, or replaced its owner.
                if self._selector.get_map().get(key.fd) == key:
                    self._guard(partial(key.data, events))
            self._fire()

    def _wait(self) -> float | None:
        when = self._timers[0][0] if self._timers else math.inf
        return None if when == math.inf else max(0.0, when - self.now())

    def _fire(self) -> None:
        end = self.now() + TIMER_SHARE
        while self._running and self._timers and self._timers[0][0] <= self.now() <= end:
            self._guard(heapq.heappop(self._timers)[2].fire)

    def _take_signals(self, _events: int) -> None:
        for number in sorted(set(self._reader.recv(65536))):
            if number in self._signals:
                self._signals[number]()

    @staticmethod
    def _guard(call: Callable[[], None]) -> None:
        try:
            call()
        except Exception:  # noqa: BLE001 (told in the class docstring)
            _log.exception("cannot handle an event: a defect of tdsup, please report it")
