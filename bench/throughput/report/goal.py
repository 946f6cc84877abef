"""The figures to reach."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from ..case import NARROW
from .result import Result, peak, worker_cpu

OURS = "tdsup"

SHARES: dict[str, dict[str, float]] = {
    "50000": {"limit": 0.85, "original": 6.5, "londiste": 20},
    "500": {"limit": 1.5, "original": 9},
    "columns-30": {"limit": 0.6, "original": 4},
    "rows-2k": {"limit": 0.6, "original": 4},
    "escapes": {"limit": 0.6, "original": 4},
    "partitions-60": {"limit": 0.6, "original": 4},
}
"""How many times as fast as another contestant ours must be at least, by case."""

CPU = 2.0
"""Most CPU seconds of our process per million events of six columns."""

PEAK = 64.0
"""Highest peak RSS of our process, in MB."""


@dataclass(frozen=True)
class Goal:
    """One figure: what is wanted, at least (if `floor`) or at most, and what was measured."""

    case: str
    what: str
    wanted: float
    measured: float
    floor: bool

    @property
    def reached(self) -> bool:
        """Whether it is."""
        return self.measured >= self.wanted if self.floor else self.measured <= self.wanted


def goals(results: Sequence[Result]) -> Iterator[Goal]:
    """All figures that the results allow to judge."""
    for result in results:
        if OURS not in result.names:
            continue
        goal = partial(Goal, result.case.name)
        for other, wanted in SHARES.get(result.case.name, {}).items():
            if other in result.names:
                yield goal(f"events/s, times {other}", wanted, result.ratio(OURS, other), floor=True)
        if result.case.columns is NARROW:
            yield goal("worker CPU, s per million", CPU, result.median(OURS, worker_cpu), floor=False)
        yield goal("peak RSS, MB", PEAK, result.median(OURS, peak), floor=False)
