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
    "update": {"logical": 2, "limit": 0.7},
    "update-random": {"logical": 1.6, "limit": 0.7},
    "mix": {"logical": 2, "limit": 0.6},
    "delete": {"logical": 2.5, "limit": 0.6},
    "hot": {"logical": 8},
    "json": {"logical": 2},
    "json-mix": {"logical": 1.7},
    "sql": {"logical": 1.5},
    "sql-mix": {"logical": 1.3},
    "update-60": {"logical": 1.2, "limit": 0.6},
    "move": {"logical": 0.8},
}
"""How many times as fast as another contestant ours must be at least, by case."""

CPU = 2.0
"""Most CPU seconds of our process per million events of six columns."""

CPUS = {
    "update": 1.2,
    "update-random": 1.2,
    "mix": 1.2,
    "delete": 1.0,
    "hot": 0.8,
    "json": 1.5,
    "json-mix": 1.5,
    "sql": 3.0,
    "sql-mix": 3.0,
}
"""The same of some cases."""

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
            yield goal(
                "worker CPU, s per million",
                CPUS.get(result.case.name, CPU),
                result.median(OURS, worker_cpu),
                floor=False,
            )
        yield goal("peak RSS, MB", PEAK, result.median(OURS, peak), floor=False)
