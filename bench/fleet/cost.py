"""What a fleet costs while it is idle."""

from __future__ import annotations

import os
import signal
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from harness.measure.cost import cpu, pss
from harness.programs.contestant import Contestant
from harness.programs.fleet import Fleet
from harness.waiting import wait_until

from .queues import Queues

SLEEPERS = 50
"""Processes that only sleep."""

PATIENCE = 300.0
"""Seconds within which a fleet must consume."""


@dataclass(frozen=True)
class Cost:
    """What a fleet costs.

    Attributes:
        jobs: how many.
        job_pss: MiB a job, of the processes that do the jobs.
        pss: MiB of all processes.
        cpu: idle CPU of all processes, in seconds a second.
        job_cpu: the same a job, of the processes that do the jobs.
        source_cpu: what the source's server takes more than without the fleet, in seconds a second.
        connections: most connections to both servers at a time.
        seconds: from the start until all consume.
        start_cpu: CPU seconds that this took.
    """

    jobs: int
    job_pss: float
    pss: float
    cpu: float
    job_cpu: float
    source_cpu: float
    connections: int
    seconds: float
    start_cpu: float


@dataclass(frozen=True)
class Clock:
    """How long to measure.

    Attributes:
        settle: seconds before measuring: PgQ makes ticks often after an event, then less and less often.
        span: seconds to measure.
    """

    settle: float
    span: float


def idle_source(queues: Queues, clock: Clock) -> float:
    """CPU seconds a second of the source's server while nobody reads."""
    time.sleep(clock.settle)
    before, begun = queues.cpu_of_source(), time.monotonic()
    time.sleep(clock.span)
    return (queues.cpu_of_source() - before) / (time.monotonic() - begun)


def measure(queues: Queues, contestant: Contestant, jobs: int, clock: Clock, source: float) -> Cost:
    """Start a fleet, let it settle, and look.

    Args:
        queues: that it reads.
        contestant: the fleet.
        jobs: how many.
        clock: how long.
        source: as of `idle_source`.
    """
    others_connected = queues.connections()
    seconds = _until_all_consume(queues, contestant, jobs)
    workers, others = contestant.pids()
    start_cpu = cpu(workers + others)
    assert len(workers) == jobs, f"{len(workers)} processes for {jobs} jobs"
    time.sleep(clock.settle)
    before, others_before, source_before = cpu(workers), cpu(others), queues.cpu_of_source()
    started, connections = time.monotonic(), 0
    while (left := started + clock.span - time.monotonic()) > 0:
        connections = max(connections, queues.connections() - others_connected)
        time.sleep(min(left, 1.0))
    span = time.monotonic() - started
    worked, looked_after = cpu(workers) - before, cpu(others) - others_before
    asked = queues.cpu_of_source() - source_before
    assert contestant.pids() == (workers, others), f"processes were replaced\n{contestant.trouble()}"
    return Cost(
        jobs=jobs,
        job_pss=pss(workers) / jobs,
        pss=pss(workers + others),
        cpu=(worked + looked_after) / span,
        job_cpu=worked / span / jobs,
        source_cpu=max(0.0, asked / span - source),
        connections=connections,
        seconds=seconds,
        start_cpu=start_cpu,
    )


def _until_all_consume(queues: Queues, contestant: Contestant, jobs: int) -> float:
    begun = time.monotonic()
    contestant.start()
    try:
        wait_until(
            lambda: queues.target.value("select count(*) from orders") == jobs, "all consume", PATIENCE
        )
    except AssertionError as error:
        raise AssertionError(f"{error}\n{contestant.trouble()}") from error
    return time.monotonic() - begun


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
    """How fast it answers, and reloads one file."""
    file = min((made.directory / "conf.d").iterdir())

    def reload() -> None:
        with file.open("a", encoding="utf-8") as text:
            text.write("# changed\n")
        assert made.ask("reload", jobs=[file.stem])["ok"]

    asked = (
        timed("status", 300, made.status),
        timed("a scrape", 30, lambda: made.get("/metrics")),
        timed("a reload of one file", 10, reload),
    )
    return "; ".join(asked)
