"""A contestant's process; its last line is a `Report`.

``python -m bench.throughput.contestants.runner NAME TASK``.

Counted is the work, connecting included, but not the start of the interpreter and the imports, except for the
peak: that is of the process's whole life. It is the kernel's VmHWM and not ru_maxrss, which a child inherits
from the process that started it.
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
    """What the work has cost: seconds, CPU seconds of the process, peak RSS in bytes."""

    seconds: float
    cpu: float
    peak: int


def main() -> None:
    """Do the task and report."""
    _, name, task = sys.argv
    work = importlib.import_module(f".{name}", __package__).prepare(Task.from_json(task))
    cpu, began = _cpu(), time.perf_counter()
    work()
    report = Report(time.perf_counter() - began, _cpu() - cpu, _peak())
    print(json.dumps(asdict(report)))


def _cpu() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _peak() -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError("cannot read the peak of memory: the kernel tells no VmHWM")


if __name__ == "__main__":
    main()
