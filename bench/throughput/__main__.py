"""Run all rounds of all cases and print tables; --write puts them and a plot into the documentation."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

from tdsup.sandbox import Sandbox

from . import machine
from .case import CASES, Case
from .contestants.contestant import CONTESTANTS, LOGICAL, Contestant, Failed
from .report.result import Result
from .report.table import GOAL_HEADER, HEADER, NOTES, aligned, goal_rows, rows
from .work import Ticks
from .workload import Workload

ROUNDS = 5
WIDTH = 110
"""Characters of a line of text."""

QUICK_CASES = ("50000", "500", "escapes")
QUICK_EVENTS = 100_000
QUICK_PART = 5
"""Slow contestants get one in this many of the events."""


def main() -> int:
    """Measure and print; returns the exit status."""
    parser = _parser()
    options = parser.parse_args()
    if options.write and (options.quick or options.contestant or options.events):
        parser.error("--write is for all contestants with all their events")
    if options.quick:
        options.rounds = options.rounds or 1
        options.case = options.case or QUICK_CASES
        options.events = options.events or QUICK_EVENTS
    options.rounds = options.rounds or ROUNDS
    contestants = [CONTESTANTS[name] for name in options.contestant or CONTESTANTS]
    try:
        with Sandbox() as box:
            # Ticks are made by hand, so that each holds what it is meant to hold.
            box.ticker.stop()
            machine.check_durable(box)
            machine.log_for_subscriptions(box)
            packages = [package for contestant in contestants for package in contestant.packages]
            told = f"{machine.described(box, packages)}; rounds: {options.rounds}, figures are medians"
            print(told, flush=True)
            results = [_measure(box, CASES[name], contestants, options) for name in options.case or CASES]
    except (Failed, machine.NotDurable) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"\n{fill(NOTES, WIDTH)}\n\n{aligned(HEADER, rows(results), left=2)}")
    print(f"\n{aligned(GOAL_HEADER, goal_rows(results), left=2)}")
    if options.write:
        # It imports what only --write needs.
        from .report.page import write

        write(results, told)
    return 0


def _measure(
    box: Sandbox, case: Case, contestants: Sequence[Contestant], options: argparse.Namespace
) -> Result:
    """All rounds of a case; each begins with another contestant."""
    events = options.events or case.events
    ticks = Ticks(max(1, events // case.tick), min(case.tick, events))
    result = Result(case)
    print(f"{case.name}: {case.about}; {ticks.count} ticks of {ticks.size:,}", flush=True)
    contestants = [contestant for contestant in contestants if contestant.takes(case)]
    logical = any(contestant.name == LOGICAL for contestant in contestants)
    with (
        tempfile.TemporaryDirectory(prefix="tdsup-bench-") as directory,
        Workload(box, case, ticks, Path(directory), logical=logical) as workload,
    ):
        for number in range(options.rounds):
            turn = number % len(contestants)
            runs = {}
            for contestant in (*contestants[turn:], *contestants[:turn]):
                its = contestant.of(ticks, QUICK_PART if options.quick else 1)
                runs[contestant.name] = run = contestant.run(box, workload, its)
                print(f"  round {number + 1}: {contestant.label} {run.rate:,.0f} events/s", flush=True)
            result.rounds.append({contestant.name: runs[contestant.name] for contestant in contestants})
    return result


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench throughput", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of some cases with fewer events")
    parser.add_argument(
        "--case", action="append", choices=CASES, help="only this case; may be given again", metavar="NAME"
    )
    parser.add_argument(
        "--contestant",
        action="append",
        choices=CONTESTANTS,
        help=f"only this one of {', '.join(CONTESTANTS)}; may be given again",
        metavar="NAME",
    )
    parser.add_argument(
        "--rounds", type=_positive, help=f"rounds, each with every contestant (default: {ROUNDS}, quick: 1)"
    )
    parser.add_argument("--events", type=_positive, help="events in the queue (default: by case)")
    parser.add_argument(
        "--write",
        action="store_true",
        help="write into docs/performance.md, of plain cases and of others, what has all of them",
    )
    return parser


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number


if __name__ == "__main__":
    sys.exit(main())
