"""The exit codes of all programs of this package, in one table."""

from __future__ import annotations

import signal
from enum import IntEnum


class Exit(IntEnum):
    """What a process says by its exit status."""

    OK = 0
    FAILED = 1
    """A person has to read the message on stderr."""
    USAGE = 2
    """Unknown command or option (argparse's own status)."""
    NOT_RUNNING = 3
    """No master answers (the LSB status of a service that does not run)."""
    SETUP = 78
    """``EX_CONFIG`` of sysexits.h: a restart is pointless until somebody changes something."""
    INTERRUPTED = 128 + signal.SIGINT
    """Ended at once by a second SIGINT (what a shell reports for it)."""


ON_PURPOSE = frozenset({Exit.OK, Exit.INTERRUPTED, -signal.SIGINT, -signal.SIGTERM, 128 + signal.SIGTERM})
"""Exit codes (negative: died by that signal) that mean: somebody wanted the process to end."""


_BY_SHELL = {128 + number: number.name for number in (signal.SIGINT, signal.SIGTERM)}
"""Exit statuses of our own processes that end by a signal as a shell would report it."""


def describe(code: int) -> str:
    """Put an exit code (negative: died by that signal) into words."""
    if code in _BY_SHELL:
        return f"exit status {code} ({_BY_SHELL[code]})"
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
