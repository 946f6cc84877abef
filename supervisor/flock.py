"""A lock on a file that holds its owner's pid: flock(2), which the kernel releases when the owner dies.

The pid is for people and for signals. Only the lock counts: a file that a killed process left behind, or a
pid that another process has by now, misleads nobody.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat

FOLDER = "."
"""The fleet's directory, which its master locks: unlike a file, nobody removes it and runs the fleet."""

PID_LIMIT = 20
"""Bytes of a pid in a file."""

_PID = re.compile(rb"\s*\d{0,18}\s*")


def try_lock(fd: int, *, shared: bool = False) -> bool:
    """Lock an open file without waiting; returns whether that worked. Closing the file unlocks it."""
    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def open_folder(*, shared: bool = False) -> int | None:
    """The fleet's directory, locked if it is free; None where it cannot be locked, as on NFS.

    Args:
        shared: whoever asks does not want to be its master.
    """
    try:
        fd = os.open(FOLDER, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        try_lock(fd, shared=shared)
    except OSError:
        os.close(fd)
        return None
    return fd


def write_pid(fd: int) -> None:
    """Make this process's pid the content of the file."""
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)


def is_pid_file(fd: int) -> bool:
    """Whether an open file holds nothing but a pid, if that, and so may be written and removed."""
    return stat.S_ISREG(os.fstat(fd).st_mode) and _PID.fullmatch(os.pread(fd, PID_LIMIT + 1, 0)) is not None


def read_pid(fd: int) -> int | None:
    """The pid in the file; None if there is none."""
    text = os.pread(fd, PID_LIMIT, 0).strip()
    return int(text) if text.isdigit() else None
