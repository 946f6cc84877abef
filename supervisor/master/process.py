"""One forked child: how it is born, watched and signalled."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import traceback
from collections.abc import Callable
from typing import NoReturn

from setproctitle import setproctitle

from .. import logs
from ..exits import Exit
from ..worker import open_channel

HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that the master handles, hence a child has to reset."""

Body = Callable[[socket.socket], int]
"""What a child does with its end of the channel; returns its exit status."""


class Process:
    """A child process; it is forked by the constructor.

    A plain fork(2) and pidfd_open(2), see docs/decisions/0008: what the master touches between two forks is
    memory that the children do not share.

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
        self._code: int | None = None
        # A signal between fork and the child's first act would run the master's handler in the child.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self.pid = os.fork()
            if not self.pid:
                _live(theirs, title, body)
            self.sentinel = self._watch()
        except OSError:
            self.channel.close()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            theirs.close()

    def _watch(self) -> int:
        """The child's sentinel; without one there is to be no child."""
        try:
            return os.pidfd_open(self.pid)
        except OSError:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            raise

    def exit_code(self) -> int | None:
        """Exit status, negative if it died by that signal; None while it lives. Never waits."""
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless it is dead already."""
        if self.exit_code() is None:
            os.kill(self.pid, number)

    def close(self) -> None:
        """Free the descriptors of a dead child."""
        self.channel.close()
        os.close(self.sentinel)


def _live(channel: socket.socket, title: str, body: Body) -> NoReturn:
    """The whole life of a child, which starts with cutting what ties it to its siblings.

    Objects of the master that own a closed descriptor stay referenced by the frames below this one, hence
    none of them is ever collected and closes a number that has been given out again.
    """
    code: int = Exit.FAILED
    try:
        signal.set_wakeup_fd(-1)
        for number in HANDLED:
            signal.signal(number, signal.SIG_DFL)
        # It asks for a new log file, which a process that has none yet makes anyway.
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        os.setpgid(0, 0)
        logs.drop_all()
        os.closerange(max(logs.STANDARD_STREAMS) + 1, channel.fileno())
        os.closerange(channel.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
        _read_nothing()
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        setproctitle(title)
        code = body(channel)
    except BaseException:  # noqa: BLE001 (nothing may get out of here into the master's frames)
        with contextlib.suppress(BaseException):
            traceback.print_exc()
    finally:
        # No exit handlers: they are the master's.
        logs.flush_and_exit(code)


def _read_nothing() -> None:
    """Make /dev/null the standard input, also for C code."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
