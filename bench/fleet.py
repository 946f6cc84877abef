"""What a fleet of idle jobs costs, next to as many of the original's consumers under supervisord.

Both read the same queues of one sandbox, one fleet after the other, with loop_delay 1. Each consumer is
registered first and has one event to read; a fleet consumes once all these rows are in the target. CPU and
memory are those of the fleet's processes, without the servers.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tdsup.sandbox import Sandbox

sys.path += map(str, (Path(__file__).parents[1], Path(__file__).parents[1] / "tests"))

from harness.measure.cost import cpu, pss
from harness.programs.contestant import Contestant, Originals, Ours
from harness.programs.fleet import Fleet, fleet
from harness.programs.supervised import supervised
from harness.rows.job import job_keys
from harness.servers.database import Database
from harness.servers.pgq_ext import PGQ_EXT
from harness.waiting import wait_until

from bench import page

SIZES = (1, 10, 50, 200)
QUICK_SIZES = (1, 10)

SLEEPERS = 50
"""Processes that only sleep."""

SETTLE, QUICK_SETTLE = 120.0, 12.0
"""Seconds before measuring: PgQ makes ticks often after an event, then less and less often."""

PATIENCE = 300.0
"""Seconds within which a fleet must consume."""

PSS_TARGET, CPU_TARGET = 0.25, 0.1
"""Shares of the original's cost; the largest fleet should stay below."""


HEADINGS = (
    "| jobs | | PSS a job, MiB | PSS of all, MiB | idle CPU, ms a second | of a job "
    "| until all consume, s | CPU until then, s |"
)


@dataclass(frozen=True)
class Cost:
    """What a fleet costs.

    Attributes:
        jobs: how many.
        job_pss: MiB a job, of the processes that do the jobs.
        pss: MiB of all processes.
        cpu: idle CPU of all processes, in seconds a second.
        job_cpu: the same a job, of the processes that do the jobs.
        seconds: from the start until all consume.
        start_cpu: CPU seconds that this took.
    """

    jobs: int
    job_pss: float
    pss: float
    cpu: float
    job_cpu: float
    seconds: float
    start_cpu: float


class Bench:
    """The databases, and the queues they have so far."""

    def __init__(self, box: Sandbox, settle: float, span: float) -> None:
        self._box = box
        self._settle, self._span = settle, span
        self._queues = 0
        box.source.create_database("source")
        box.target.create_database("target")
        self._source = Database(box.source.dsn("source"))
        self._target = Database(box.target.dsn("target"))
        self._target.execute(PGQ_EXT.read_text(encoding="utf-8"))
        self._target.execute("create table orders (id bigint primary key, note text)")

    def close(self) -> None:
        """Close the connections."""
        self._source.close()
        self._target.close()

    def keys(self, number: int) -> dict[str, object]:
        """The keys of a job, the same for both fleets."""
        return job_keys(
            self._source,
            self._target,
            queue=f"q{number}",
            table="orders",
            job_name=f"job{number:03}",
            start="registered",
        )

    def feed(self, jobs: int) -> None:
        """Register each consumer again, and give it one event to read."""
        # A tick by pgqd at the same moment as one made here might leave an event out.
        self._box.ticker.stop()
        self._target.execute("truncate orders, pgq_ext.completed_tick; drop schema if exists tdsup cascade")
        for number in range(jobs):
            queue, consumer = f"q{number}", f"job{number:03}"
            if number == self._queues:
                self._source.execute("select pgq.create_queue(%s)", queue)
                self._queues += 1
            self._source.execute("select pgq.force_tick(%s)", queue)
            self._source.execute("select pgq.ticker(%s)", queue)
            self._source.execute("select pgq.unregister_consumer(%s, %s)", queue, consumer)
            self._source.execute("select pgq.register_consumer(%s, %s)", queue, consumer)
            self._source.execute(
                "select pgq.insert_event(%s, 'I:id', %s, 'public.orders', null, null, null)",
                queue,
                f"id={number}&note=x",
            )
            self._source.execute("select pgq.force_tick(%s)", queue)
            self._source.execute("select pgq.ticker(%s)", queue)
        self._box.ticker.start()

    def measure(self, contestant: Contestant, jobs: int) -> Cost:
        """Start the fleet, let it settle, and look."""
        begun = time.monotonic()
        contestant.start()
        try:
            wait_until(
                lambda: self._target.value("select count(*) from orders") == jobs, "all consume", PATIENCE
            )
        except AssertionError as error:
            raise AssertionError(f"{error}\n{contestant.trouble()}") from error
        seconds = time.monotonic() - begun
        workers, others = contestant.pids()
        start_cpu = cpu(workers + others)
        assert len(workers) == jobs, f"{len(workers)} processes for {jobs} jobs"
        time.sleep(self._settle)
        before, others_before, started = cpu(workers), cpu(others), time.monotonic()
        time.sleep(self._span)
        span = time.monotonic() - started
        worked, looked_after = cpu(workers) - before, cpu(others) - others_before
        assert contestant.pids() == (workers, others), f"processes were replaced\n{contestant.trouble()}"
        return Cost(
            jobs=jobs,
            job_pss=pss(workers) / jobs,
            pss=pss(workers + others),
            cpu=(worked + looked_after) / span,
            job_cpu=worked / span / jobs,
            seconds=seconds,
            start_cpu=start_cpu,
        )


