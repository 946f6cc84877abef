"""What a fleet withstands, as often as docs/figures.md says: a line for each claim, or what broke it."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from harness.trials import (
    crashes,
    crashpoints,
    deaths,
    files,
    hanging,
    noise,
    races,
    rotations,
    starts,
    storms,
    wakeups,
    year,
)


@dataclass(frozen=True)
class Trial:
    """One claim.

    Attributes:
        run: tries it a number of times in a directory; returns what it measured.
        times: how often for the figure.
        short: how often to see within seconds that it works.
    """

    run: Callable[[Path, int], str]
    times: int
    short: int


TRIALS = {
    "starts": Trial(starts.run, 50, 2),
    "crashes": Trial(crashes.run, 10_000, 200),
    "rotations": Trial(rotations.run, 1000, 60),
    "crashpoints": Trial(crashpoints.run, 1000, 150),
    "deaths": Trial(deaths.run, 100, 4),
    "storms": Trial(storms.run, 10_000, 500),
    "noise": Trial(noise.run, 10_000, 300),
    "files": Trial(files.run, 5000, 100),
    "races": Trial(races.run, 200, 8),
    "wakeups": Trial(wakeups.run, 10_000, 200),
    "year": Trial(year.run, 365, 40),
    "hanging": Trial(hanging.run, 800, 100),
}
"""All claims by name."""


def main() -> int:
    """Try the named claims; the exit status is 0 if all hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"any of {' '.join(TRIALS)} (default: all)")
    parser.add_argument("--times", type=int, help="try so often (default: as in the documentation)")
    parser.add_argument("--short", action="store_true", help="try a few times only")
    options = parser.parse_args()
    if unknown := set(options.names) - TRIALS.keys():
        parser.error(f"no such trial: {' '.join(sorted(unknown))}")
    broken = 0
    for name in options.names or TRIALS:
        trial = TRIALS[name]
        times = options.times or (trial.short if options.short else trial.times)
        broken += not _try(name, trial, times)
    return 1 if broken else 0


def _try(name: str, trial: Trial, times: int) -> bool:
    """Try one claim and print the result; returns whether it holds."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tdsup-soak-") as directory:
        try:
            measured = trial.run(Path(directory), times)
        except AssertionError:
            measured = f"BROKEN: {traceback.format_exc()}"
    print(f"{name} ({time.monotonic() - begun:.0f} s): {measured}", flush=True)
    return not measured.startswith("BROKEN")


if __name__ == "__main__":
    sys.exit(main())
