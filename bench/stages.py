"""Where a worker's CPU time goes: its threads under a profiler, while they load a queue."""

from __future__ import annotations

import argparse
import cProfile
import pstats
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tdsup.sandbox import Sandbox

sys.path.append(str(Path(__file__).parents[1]))

from bench.throughput.case import CASES, Case
from bench.throughput.contestants import tdsup
from bench.throughput.work import Ticks
from bench.throughput.workload import Workload

STAGES = {
    ("copy_expert", "queue"): "fetch: libpq and psycopg2, a line at a time",
    ("add", "blocks"): "decode and fold",
    ("groups", "blocks"): "decode and fold",
    ("text", "blocks"): "decode and fold",
    ("copy_expert", "writer"): "load: libpq and psycopg2",
    ("copy_expert", "stage"): "load: libpq and psycopg2",
}
"""Stages by name of a compiled function and calling module; the rest is shown by module."""

COLUMNS = 66
"""Width of the column of stages."""


@contextmanager
def profiled() -> Iterator[list[cProfile.Profile]]:
    """Profile the CPU time of this thread and of threads that start and end meanwhile."""
    profiles = [cProfile.Profile(time.thread_time)]
    run = threading.Thread.run

    def run_profiled(thread: threading.Thread) -> None:
        profile = cProfile.Profile(time.thread_time)
        profile.runcall(run, thread)
        profiles.append(profile)

    setattr(threading.Thread, "run", run_profiled)  # noqa: B010 (mypy does not take an assignment to a method)
    profiles[0].enable()
    try:
        yield profiles
    finally:
        profiles[0].disable()
        setattr(threading.Thread, "run", run)  # noqa: B010 (as above)


def stages(profiles: list[cProfile.Profile]) -> Counter[str]:
    """CPU seconds by stage."""
    found: Counter[str] = Counter()
    for profile in profiles:
        statistics: Any = pstats.Stats(profile)
        for (file, _line, name), (_calls, _all, own, _total, callers) in statistics.stats.items():
            if file != "~":
                found[f"Python in {Path(file).stem}"] += own
                continue
            plain = name.split("'")[1] if "'" in name else name.rsplit(".", 1)[-1].rstrip(">")
            for (caller, _caller_line, _caller_name), (_n, _m, part, _t) in callers.items():
                module = Path(caller).stem
                found[STAGES.get((plain, module), f"Python in {module}")] += part
    return found


def measured(box: Sandbox, case: Case, ticks: Ticks) -> list[tuple[str, float]]:
    """CPU seconds per million events by stage, the largest first."""
    with (
        tempfile.TemporaryDirectory(prefix="tdsup-bench-") as directory,
        Workload(box, case, ticks, Path(directory), logical=False) as workload,
    ):
        work = tdsup.prepare(workload.task("job", ticks.count, pgq_ext=False))
        with profiled() as profiles:
            work()
        complaint = workload.complaint(ticks.events)
        assert not complaint, complaint
    return [(stage, seconds / ticks.events * 1e6) for stage, seconds in stages(profiles).most_common()]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=500_000, help="events in the queue (default: 500000)")
    parser.add_argument(
        "--case", choices=CASES, default="50000", help="a case of throughput (default: 50000)"
    )
    options = parser.parse_args()
    case = CASES[options.case]
    with Sandbox() as box:
        # The benchmark makes the ticks, so that each holds the events it should.
        box.ticker.stop()
        found = measured(box, case, Ticks(max(1, options.events // case.tick), case.tick))
    total = sum(seconds for _, seconds in found)
    for stage, seconds in found:
        if seconds >= total / 100:
            print(f"{stage:<{COLUMNS}} {seconds:7.3f} s per million {seconds / total:6.1%}")
    print(f"{'all, and what profiling costs':<{COLUMNS}} {total:7.3f} s per million")


if __name__ == "__main__":
    main()
