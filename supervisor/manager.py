"""What this process tells the service manager that has started it: sd_notify(3)."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator

from .loop import Loop

LOOK = 1.0
"""Seconds between two looks at what STATUS says."""

MICROSECONDS = 1_000_000


class Manager:
    """Tells systemd, or whatever has set ``NOTIFY_SOCKET``, how a service fares; without it, does nothing.

    Args:
        loop: of the service: while it turns, the watchdog is fed.
        status: what the service is doing, in one line.
        stop_within: seconds that a stop takes at most.

    The variables of the protocol are taken out of the environment: they are for no child.
    """

    def __init__(self, loop: Loop, status: Callable[[], str], stop_within: float) -> None:
        self._loop = loop
        self._status = status
        self._stop_within = stop_within
        self._said = ""
        address = os.environ.pop("NOTIFY_SOCKET", "")
        interval = os.environ.pop("WATCHDOG_USEC", "")
        wanted = os.environ.pop("WATCHDOG_PID", "") in {"", str(os.getpid())} and interval.isdecimal()
        self._feeds = int(interval) / MICROSECONDS / 2 if wanted else 0.0
        # An abstract name begins with a zero byte, which an environment cannot hold (unix(7)).
        self._address = "\0" + address[1:] if address.startswith("@") else address

    def ready(self) -> None:
        """The service is up; from now on its status is told, and the watchdog fed."""
        if self._address:
            self._tell("READY=1")
            self._look()
            if self._feeds:
                self._feed()

    @contextlib.contextmanager
    def reloading(self) -> Iterator[None]:
        """The service reads its files again, and is ready when it has."""
        now = int(time.clock_gettime(time.CLOCK_MONOTONIC) * MICROSECONDS)
        self._tell("RELOADING=1", f"MONOTONIC_USEC={now}")
        try:
            yield
        finally:
            self._tell("READY=1")

    def stopping(self) -> None:
        """The service stops; the manager is to wait until its batches are at their ends."""
        self._tell("STOPPING=1", f"EXTEND_TIMEOUT_USEC={int(self._stop_within * MICROSECONDS)}")

    def _look(self) -> None:
        status = self._status()
        if status != self._said:
            self._said = status
            self._tell(f"STATUS={status}")
        self._loop.at(self._loop.now() + LOOK, self._look)

    def _feed(self) -> None:
        self._tell("WATCHDOG=1")
        self._loop.at(self._loop.now() + self._feeds, self._feed)

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        # A manager that does not listen is no reason to end.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.setblocking(False)
            channel.sendto("\n".join(lines).encode(), self._address)
