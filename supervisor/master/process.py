"""One forked child: how it is born, watched and signalled; see docs/decisions/0010."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from multiprocessing.context import ForkProcess
from typing import NoReturn

from setproctitle import setproctitle

from .. import logs
from ..exits import Exit
from ..worker import open_channel

HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
"""Signals that the master handles, so that a child has to reset them."""

PIPE_ENDS = 4
"""Descriptors that multiprocessing opens for a child, at most."""

Body = Callable[[socket.socket], int]
"""What a child does with its end of the channel; returns its exit status."""

# By name: the default method is another one from Python 3.14 on.
_FORK = multiprocessing.get_context("fork")


class Process:
    """A child process; the constructor starts it.

    Args:
        title: what `ps` shows.
        body: what the child does.

    Attributes:
        pid: its process id.
        channel: the master's end of its channel.
        pidfd: descriptor that becomes readable when the child dies. multiprocessing's own sentinel is a pipe,
            which the child's children may hold open and which the child closes when it begins.

    Raises:
        OSError: there is no process or descriptor left.
    """

    def __init__(self, title: str, body: Body) -> None:
        self.channel, theirs = open_channel()
        # Not a daemon, which could have no children of its own.
        self._process = _FORK.Process(target=_live, name=title, args=(theirs, body))
        try:
            with theirs:
                _start(self._process)
            pid = self._process.pid
            assert pid is not None, "it was started"
            self.pid = pid
            self.pidfd = self._watch()
        except OSError:
            self.channel.close()
            raise

    def _watch(self) -> int:
        """A descriptor of the child; if there is none, there is no child either."""
        try:
            return os.pidfd_open(self.pid)
        except OSError:
            self._process.kill()
            self._process.join()
            self._process.close()
            raise

    def exit_code(self) -> int | None:
        """Exit status, negative if it died by that signal; None while it lives. Never waits."""
        return self._process.exitcode

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless it is dead already."""
        if self.exit_code() is None:
            os.kill(self.pid, number)

    def close(self) -> None:
        """Free the descriptors of a dead child."""
        self.channel.close()
        os.close(self.pidfd)
        self._process.close()


def _start(process: ForkProcess) -> None:
    """Start a process. No signal runs the master's handlers in it, and a failure leaves nothing open."""
    # Between the fork and the child's first act, a signal would run the master's handler in the child.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    try:
        free = _next_descriptors()
        try:
            process.start()
        except OSError:
            # multiprocessing leaves its pipes open when the fork fails.
            for descriptor in free:
                os.closerange(descriptor, descriptor + 1)
            raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _next_descriptors() -> list[int]:
    """The descriptors that will be opened next: the kernel gives the lowest free ones.

    Raises:
        OSError: there are not enough.
    """
    with contextlib.ExitStack() as opened:
        found = []
        for _ in range(PIPE_ENDS):
            found.append(os.dup(0))
            opened.callback(os.close, found[-1])
    return found


def _live(channel: socket.socket, body: Body) -> NoReturn:
    """The whole life of a child. It begins by cutting what ties it to its siblings.

    Objects of the master that own a closed descriptor stay referenced by the frames below this one. So none
    of them is ever collected and closes a number that has been given out again.
    """
    code: int = Exit.FAILED
    try:
        signal.set_wakeup_fd(-1)
        for number in HANDLED:
            signal.signal(number, signal.SIG_DFL)
        # It asks for a new log file; a process that has none yet will make one anyway.
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        os.setpgid(0, 0)
        logs.drop_all()
        os.closerange(max(logs.STANDARD_STREAMS) + 1, channel.fileno())
        os.closerange(channel.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
        _read_nothing()
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        setproctitle(multiprocessing.current_process().name)
        code = body(channel)
    except BaseException:  # noqa: BLE001 (nothing may get out of here into the master's frames)
        with contextlib.suppress(BaseException):
            traceback.print_exc()
    finally:
        # At once: the exit handlers, and the children that multiprocessing would wait for, are the master's.
        logs.flush_and_exit(code)


def _read_nothing() -> None:
    """Make /dev/null the standard input, for C code and for Python."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    # multiprocessing has made it a descriptor that is closed by now.
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 (for life; a descriptor)
