"""The exit codes of all our programs, in one table."""

from __future__ import annotations

import signal
from enum import IntEnum


class Exit(IntEnum):
    """What an exit status says."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_RUNNING = 3
    SETUP = 78
    INTERRUPTED = 128 + signal.SIGINT


MEANINGS = {
    Exit.OK: "Done; of a fleet or a job: it has stopped as somebody asked.",
    Exit.FAILED: "Refused or failed; stderr says why.",
    # argparse's own status.
    Exit.USAGE: "Unknown command or option.",
    # LSB: the service is not running.
    Exit.NOT_RUNNING: "No master answers.",
    # EX_CONFIG of sysexits.h.
    Exit.SETUP: "The configuration is wrong: a restart is of no use until somebody changes something.",
    # What a shell reports for SIGINT.
    Exit.INTERRUPTED: "Ended at once by a second SIGINT.",
}
"""What people are told of each."""

ON_PURPOSE = frozenset({Exit.OK, Exit.INTERRUPTED, -signal.SIGINT, -signal.SIGTERM, 128 + signal.SIGTERM})
"""Exit codes (negative: killed by that signal) that mean: somebody wanted the process to end."""


def of_single(code: int) -> int:
    """The exit status of a program for one job: 1 for every error, like the original."""
    return Exit.FAILED if code == Exit.SETUP else code


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
