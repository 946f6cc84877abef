"""The pid file of one job: who runs it, by a lock that the kernel gives back when its owner dies.

The number in it is for people and for signals; what counts is the lock (flock(2)), so that a file left behind
by a killed process, or a number that another process has by now, misleads nobody.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from ..errors import AlreadyRunning


class PidFile:
    """A pid file, held or not."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._fd = -1

    def take(self) -> None:
        """Become its owner until `release` or the end of the process; its directory is made if need be.

        The old manual page's example names a directory that nobody has made, and no fleet needs it.

        Raises:
            AlreadyRunning: another process is.
            OSError: the file cannot be made.
        """
        Path(self.path).parent.mkdir(exist_ok=True)
        while self._fd < 0:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            if not _lock(fd):
                owner = _number(fd)
                os.close(fd)
                raise AlreadyRunning(f"it runs already with pid {owner or 'unknown'} (pidfile {self.path})")
            # Its last owner may have removed it between our open and our lock.
            if _is_at(fd, self.path):
                self._fd = fd
            else:
                os.close(fd)
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Remove the file and let another process have it."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                Path(self.path).unlink()
            os.close(self._fd)
            self._fd = -1

    def owner(self) -> int | None:
        """Pid of the process that holds it; None if nobody does, and a file left behind is removed.

        Raises:
            OSError: the file cannot be read.
        """
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            if not _lock(fd):
                return _number(fd)
            if _is_at(fd, self.path):
                Path(self.path).unlink()
            return None
        finally:
            os.close(fd)


def _lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _number(fd: int) -> int | None:
    text = os.pread(fd, 20, 0).strip()
    return int(text) if text.isdigit() else None


def _is_at(fd: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), Path(path).stat())
    except FileNotFoundError:
        return False
