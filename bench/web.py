"""What the web child costs a fleet of many idle jobs: CPU of the master and of the child itself.

A viewer does what the status page does: it asks for news every two seconds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from harness.programs.fleet import Fleet, fleet
from harness.waiting import wait_until

TICKS = os.sysconf("SC_CLK_TCK")

LOOK = 2.0
"""Seconds between two requests of a page."""


def cpu(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid: int) -> float:
    """Proportional set size of a process in MiB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


class Bench:
    """A running fleet and its web child."""

    def __init__(self, running: Fleet, seconds: float) -> None:
        self._fleet = running
        self._seconds = seconds
        self._address = wait_until(lambda: running.status()["web"], "the web child listens")
        title = b"tdsup: web"
        (self.web,) = (
            pid for pid in running.children() if title in Path(f"/proc/{pid}/cmdline").read_bytes()
        )

    def get(self, path: str) -> bytes:
        """Fetch a page."""
        with urllib.request.urlopen(f"http://{self._address}{path}") as response:
            body: bytes = response.read()
            return body

    def meanwhile(self, what: str, look: Callable[[], object]) -> None:
        """Print the CPU used while pages are open."""
        pids = (self._fleet.pid, self.web)
        before, started = [cpu(pid) for pid in pids], time.monotonic()
        while time.monotonic() - started < self._seconds:
            look()
            time.sleep(LOOK)
        passed = time.monotonic() - started
        master, web = (1000 * (cpu(pid) - old) / passed for pid, old in zip(pids, before, strict=True))
        print(f"{what:<24} master {master:5.1f}   web {web:5.1f}   ms of CPU a second")

    def each(self, what: str, ask: Callable[[], object], times: int = 100) -> None:
        """Print how long an answer takes, and what it costs the master."""
        before, durations = cpu(self._fleet.pid), []
        for _ in range(times):
            started = time.perf_counter()
            ask()
            durations.append(1000 * (time.perf_counter() - started))
        cost = 1000 * (cpu(self._fleet.pid) - before) / times
        median, worst = statistics.median(durations), max(durations)
        print(
            f"{what:<24} median {median:5.1f} ms   worst {worst:5.1f} ms   master {cost:4.1f} ms of CPU each"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=200, help="jobs (default: 200)")
    parser.add_argument("--seconds", type=float, default=30, help="length of each measurement (default: 30)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, fleet(Path(directory)) as running:
        for number in range(options.jobs):
            running.write_job(f"job{number:03}", behave="standby")
        running.start()
        running.wait_all("standby", 120)
        bench = Bench(running, options.seconds)
        bench.meanwhile("nobody looks", lambda: None)
        bench.meanwhile("one page", lambda: bench.get("/status.json?after=0"))
        bench.meanwhile("ten pages", lambda: [bench.get("/status.json?after=0") for _ in range(10)])
        bench.each("status.json", lambda: bench.get("/status.json"))
        bench.each("metrics", lambda: bench.get("/metrics"))
        bench.each("status (control socket)", running.status)
        print(f"memory of the web child  {memory(bench.web):.1f} MiB PSS")
        running.stop()


if __name__ == "__main__":
    main()
