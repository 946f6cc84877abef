"""One forked child: how it is born, watched and signalled."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable

from setproctitle import setproctitle

from . import logs
from .channel import open_channel

HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that the master handles, hence a child has to reset."""

_FORK = multiprocessing.get_context("fork")

Body = Callable[[socket.socket], int]
"""What a child does with its end of the channel; returns its exit status."""


class Process:
    """A child process; it is forked by the constructor.

    Args:
        title: what `ps` shows.
        body: what the child does.

    Attributes:
        pid: its process id.
        channel: the master's end of its channel.
        sentinel: descriptor that becomes readable when the child dies.

    Raises:
        OSError: no process or descriptor to be had.
    """

    def __init__(self, title: str, body: Body) -> None:
        self.channel, theirs = open_channel()
        with theirs:
            try:
                inherited = _open_descriptors() - {0, 1, 2, theirs.fileno()}
                # daemon: multiprocessing must not wait for it, should the master end without its shut-down.
                self._process = _FORK.Process(
                    target=_live, args=(theirs, inherited, title, body), name=title, daemon=True
                )
                # A signal between fork and the child's first act would run the master's handler in the child.
                before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
                try:
                    self._process.start()
                finally:
                    signal.pthread_sigmask(signal.SIG_SETMASK, before)
            except OSError:
                # multiprocessing leaves its pipes open when the fork fails; no other thread opens any.
                for descriptor in _open_descriptors() - inherited - {0, 1, 2, theirs.fileno()}:
                    os.close(descriptor)
                self.channel.close()
                raise
        pid = self._process.pid
        assert pid is not None
        self.pid = pid
        self.sentinel = self._process.sentinel

    def exit_code(self) -> int | None:
        """Exit status, negative if it died by that signal; None while it lives. Never waits."""
        return self._process.exitcode

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless it is dead already."""
        if self._process.exitcode is None:
            os.kill(self.pid, number)

    def close(self) -> None:
        """Free the descriptors of a dead child."""
        self.channel.close()
        self._process.close()


def _open_descriptors() -> set[int]:
    """Numbers of all open descriptors of this process."""
    found = set()
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 (it closes its descriptor before it returns)
        # The listing's own descriptor is gone by now, and its number may be given out again.
        with contextlib.suppress(OSError):
            os.fstat(int(name))
            found.add(int(name))
    return found


def _live(channel: socket.socket, inherited: set[int], title: str, body: Body) -> None:
    """The whole life of a child, which starts with cutting what ties it to its siblings.

    Objects of the master that own a closed descriptor stay referenced by the frames below this one, hence
    none of them is ever collected and closes a number that has been given out again.
    """
    signal.set_wakeup_fd(-1)
    for number in HANDLED:
        signal.signal(number, signal.SIG_DFL)
    # It asks for a new log file, which a process that has none yet makes anyway.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    os.setpgid(0, 0)
    logs.drop_all()
    for descriptor in inherited:
        with contextlib.suppress(OSError):
            os.close(descriptor)
    _read_nothing()
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    setproctitle(title)
    sys.exit(body(channel))


def _read_nothing() -> None:
    """Make /dev/null the standard input, also for C code."""
    null = os.open(os.devnull, os.O_RDONLY)
    # multiprocessing has opened one too, under another number.
    given = sys.stdin.fileno() if sys.stdin is not None else 0
    os.dup2(null, 0)
    os.close(null)
    if given > max(logs.STANDARD_STREAMS):
        os.close(given)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 (a descriptor, and it stays open)
