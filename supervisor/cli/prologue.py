"""What each program does first."""

from __future__ import annotations

import contextlib
import os
import resource


def dump_no_core() -> None:
    """Let this process and its children leave no memory behind when they crash: it holds passwords.

    A limit of 1, and no other, counts for a core that goes to a program, too (core(5), Linux).
    """
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))


def hold_standard_streams() -> None:
    """Open /dev/null for each of 0, 1 and 2 that is closed; else a socket would get its number."""
    while True:
        fd = os.open(os.devnull, os.O_RDWR)
        if fd > 2:
            os.close(fd)
            return
        os.set_inheritable(fd, True)
