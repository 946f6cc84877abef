"""CPU time of database servers."""

from __future__ import annotations

import os
from pathlib import Path

from tdsup.sandbox import Cluster

_TICK = os.sysconf("SC_CLK_TCK")

# Fields of /proc/PID/stat (proc(5)) after the name, which is in parentheses: from 0.
_PARENT, _OWN, _BURIED = 1, slice(11, 13), slice(13, 15)


def cpu(cluster: Cluster) -> float:
    """CPU seconds of a server and all its processes so far, including those that have ended."""
    lines = (cluster.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    postmaster = lines[0]
    ticks = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
        except OSError:
            # The process has just ended.
            continue
        if entry.name == postmaster:
            ticks += sum(map(int, fields[_OWN])) + sum(map(int, fields[_BURIED]))
        elif fields[_PARENT] == postmaster:
            ticks += sum(map(int, fields[_OWN]))
    return ticks / _TICK
