"""The numbers of a job's process, of any job type."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tdsup.jobtype import Metric

from .. import logs

PROCESS_METRICS = (
    Metric("cpu_seconds", "counter", "CPU time of the job's processes."),
    Metric("log_bytes", "counter", "Bytes written to the job's log."),
)
"""What a process reports of itself; both keep growing over restarts."""

PAGE = os.sysconf("SC_PAGE_SIZE")


def process_values() -> dict[str, float]:
    """The numbers of `PROCESS_METRICS` for this process."""
    return {"cpu_seconds": round(time.process_time(), 4), "log_bytes": logs.written()}


@dataclass(frozen=True, slots=True)
class Vitals:
    """What the kernel knows of a living process.

    Attributes:
        resident: bytes of memory, including what it shares with other processes.
        descriptors: how many it has open.
    """

    resident: int
    descriptors: int


def vitals(pid: int) -> Vitals | None:
    """Look at a process; None if it is gone or belongs to another user."""
    with suppress(OSError):
        resident = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE
        return Vitals(resident, len(os.listdir(f"/proc/{pid}/fd")))  # noqa: PTH208 (names only, and fast)
    return None
