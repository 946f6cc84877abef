"""What `tdsup status --check` says of a fleet, for Nagios and scripts (Monitoring Plugins guidelines)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any

from tdsup.jobtype import printable

from .status import summary, told

NAMED = 5
"""Jobs that are named for one fault."""


class Verdict(IntEnum):
    """How a fleet fares, as an exit status."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3

    def line(self, text: str) -> str:
        """What is printed, in one line."""
        return printable(f"tdsup {self.name}: {' '.join(text.split())}")


def judge(status: Mapping[str, Any], lag: float | None) -> tuple[Verdict, str]:
    """How the jobs of an answer fare; what is paused or stopped on purpose is well.

    Args:
        status: the answer of the `status` command.
        lag: most seconds of it that are well; None: any.
    """
    jobs = status["jobs"]
    faults = (
        (Verdict.CRITICAL, "blocked", [job for job in jobs if job["state"] == "blocked"]),
        (Verdict.CRITICAL, "in trouble", [job for job in jobs if job["trouble"]]),
        (Verdict.WARNING, "nobody works", [job for job in jobs if job["works"] == 0]),
        (Verdict.WARNING, "held up", [job for job in jobs if job["held_up"]]),
        (Verdict.WARNING, "backoff", [job for job in jobs if job["state"] == "backoff"]),
        (
            Verdict.CRITICAL,
            f"lag over {told(lag)}",
            [job for job in jobs if lag is not None and (job["lag"] or 0) > lag],
        ),
    )
    verdict = max((verdict for verdict, _fault, those in faults if those), default=Verdict.OK)
    found = [f"{fault}: {_names(those)}" for _verdict, fault, those in faults if those]
    return verdict, "; ".join([summary(jobs), *found])


def _names(jobs: Sequence[Mapping[str, Any]]) -> str:
    names = [str(job["name"]) for job in jobs]
    left = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {left} more" if left > 0 else "")
