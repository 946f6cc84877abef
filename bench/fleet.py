"""What a fleet of idle jobs costs: time until all consume, CPU, memory, a status, a scrape.

Every job is a real one with a queue and a consumer of its own; the servers' work is not counted.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psycopg2
from tdsup.sandbox import Sandbox

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from harness.fleet import Fleet, fleet, wait_until

SLEEPERS = 50
"""Processes that only sleep."""

SETTLE = 120.0
"""Seconds after the start before anything is measured: PgQ ticks a new queue often at first."""


def prepare(box: Sandbox, directory: Path, jobs: int) -> None:
    """Queues, tables and job files."""
    box.source.create_database("source")
    box.target.create_database("target")
    with psycopg2.connect(box.source.dsn("source")) as source, source.cursor() as cursor:
        for number in range(jobs):
            cursor.execute("select pgq.create_queue(%s)", (f"q{number}",))
            source.commit()
    with psycopg2.connect(box.target.dsn("target")) as target, target.cursor() as cursor:
        cursor.execute("create table orders (id bigint primary key, note text)")
    folder = directory / "conf.d"
    folder.mkdir(parents=True)
    for number in range(jobs):
        (folder / f"job{number:03}.ini").write_text(
            "[table_dispatcher]\n"
            f"src_db = {box.source.dsn('source')}\n"
            f"dst_db = {box.target.dsn('target')}\n"
            f"pgq_queue_name = q{number}\n"
            "dest_table = orders\n",
            encoding="utf-8",
        )


def cpu(pid: int) -> float:
    """CPU seconds of a process so far, to the nanosecond."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text(encoding="ascii").split()[0])
    return total / 1e9


def pss(pid: int) -> int:
    """Proportional set size in bytes: a page that many share counts for each by its share."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def timed(what: str, times: int, call: object) -> None:
    """Print median and 99th percentile of a call in milliseconds."""
    assert callable(call)
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        found.append((time.perf_counter() - begun) * 1000)
    found.sort()
    print(f"{what}: median {statistics.median(found):.1f} ms, p99 {found[int(len(found) * 0.99)]:.1f} ms")


def floor(seconds: float) -> float:
    """CPU seconds a second of a process that only sleeps, a second at a time: what waking up costs here."""
    children = []
    for _ in range(SLEEPERS):
        child = os.fork()
        if not child:
            while True:
                time.sleep(1)
        children.append(child)
    before = sum(map(cpu, children))
    time.sleep(seconds)
    spent = sum(map(cpu, children)) - before
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return spent / seconds / SLEEPERS


def measure(made: Fleet, jobs: int, seconds: float) -> None:
    """Start the fleet and print everything."""
    begun = time.monotonic()
    made.start()
    answered = time.monotonic() - begun
    wait_until(
        lambda: all(job["state"] == "running" for job in made.status()["jobs"]), "all consume", timeout=120
    )
    consuming = time.monotonic() - begun
    print(f"{jobs} jobs: the master answers after {answered:.2f} s, all consume after {consuming:.2f} s")
    time.sleep(SETTLE)
    workers = [job["pid"] for job in made.status()["jobs"]]
    master = made.pid
    web = [child for child in made.children() if child not in workers]
    groups = {"master": [master], "web": web, "workers": workers}
    before = {name: sum(map(cpu, pids)) for name, pids in groups.items()}
    start = time.monotonic()
    time.sleep(seconds)
    span = time.monotonic() - start
    total = 0.0
    for name, pids in groups.items():
        share = (sum(map(cpu, pids)) - before[name]) / span
        total += share
        each = f" ({share / len(pids) * 1000:.3f} ms a second each)" if name == "workers" else ""
        print(f"idle CPU of {name}: {share:.2%} of a core{each}")
    print(f"idle CPU of the fleet: {total:.2%} of a core")
    sleep = floor(min(seconds, 20))
    print(f"a process that only sleeps, a second at a time: {sleep * 1000:.3f} ms a second")
    mebi = 1 << 20
    sizes = [pss(pid) / mebi for pid in workers]
    print(f"PSS: {statistics.mean(sizes):.2f} MiB a job, master {pss(master) / mebi:.1f} MiB")
    timed("status", 300, made.status)
    timed("scrape", 30, lambda: made.get("/metrics"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=200, help="jobs (default: 200)")
    parser.add_argument("--seconds", type=float, default=20, help="idle seconds to measure (default: 20)")
    options = parser.parse_args()
    with Sandbox() as box, tempfile.TemporaryDirectory(prefix="tdsup-bench-") as name:
        directory = Path(name)
        prepare(box, directory, options.jobs)
        with fleet(directory) as made:
            measure(made, options.jobs, options.seconds)
            made.stop()


if __name__ == "__main__":
    main()
