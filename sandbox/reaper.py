"""The clean-up, in a process that outlives the owner of the sandbox.

Run as ``python reaper.py DIRECTORY``, it waits until its standard input ends: when the owner closes the pipe,
or dies. It then ends every process that works inside the directory, and removes the directory.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

QUIT_WAIT = 5.0
"""Seconds for an immediate shutdown of the servers, which frees their shared memory."""

KILL_WAIT = 5.0
"""Seconds for the kernel to remove what was killed."""

_PAUSE = 0.02

_SHARED_MEMORY_LINE = 6
"""Line of postmaster.pid, counted from 0, with key and id of the server's System V segment (miscadmin.h)."""


def inside(directory: Path) -> set[int]:
    """Processes whose working directory is `directory` or below it, except the caller."""
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            cwd = (entry / "cwd").readlink()
        except OSError:
            continue
        if cwd.is_relative_to(directory):
            found.add(int(entry.name))
    return found


def end(directory: Path, how: signal.Signals, seconds: float) -> bool:
    """Signal all processes inside the directory until none is left; returns whether that was in time."""
    deadline = time.monotonic() + seconds
    signalled: set[int] = set()
    while living := inside(directory):
        for pid in living - signalled:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, how)
        signalled |= living
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True


def _free_shared_memory(directory: Path) -> None:
    """Remove the segments of servers that were killed before they could."""
    for file in directory.glob("*/data/postmaster.pid"):
        lines = file.read_text().splitlines()
        if len(lines) > _SHARED_MEMORY_LINE and (words := lines[_SHARED_MEMORY_LINE].split()):
            subprocess.run(["ipcrm", "-m", words[-1]], check=False, capture_output=True)


def main() -> None:
    """Wait for the owner's end, then clean up."""
    directory = Path(sys.argv[1])
    os.chdir("/")
    # Only the end of the pipe counts: a Ctrl-C is for the owner, who then closes it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    if not end(directory, signal.SIGQUIT, QUIT_WAIT):
        end(directory, signal.SIGKILL, KILL_WAIT)
    _free_shared_memory(directory)
    shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
