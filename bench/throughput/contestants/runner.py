"""A contestant's process; its last line is a `Report`.

``python -m bench.throughput.contestants.runner NAME TASK``.

It measures the work, including the connections, but not the interpreter's start and imports; a contestant
that knows better when its work began says so. Only the peak is
that of the process's whole life: the kernel's VmHWM, as ru_maxrss is inherited from the parent.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from .task import Task


@dataclass(frozen=True)
class Report:
    """What the work cost: seconds, CPU seconds of the process, peak RSS in bytes."""

    seconds: float
    cpu: float
    peak: int


def main() -> None:
    """Do the task and print the report."""
    _, name, task = sys.argv
    work = importlib.import_module(f".{name}", __package__).prepare(Task.from_json(task))
    cpu, began = _cpu(), time.perf_counter()
    seconds = work()
    if not isinstance(seconds, float):
        seconds = time.perf_counter() - began
    report = Report(seconds, _cpu() - cpu, _peak())
    print(json.dumps(asdict(report)))


def _cpu() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _peak() -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError("cannot read the peak of memory: the kernel shows no VmHWM")


if __name__ == "__main__":
    main()
