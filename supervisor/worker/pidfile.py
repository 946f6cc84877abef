"""The pid file of one job: who runs it, by a lock on the file."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from ..errors import AlreadyRunning
from ..flock import read_pid, try_lock, write_pid


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
        Path(self.path).parent.mkdir(exist_ok=True)
        while self._fd < 0:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            if not try_lock(fd):
                owner = read_pid(fd)
                os.close(fd)
                raise AlreadyRunning(f"it runs already with pid {owner or 'unknown'} (pidfile {self.path})")
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
        """Pid of the process that holds it; None if nobody does, and a file left behind is removed.

        Raises:
            OSError: the file cannot be read.
        """
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            if not try_lock(fd):
                return read_pid(fd)
            if _is_at(fd, self.path):
                Path(self.path).unlink()
            return None
        finally:
            os.close(fd)


def _is_at(fd: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), Path(path).stat())
    except FileNotFoundError:
        return False
