"""Exactly one master per control socket, by a lock on a file."""

from __future__ import annotations

import errno
import os
import time

from ..errors import AlreadyRunning
from ..flock import is_pid_file, read_pid, try_lock, write_pid

PATIENCE = 1.0
"""Seconds for which a lock file without a pid may be locked: a master is just starting, or somebody waits."""

PAUSE = 0.02
"""Seconds between two tries."""


class Lock:
    """The right to be the master.

    The file stays when the lock goes: if it were removed, two processes could lock two files of one name.

    Args:
        path: the lock file; it holds the master's pid, for people.

    Raises:
        AlreadyRunning: another process has it.
        OSError: the file cannot be made.
    """

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        if not is_pid_file(self._fd):
            os.close(self._fd)
            raise OSError(errno.EEXIST, "it is no lock file; nothing is written to it", path)
        end = time.monotonic() + PATIENCE
        while not try_lock(self._fd):
            owner = read_pid(self._fd)
            if owner or time.monotonic() > end:
                os.close(self._fd)
                who = f"another master (pid {owner})" if owner else "another master"
                raise AlreadyRunning(f"cannot start the fleet: {who} already runs here")
            time.sleep(PAUSE)
        write_pid(self._fd)

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
        while not try_lock(fd, shared=True):
            time.sleep(PAUSE)
    finally:
        os.close(fd)
