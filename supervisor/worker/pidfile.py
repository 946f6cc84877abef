"""The pid file of one job: who runs it, by a lock on the file.

The original program takes no lock. So in a file that nobody locks, a pid counts as well, if its process began
before the file was written: a process that got the pid of a dead one began later.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from pathlib import Path

from ..errors import AlreadyRunning
from ..files import make_private
from ..flock import is_pid_file, read_pid, try_lock, write_pid

SLACK = 0.1
"""Seconds by which clocks of files and processes may differ: both count in steps of up to 0.01."""

TICK = 1 / os.sysconf("SC_CLK_TCK")
"""Seconds of one step in which the kernel tells the start of a process."""


class PidFile:
    """A pid file, held or not."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._fd = -1

    def take(self) -> None:
        """Become its owner until `release` or the end of the process; its directory is made if need be.

        The example of the old manual page names a directory that nobody has made, and no fleet needs it.

        Raises:
            AlreadyRunning: another process owns it.
            OSError: the file cannot be made.
        """
        make_private(Path(self.path).parent)
        while self._fd < 0:
            fd = _open(self.path, os.O_CREAT)
            if not try_lock(fd):
                owner = read_pid(fd)
                os.close(fd)
                raise AlreadyRunning(f"it runs already with pid {owner or 'unknown'} (pidfile {self.path})")
            owner = _living(fd)
            if owner is not None:
                os.close(fd)
                raise AlreadyRunning(f"it runs already with pid {owner} (pidfile {self.path})")
            # Its last owner may have removed it between our open and our lock.
            if _is_at(fd, self.path):
                self._fd = fd
            else:
                os.close(fd)
        write_pid(self._fd)

    def release(self) -> None:
        """Remove the file, so that another process can have it."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                Path(self.path).unlink()
            os.close(self._fd)
            self._fd = -1

    def owner(self) -> int | None:
        """Pid of the living process that locked or wrote it; None if there is none, and the file is removed.

        Raises:
            OSError: the file cannot be read.
        """
        try:
            fd = _open(self.path)
        except FileNotFoundError:
            return None
        try:
            if not try_lock(fd):
                return read_pid(fd)
            writer = _living(fd)
            if writer is None and _is_at(fd, self.path):
                Path(self.path).unlink()
            return writer
        finally:
            os.close(fd)


def _open(path: str, flags: int = 0) -> int:
    """Open a pid file, and let nobody else open it: whoever can read a file can lock it.

    Raises:
        OSError: it is a link, is no pid file, or cannot be opened.
    """
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | flags, 0o600)
    if not is_pid_file(fd):
        os.close(fd)
        raise OSError(errno.EEXIST, "it is no pid file; nothing is written to it", path)
    with contextlib.suppress(PermissionError):
        os.fchmod(fd, 0o600)
    return fd


def _living(fd: int) -> int | None:
    """The pid in a file that nobody locks, if the process that wrote it lives."""
    pid = read_pid(fd)
    if pid is None or pid == os.getpid():
        return None
    began = _began(pid)
    return pid if began is not None and began <= os.fstat(fd).st_mtime + SLACK else None


def _began(pid: int) -> float | None:
    """When a process began, in seconds since 1970; None if it is dead."""
    try:
        # The name of the program, in brackets, may contain anything.
        state, *fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return None if state in (b"Z", b"X") else booted + int(fields[18]) * TICK


def _is_at(fd: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), Path(path).stat())
    except FileNotFoundError:
        return False
