"""Try readers and servers with broken input: the same for the same seed."""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Sequence

from harness.fuzz.blocks import try_agreement
from harness.fuzz.budget import Budget, Fault
from harness.fuzz.readers import try_events, try_ini
from harness.fuzz.sanitized import try_sanitized
from harness.fuzz.servers import try_control, try_http

TARGETS: dict[str, Callable[[int, Budget], None]] = {
    "agreement": try_agreement,
    "events": try_events,
    "ini": try_ini,
    "control": try_control,
    "http": try_http,
}
"""What can be tried in this process; `SANITIZED` has one of its own."""

SANITIZED = "decoder"


def tried(target: str, seed: int, seconds: float, inputs: int = 0) -> Budget:
    """Try a target; returns what was spent.

    Raises:
        Fault: it did what it must not.
    """
    budget = Budget(seconds, inputs)
    if target == SANITIZED:
        try_sanitized(seed, budget, seconds, inputs)
    else:
        TARGETS[target](seed, budget)
    return budget


def main(arguments: Sequence[str] | None = None) -> int:
    """Try what is asked for, and tell what came of it; returns the exit status."""
    names = [SANITIZED, *TARGETS]
    parser = argparse.ArgumentParser(prog="script/fuzz", description=__doc__)
    parser.add_argument("targets", metavar="TARGET", nargs="*", help=f"{', '.join(names)} (default: all)")
    parser.add_argument("--seconds", type=float, default=20, help="for each target (default: 20)")
    parser.add_argument("--inputs", type=int, default=0, help="most of each target (default: no limit)")
    parser.add_argument("--seed", type=int, help="of the random numbers (default: another one each time)")
    options = parser.parse_args(arguments)
    if unknown := set(options.targets) - set(names):
        parser.error(f"no such target: {', '.join(sorted(unknown))} (there are: {', '.join(names)})")
    seed = random.randrange(1 << 32) if options.seed is None else options.seed  # noqa: S311 (for repetition)
    for target in options.targets or names:
        try:
            budget = tried(target, seed, options.seconds, options.inputs)
        except Fault as fault:
            sys.stdout.write(f"{target}: seed {seed}: {fault}\n")
            return 1
        spent = f"{budget.inputs:,} inputs in {budget.seconds:.0f} s"
        sys.stdout.write(f"{target}: seed {seed}: {spent}, no fault\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
