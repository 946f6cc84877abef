"""What processes cost."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def cpu(pids: Iterable[int]) -> float:
    """CPU seconds that living processes have used, with nanosecond resolution."""
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text(encoding="ascii").split()[0])
    return total / 1e9


def pss(pids: Iterable[int]) -> float:
    """Proportional set size in MiB: of a shared page, each process counts its share."""
    total = 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024
