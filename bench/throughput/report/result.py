"""The rounds of one case."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..case import Case
from ..contestants.contestant import Run


@dataclass(frozen=True)
class Result:
    """Rounds of a case; a round has one run of each contestant, by name."""

    case: Case
    rounds: list[Mapping[str, Run]] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Names of the contestants."""
        return list(self.rounds[0])

    def values(self, name: str, value: Callable[[Run], float]) -> list[float]:
        """A value from each of a contestant's runs, ascending."""
        return sorted(value(round_[name]) for round_ in self.rounds)

    def median(self, name: str, value: Callable[[Run], float]) -> float:
        """The median of that value."""
        return statistics.median(self.values(name, value))

    def ratio(self, name: str, other: str) -> float:
        """How many times as fast as another a contestant is: the median of the ratios of all rounds."""
        return statistics.median(round_[name].rate / round_[other].rate for round_ in self.rounds)


def rate(run: Run) -> float:
    """Events a second."""
    return run.rate


def worker_cpu(run: Run) -> float:
    """CPU seconds of the contestant's process per million events."""
    return run.per_million(run.report.cpu)


def source_cpu(run: Run) -> float:
    """CPU seconds of the source server per million events."""
    return run.per_million(run.source_cpu)


def target_cpu(run: Run) -> float:
    """CPU seconds of the target server per million events."""
    return run.per_million(run.target_cpu)


def peak(run: Run) -> float:
    """Peak RSS of the contestant's process in MB."""
    return run.report.peak / 1e6
