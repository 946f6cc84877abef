"""The numbers of one job over all its processes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

RATE_WINDOW = 5.0
"""Seconds over which events per second are taken: short enough to follow, longer than a batch."""

SHORTEST_SPAN = 1.0
"""Seconds; a rate over less than this would jump."""


@dataclass(frozen=True)
class Description:
    """A metric as the worker's first message describes it; see `jobtype.Metric`."""

    name: str
    kind: str
    help: str


@dataclass
class Tally:
    """Counters that go on over restarts, gauges that end with the process, ages that go on ageing.

    Attributes:
        metrics: what the numbers mean, by name.
        labels: constant labels of the job.
    """

    metrics: dict[str, Description] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    _base: dict[str, float] = field(default_factory=dict)
    _current: dict[str, float] = field(default_factory=dict)
    _stamps: dict[str, float] = field(default_factory=dict)
    _rated: deque[tuple[float, float]] = field(default_factory=deque)

    def describe(self, metrics: list[Description], labels: Mapping[str, str]) -> None:
        """Take the description that a new process sends."""
        self.metrics = {metric.name: metric for metric in metrics}
        self.labels = dict(labels)

    def update(self, values: Mapping[str, Any], now: float) -> None:
        """Take a snapshot of the living process; what is no number or not described is left out."""
        for name, value in values.items():
            metric = self.metrics.get(name)
            if metric is None or not isinstance(value, int | float) or not math.isfinite(value):
                continue
            target = self._stamps if metric.kind == "age" else self._current
            target[name] = value
        self._rate(now)

    def fold(self) -> None:
        """The process is dead: add its counters to those of its forerunners, forget its gauges."""
        for name, value in self._current.items():
            if self.metrics[name].kind == "counter":
                self._base[name] = self._base.get(name, 0) + value
        self._current.clear()

    def value(self, name: str, now: float) -> float | None:
        """The number as people see it: a total, a value, or the seconds that have passed; None if unknown."""
        if name in self._stamps:
            return max(0.0, now - self._stamps[name])
        if name in self._current:
            return self._base.get(name, 0) + self._current[name]
        return self._base.get(name)

    def values(self, now: float) -> dict[str, float]:
        """All numbers that are known, by name."""
        found = {name: self.value(name, now) for name in self.metrics}
        return {name: value for name, value in found.items() if value is not None}

    def events_per_second(self, now: float) -> float:
        """Growth of ``events`` over the last few seconds; 0 when idle."""
        start = now - RATE_WINDOW
        while len(self._rated) > 1 and self._rated[1][0] <= start:
            self._rated.popleft()
        if not self._rated:
            return 0.0
        first_time, first_total = self._rated[0]
        span = RATE_WINDOW if first_time <= start else max(now - first_time, SHORTEST_SPAN)
        return (self._rated[-1][1] - first_total) / span

    def _rate(self, now: float) -> None:
        total = self.value("events", now)
        if total is None:
            return
        if self._rated and self._rated[-1][1] == total:
            return
        # Two points at most per tenth of the window keep the memory bounded, whatever the batch rate.
        if len(self._rated) > 1 and now - self._rated[-2][0] < RATE_WINDOW / 10:
            self._rated.pop()
        self._rated.append((now, total))
        self.events_per_second(now)
