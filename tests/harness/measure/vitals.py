"""What /proc says about a process."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Vitals:
    """A process at one moment.

    Attributes:
        descriptors: how many are open.
        zombies: dead children that it has not reaped.
        resident: its memory in KiB.
        cpu: CPU seconds it has used.
    """

    descriptors: int
    zombies: int
    resident: int
    cpu: float


def vitals(pid: int) -> Vitals:
    """Read them for a living process."""
    process = Path(f"/proc/{pid}")
    status = (process / "status").read_text(encoding="utf-8")
    resident = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    fields = _stat(pid)
    children = (process / "task" / str(pid) / "children").read_text(encoding="utf-8").split()
    return Vitals(
        descriptors=len(list((process / "fd").iterdir())),
        zombies=sum(_is_zombie(int(child)) for child in children),
        resident=int(resident),
        cpu=(int(fields[11]) + int(fields[12])) / _TICKS,
    )


def _stat(pid: int) -> list[str]:
    """The fields of proc_pid_stat(5), starting with the state."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()


def _is_zombie(pid: int) -> bool:
    try:
        return _stat(pid)[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