@contextmanager
def ours(bench: Bench, directory: Path, jobs: int) -> Iterator[Ours]:
    """A fleet of tdsup, ready to start."""
    with fleet(directory) as made:
        for number in range(jobs):
            keys = bench.keys(number)
            made.write_job(str(keys.pop("job_name")), "table_dispatcher", **keys)
        yield Ours(made)
        made.stop()


@contextmanager
def originals(bench: Bench, directory: Path, jobs: int) -> Iterator[Originals]:
    """The original's consumers, ready to start."""
    with supervised(directory) as made:
        for number in range(jobs):
            made.write_job(**bench.keys(number))
        yield Originals(made)
        made.stop()


def floor(seconds: float) -> float:
    """CPU seconds a second of a process that only sleeps, a second at a time: what waking up costs here."""
    children = []
    for _ in range(SLEEPERS):
        child = os.fork()
        if not child:
            while True:
                time.sleep(1)
        children.append(child)
    before = cpu(children)
    time.sleep(seconds)
    spent = cpu(children) - before
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return spent / seconds / SLEEPERS


def timed(what: str, times: int, call: Callable[[], object]) -> str:
    """Median and 99th percentile of a call in milliseconds."""
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        found.append((time.perf_counter() - begun) * 1000)
    found.sort()
    return f"{what} median {statistics.median(found):.1f} ms, p99 {found[int(len(found) * 0.99)]:.1f} ms"


def answers(made: Fleet) -> str:
    """How fast it answers."""
    status = timed("status", 300, made.status)
    return f"{status}; {timed('a scrape', 30, lambda: made.get('/metrics'))}"


def table(pairs: Sequence[tuple[Cost, Cost]]) -> str:
    """Ours, the original's, and the ratio, for each size."""
    lines = [HEADINGS, "|---|---|---|---|---|---|---|---|"]
    for mine, theirs in pairs:
        for name, cost in (("tdsup", mine), ("original, supervisord", theirs)):
            lines.append(
                f"| {cost.jobs} | {name} | {cost.job_pss:.2f} | {cost.pss:.1f} | {cost.cpu * 1000:.1f} "
                f"| {cost.job_cpu * 1000:.3f} | {cost.seconds:.1f} | {cost.start_cpu:.1f} |"
            )
        lines.append(
            f"| {mine.jobs} | ratio | {mine.job_pss / theirs.job_pss:.2f} | {mine.pss / theirs.pss:.2f} "
            f"| {mine.cpu / theirs.cpu:.2f} | {mine.job_cpu / theirs.job_cpu:.2f} "
            f"| {mine.seconds / theirs.seconds:.2f} | {mine.start_cpu / theirs.start_cpu:.2f} |"
        )
    return "\n".join(lines) + "\n"


def verdict(mine: Cost, theirs: Cost) -> str:
    """Whether the largest fleet reaches the targets."""
    lines = []
    for what, ratio, target in (
        ("PSS a job", mine.job_pss / theirs.job_pss, PSS_TARGET),
        ("idle CPU", mine.cpu / theirs.cpu, CPU_TARGET),
    ):
        reached = "reached" if ratio <= target else "**missed**"
        lines.append(
            f"- {what} at {mine.jobs} jobs: {ratio:.3f} of the original's, target {target}: {reached}"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, nargs="+", help=f"sizes of the fleet (default: {SIZES})")
    parser.add_argument("--seconds", type=float, help="idle seconds to measure (default: 60)")
    parser.add_argument("--quick", action="store_true", help="two minutes: small fleets, hardly settled")
    parser.add_argument("--write", action="store_true", help="write the table into docs/performance.md")
    options = parser.parse_args()
    sizes = options.jobs or (QUICK_SIZES if options.quick else SIZES)
    span = options.seconds or (10 if options.quick else 60)
    pairs: list[tuple[Cost, Cost]] = []
    with (
        Sandbox() as box,
        tempfile.TemporaryDirectory(prefix="tdsup-bench-") as name,
        closing(Bench(box, QUICK_SETTLE if options.quick else SETTLE, span)) as bench,
    ):
        for jobs in sizes:
            bench.feed(jobs)
            with ours(bench, Path(name, f"tdsup{jobs}"), jobs) as mine:
                cost, asked = bench.measure(mine, jobs), answers(mine.fleet)
            bench.feed(jobs)
            with originals(bench, Path(name, f"original{jobs}"), jobs) as theirs:
                pairs.append((cost, bench.measure(theirs, jobs)))
            print(table(pairs[-1:]), flush=True)
    sleep = floor(min(span, 20))
    text = (
        f"{table(pairs)}\n{verdict(*pairs[-1])}- at {sizes[-1]} jobs: {asked}\n"
        f"- a process that only sleeps, a second at a time: {sleep * 1000:.3f} ms a second\n"
    )
    print(text)
    if options.write:
        page.write({"fleet": text})


if __name__ == "__main__":
    main()
