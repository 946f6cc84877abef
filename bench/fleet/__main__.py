"""What a fleet of idle jobs costs, next to as many of the original's consumers under supervisord.

Both read the same queues of one sandbox, one fleet after the other, with loop_delay 1. Each consumer is
registered first and has one event to read; a fleet consumes once all these rows are in the target. CPU and
memory are those of the fleet's processes. Then some queues have an event now and then.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from tdsup.sandbox import Sandbox

sys.path += map(str, (Path(__file__).parents[2], Path(__file__).parents[2] / "tests"))

from harness.programs.contestant import Originals, Ours
from harness.programs.fleet import fleet
from harness.programs.supervised import supervised

from bench import page
from bench.fleet.cost import Clock, Cost, answers, floor, idle_source, measure
from bench.fleet.freshness import freshness
from bench.fleet.queues import Queues

SIZES = (1, 10, 50, 200)
QUICK_SIZES = (1, 10)

LONE = 5
"""Events after a long idle time, in the largest fleet."""

CLOCK, QUICK_CLOCK = Clock(120.0, 60.0), Clock(12.0, 10.0)

TARGETS = (("PSS a job", 0.25), ("idle CPU", 0.1), ("the source's CPU", 0.1))
"""Shares of the original's cost; the largest fleet should stay below."""

HEADINGS = (
    "| jobs | | PSS a job, MiB | PSS of all, MiB | idle CPU, ms a second | of a job | source's, ms a second "
    "| connections | until all consume, s | CPU until then, s |"
)


@contextmanager
def ours(queues: Queues, directory: Path, jobs: int, *, shares: bool) -> Iterator[Ours]:
    """A fleet of tdsup, ready to start; with what is loaded at the start shared uncounted, or not."""
    with fleet(directory, share_objects=shares) as made:
        for number in range(jobs):
            keys = queues.keys(number)
            made.write_job(str(keys.pop("job_name")), "table_dispatcher", **keys)
        yield Ours(made)
        begun = time.monotonic()
        made.stop()
        print(f"stopped after {time.monotonic() - begun:.1f} s", flush=True)


@contextmanager
def originals(queues: Queues, directory: Path, jobs: int) -> Iterator[Originals]:
    """The original's consumers, ready to start."""
    with supervised(directory) as made:
        for number in range(jobs):
            made.write_job(**queues.keys(number))
        yield Originals(made)
        made.stop()


def cells(cost: Cost) -> list[float]:
    """What is compared, in the order of the headings."""
    return [
        cost.job_pss,
        cost.pss,
        cost.cpu * 1000,
        cost.job_cpu * 1000,
        cost.source_cpu * 1000,
        cost.connections,
        cost.seconds,
        cost.start_cpu,
    ]


FORMATS = (".2f", ".1f", ".1f", ".3f", ".1f", ".0f", ".1f", ".1f")


def line(jobs: int, name: str, values: Sequence[float], formats: Sequence[str]) -> str:
    """A row of the table."""
    shown = (format(value, each) for value, each in zip(values, formats, strict=True))
    return f"| {jobs} | {name} | {' | '.join(shown)} |"


def table(pairs: Sequence[tuple[Cost, Cost | None]]) -> str:
    """Ours, the original's, and the ratio, for each size."""
    lines = [HEADINGS, "|" + "---|" * (2 + len(FORMATS))]
    for mine, theirs in pairs:
        lines.append(line(mine.jobs, "tdsup", cells(mine), FORMATS))
        if theirs is not None:
            lines.append(line(mine.jobs, "original, supervisord", cells(theirs), FORMATS))
            lines.append(line(mine.jobs, "ratio", ratios(mine, theirs), [".2f"] * len(FORMATS)))
    return "\n".join(lines) + "\n"


def ratios(mine: Cost, theirs: Cost) -> list[float]:
    """Ours by the original's; 0 by 0 is 0."""
    return [one / other if other else 0.0 for one, other in zip(cells(mine), cells(theirs), strict=True)]


def verdict(mine: Cost, theirs: Cost) -> str:
    """Whether the largest fleet reaches the targets."""
    found = ratios(mine, theirs)
    lines = []
    for (what, target), ratio in zip(TARGETS, (found[0], found[2], found[4]), strict=True):
        reached = "reached" if ratio <= target else "**missed**"
        lines.append(
            f"- {what} at {mine.jobs} jobs: {ratio:.3f} of the original's, target {target}: {reached}"
        )
    return "\n".join(lines) + "\n"


def options() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, nargs="+", help=f"sizes of the fleet (default: {SIZES})")
    parser.add_argument("--seconds", type=float, help="idle seconds to measure (default: 60)")
    parser.add_argument("--alone", action="store_true", help="without the original's fleet")
    parser.add_argument("--counting", action="store_true", help="with share_objects off")
    parser.add_argument("--quick", action="store_true", help="two minutes: small fleets, hardly settled")
    parser.add_argument("--write", action="store_true", help="write the table into docs/performance.md")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    asked = options()
    sizes = asked.jobs or (QUICK_SIZES if asked.quick else SIZES)
    clock = QUICK_CLOCK if asked.quick else CLOCK
    clock = Clock(clock.settle, asked.seconds or clock.span)
    pairs: list[tuple[Cost, Cost | None]] = []
    with (
        Sandbox() as box,
        tempfile.TemporaryDirectory(prefix="tdsup-bench-") as name,
        closing(Queues(box)) as queues,
    ):
        for jobs in sizes:
            lone = LONE if jobs == sizes[-1] and not asked.quick else 0
            queues.feed(jobs)
            source = idle_source(queues, clock)
            with ours(queues, Path(name, f"tdsup{jobs}"), jobs, shares=not asked.counting) as mine:
                cost, answered = measure(queues, mine, jobs, clock, source), answers(mine.fleet)
                fresh = [f"tdsup: {freshness(queues, jobs, lone).told()}"]
            theirs = None
            if not asked.alone:
                queues.feed(jobs)
                with originals(queues, Path(name, f"original{jobs}"), jobs) as their_fleet:
                    theirs = measure(queues, their_fleet, jobs, clock, source)
                    fresh.append(f"original: {freshness(queues, jobs, 0).told()}")
            pairs.append((cost, theirs))
            print(table(pairs[-1:]), *fresh, answered, sep="\n", flush=True)
    sleep = floor(min(clock.span, 20))
    mine_last, theirs_last = pairs[-1]
    text = (
        f"{table(pairs)}\n{verdict(mine_last, theirs_last) if theirs_last else ''}"
        + "".join(f"- at {sizes[-1]} jobs, {told}\n" for told in (*fresh, answered))
        + f"- a process that only sleeps, a second at a time: {sleep * 1000:.3f} ms a second\n"
        + f"- Python {platform.python_version()}{', share_objects off' if asked.counting else ''}\n"
    )
    print(text)
    if asked.write:
        page.write({"fleet": text})


if __name__ == "__main__":
    main()
