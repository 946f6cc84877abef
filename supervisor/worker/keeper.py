"""A program of its own: runs another one, and kills that with all it has started once its own input ends.

Its input is a pipe that the job's process holds, and which ends with that process, however it dies.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

BY_SIGNAL = 128
"""Exit status of who was killed by signal 0, as shells count."""


def keep(command: Sequence[str]) -> int:
    """Run a program to its end, or to the end of the input; returns its exit status."""
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 (the job's file names it)
    ended = os.pidfd_open(program.pid)
    select.select([sys.stdin, ended], [], [])
    # Its group lives on if it has left others behind.
    with suppress(ProcessLookupError):
        os.killpg(program.pid, signal.SIGKILL)
    status = program.wait()
    return status if status >= 0 else BY_SIGNAL - status


if __name__ == "__main__":
    sys.exit(keep(sys.argv[1:]))
