"""The one thread of a child: it sees signals and the master's death even while the main thread is in C.

Python runs signal handlers only between byte codes of the main thread, and a query can keep that thread in
libpq for minutes. But the C half of Python's signal handling writes to a wake-up descriptor at once.
"""

from __future__ import annotations

import logging
import math
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from .. import logs
from ..exits import Exit
from .channel import receive

ORPHAN_GRACE = 0.5
"""Seconds for the main thread to end by itself once the master is dead."""

LONGEST_WAIT = 3600.0
"""Seconds; poll(2) takes some weeks at most."""

IMPATIENCE = 1.0
"""Seconds; a second SIGINT within this time means: at once."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What ties a child to its master.

    Attributes:
        channel: the child's end of it; its end of file means that the master is dead.
        every: seconds between signs of life.
        send: sends one; called in the watching thread, like `hear`. Returns whether no other one is due until
            something happens.
        hear: takes what the master says, but for its death.
    """

    channel: socket.socket
    every: float
    send: Callable[[], bool]
    hear: Callable[[Mapping[str, Any]], None]


class Lifeline:
    """Watches the signals and the master, and beats.

    Args:
        logger: where an early end is told.
        master: what ties the process to it; None for a process without a master.
        stop: asks the main thread to end; called in the watching thread, like the following two.
        reload: takes up the job's changed file, on SIGHUP.
        terminate: cleans up before the end by SIGTERM. Without it SIGTERM keeps its default action, which
            ends the process at once, in the middle of anything.
    """

    def __init__(
        self,
        logger: logging.Logger,
        master: Heartbeat | None,
        *,
        stop: Callable[[], None],
        reload: Callable[[], None],
        terminate: Callable[[], None] | None,
    ) -> None:
        self._log = logger
        self._master = master
        self._stop = stop
        self._terminate = terminate
        self._signals: dict[int, Callable[[], None]] = {
            signal.SIGINT: self._interrupt,
            signal.SIGHUP: reload,
            signal.SIGUSR1: logs.rotate,
        }
        if terminate is not None:
            self._signals[signal.SIGTERM] = self._end_at_once
        self.interrupted: float | None = None
        """Moment of the first SIGINT; None so far."""

    def start(self) -> None:
        """Start watching; the main thread calls this, after the fork."""
        reader, writer = socket.socketpair()
        reader.setblocking(False)
        writer.setblocking(False)
        # The attribute keeps the writer open; the C handler only knows its number.
        self._wakeup = reader, writer
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        for number in self._signals:
            signal.signal(number, lambda _signal, _frame: None)
        threading.Thread(target=self._live, name="lifeline", daemon=True).start()

    def _live(self) -> None:
        """Watch until the end; a process that nobody watches is worse than none."""
        try:
            self._watch()
        except Exception:  # noqa: BLE001 (the process must not live on without its lifeline)
            self._log.exception("cannot go on: a defect of tdsup, please report it")
            os._exit(Exit.FAILED)

    def _watch(self) -> None:
        reader, master = self._wakeup[0], self._master
        poller = select.poll()
        poller.register(reader, select.POLLIN)
        if master is not None:
            poller.register(master.channel, select.POLLIN)
        next_beat = time.monotonic() if master is not None else math.inf
        while True:
            wait = next_beat - time.monotonic()
            if master is not None and wait <= 0:
                rests = master.send()
                next_beat = math.inf if rests else time.monotonic() + master.every
                continue
            ready = {fd for fd, _events in poller.poll(min(wait, LONGEST_WAIT) * 1000)}
            if reader.fileno() in ready:
                for number in reader.recv(4096):
                    self._signals.get(number, _nothing)()
            if master is not None and master.channel.fileno() in ready:
                self._hear(master)
            if master is not None and ready and next_beat == math.inf:
                next_beat = time.monotonic()

    def wake(self) -> None:
        """Beat again: something has happened. Any thread may call this."""
        # A number that no signal has; without room, others wake it.
        with suppress(BlockingIOError):
            self._wakeup[1].send(b"\0")

    def _hear(self, master: Heartbeat) -> None:
        for message in receive(master.channel):
            if message is None:
                self._orphaned()
            else:
                master.hear(message)

    def _interrupt(self) -> None:
        now = time.monotonic()
        if self.interrupted is not None and now - self.interrupted < IMPATIENCE:
            os._exit(Exit.INTERRUPTED)
        self.interrupted = now
        self._stop()

    def _end_at_once(self) -> None:
        if self._terminate is not None:
            self._terminate()
        os._exit(128 + signal.SIGTERM)

    def _orphaned(self) -> None:
        self._stop()
        self._log.error("the master is dead; ending")
        time.sleep(ORPHAN_GRACE)
        os._exit(Exit.FAILED)


def _nothing() -> None:
    """Ignore a signal that means nothing here."""
