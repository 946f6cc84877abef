"""Exactly one master per control socket, by a lock that the kernel gives back when its owner dies."""

from __future__ import annotations

import fcntl
import os
import time

from ..errors import AlreadyRunning

PATIENCE = 1.0
"""Seconds that a lock without a pid in it may be held: by a master just starting, or by someone who waits."""

PAUSE = 0.02
"""Seconds between two tries."""


class Lock:
    """The right to be the master.

    The file stays when the lock goes: removing it would let two processes lock two files of one name.

    Args:
        path: the lock file; it holds the master's pid, for people.

    Raises:
        AlreadyRunning: another process has it.
        OSError: the file cannot be made.
    """

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        end = time.monotonic() + PATIENCE
        while not _try(self._fd, fcntl.LOCK_EX):
            owner = os.pread(self._fd, 20, 0).decode("ascii", "replace").strip()
            if owner or time.monotonic() > end:
                os.close(self._fd)
                who = f"another master (pid {owner})" if owner else "another master"
                raise AlreadyRunning(f"cannot start the fleet: {who} already runs here")
            time.sleep(PAUSE)
        self.write_pid()

    def write_pid(self) -> None:
        """Put this process's id into the file."""
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let another process be the master."""
        os.ftruncate(self._fd, 0)
        os.close(self._fd)


def wait_free(path: str) -> None:
    """Wait until nobody holds the lock; a missing file is a free lock."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        while not _try(fd, fcntl.LOCK_SH):
            time.sleep(PAUSE)
    finally:
        os.close(fd)


def _try(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
