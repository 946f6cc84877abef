"""The exit codes of all our programs, in one table."""

from __future__ import annotations

import signal
from enum import IntEnum


class Exit(IntEnum):
    """What an exit status says."""

    OK = 0
    FAILED = 1
    """A person has to read the message on stderr."""
    USAGE = 2
    """Unknown command or option (argparse's own status)."""
    NOT_RUNNING = 3
    """No master answers (LSB: the service is not running)."""
    SETUP = 78
    """``EX_CONFIG`` of sysexits.h: a restart is pointless until somebody changes something."""
    INTERRUPTED = 128 + signal.SIGINT
    """A second SIGINT ended it at once (the status that a shell reports for SIGINT)."""


ON_PURPOSE = frozenset({Exit.OK, Exit.INTERRUPTED, -signal.SIGINT, -signal.SIGTERM, 128 + signal.SIGTERM})
"""Exit codes (negative: killed by that signal) that mean: somebody wanted the process to end."""


_BY_SHELL = {128 + number: number.name for number in (signal.SIGINT, signal.SIGTERM)}
"""Exit statuses of our processes that end on a signal, as a shell would report them."""


def describe(code: int) -> str:
    """An exit code (negative: killed by that signal) in words."""
    if code in _BY_SHELL:
        return f"exit status {code} ({_BY_SHELL[code]})"
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
