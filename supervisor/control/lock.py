"""Exactly one master per fleet, by locks on the fleet's directory and on a file."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from pathlib import Path

from ..errors import AlreadyRunning
from ..flock import is_pid_file, open_folder, read_pid, try_lock, write_pid

PATIENCE = 1.0
"""Seconds for which a lock file without a pid may be locked: a master is just starting, or somebody waits."""

PAUSE = 0.02
"""Seconds between two tries."""


class Lock:
    """The right to be the master of the working directory.

    The file stays when the lock goes: if it were removed, two processes could lock two files of one name.

    Args:
        path: the lock file; it holds the master's pid, for people.

    Raises:
        AlreadyRunning: another process has it.
        OSError: the file cannot be made.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = _open_file(path)
        self._folder: int | None = None
        try:
            _take(self._file, holds_pid=True)
            write_pid(self._file)
            self._folder = open_folder()
            if self._folder is not None:
                _take(self._folder)
        except AlreadyRunning:
            self._close()
            raise

    def renew(self) -> None:
        """Make the file anew if somebody has removed or replaced it.

        Raises:
            OSError: it cannot be made.
        """
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(Path(self._path).lstat(), os.fstat(self._file)):
                return
        made = _open_file(self._path)
        if not try_lock(made):
            os.close(made)
            raise OSError(errno.EBUSY, "somebody else has locked it", self._path)
        os.close(self._file)
        self._file = made
        write_pid(made)

    def release(self) -> None:
        """Let another process be the master."""
        os.ftruncate(self._file, 0)
        self._close()

    def _close(self) -> None:
        for fd in (self._file, self._folder):
            if fd is not None:
                os.close(fd)


def wait_free(path: str) -> None:
    """Wait until nobody is the master of the working directory; a missing file is a free lock."""
    found = [open_folder(shared=True)]
    with contextlib.suppress(FileNotFoundError):
        found.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
    for fd in found:
        if fd is not None:
            while not try_lock(fd, shared=True):
                time.sleep(PAUSE)
            os.close(fd)


def _take(fd: int, *, holds_pid: bool = False) -> None:
    """Lock an open file, which may hold the pid of who has it already."""
    end = time.monotonic() + PATIENCE
    while not try_lock(fd):
        owner = read_pid(fd) if holds_pid else None
        if owner or time.monotonic() > end:
            who = f"another master (pid {owner})" if owner else "another master"
            raise AlreadyRunning(f"cannot start the fleet: {who} already runs here")
        time.sleep(PAUSE)


def _open_file(path: str) -> int:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    if not is_pid_file(fd):
        os.close(fd)
        raise OSError(errno.EEXIST, "it is no lock file; nothing is written to it", path)
    return fd
