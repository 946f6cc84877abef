"""The numbers of one job over all its processes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tdsup.jobtype import EVENTS, Metric

RATE_WINDOW = 5.0
"""Seconds over which events per second are measured: short enough to follow, longer than a batch."""

SHORTEST_SPAN = 1.0
"""Seconds; over less than this a rate would jump."""


SUM = "sum"
"""Name of the series of a histogram that holds the sum of its values; the others are its buckets."""

Series = dict[str, float]
"""Numbers of a metric by comma-separated label values; of a histogram by `SUM` and bucket; else by ""."""


@dataclass
class Tally:
    """Counters that keep growing over restarts, gauges that end with the process, ages that go on.

    Attributes:
        metrics: the description of each number, by name.
        labels: constant labels of the job.
    """

    metrics: dict[str, Metric] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    _base: dict[str, Series] = field(default_factory=dict)
    _current: dict[str, Series] = field(default_factory=dict)
    _stamps: dict[str, float | None] = field(default_factory=dict)
    _noted: dict[str, float | None] = field(default_factory=dict)
    _totals: frozenset[str] = frozenset()
    _rated: deque[tuple[float, float]] = field(default_factory=deque)

    def describe(self, metrics: list[Metric], labels: Mapping[str, str]) -> None:
        """Take the description that a new process sends."""
        self.metrics = {metric.name: metric for metric in metrics}
        self.labels = dict(labels)

    def update(self, values: Mapping[str, Any], now: float, totals: frozenset[str] = frozenset()) -> None:
        """Take a snapshot of the living process, without values that are no numbers or not described.

        Args:
            values: its numbers.
            now: the present moment.
            totals: names of the counters that count what the processes before it did too.
        """
        if EVENTS in totals - self._totals:
            # What was done before this master began is no burst.
            self._rated.clear()
        self._totals |= totals
        for name, value in values.items():
            metric = self.metrics.get(name)
            if metric is None:
                continue
            if metric.kind == "age" and value is None:
                self._stamps[name] = None
            elif series := _series(metric, value):
                if metric.kind == "age":
                    self._stamps[name] = sum(series.values())
                else:
                    self._current[name] = self._grown(name, series) if name in totals else series
        self._rate(now)

    def note(self, values: Mapping[str, Any]) -> None:
        """Take gauges and ages that somebody else has told of the job, as far as they are described."""
        for name, value in values.items():
            metric = self.metrics.get(name)
            if metric is None:
                continue
            series = _series(metric, value)
            if metric.kind == "age":
                self._noted[name] = sum(series.values()) if series else None
            elif metric.kind == "gauge" and series:
                self._current[name] = series

    def forget_noted(self) -> None:
        """Forget ages that somebody else has told, and keeps up to date no more."""
        self._noted.clear()

    def fold(self, heard: float) -> None:
        """The process is dead: add its counters to those of the processes before it, forget its gauges.

        Args:
            heard: moment of its last sign of life; what it said was true until then.
        """
        for name, stamp in self._stamps.items():
            if stamp is None:
                self._stamps[name] = heard
        for name, series in self._current.items():
            if self.metrics[name].kind != "gauge":
                base = self._base.setdefault(name, {})
                for key, number in series.items():
                    base[key] = base.get(key, 0) + number
        self._current.clear()

    def series(self, name: str, now: float) -> Series:
        """The numbers of a metric: totals, values, or seconds passed; empty if unknown."""
        if name in self._stamps:
            stamps = (self._stamps[name], self._noted.get(name))
            return {"": now - min([now, *(stamp for stamp in stamps if stamp is not None)])}
        base, current = self._base.get(name, {}), self._current.get(name, {})
        return base | {key: base.get(key, 0) + number for key, number in current.items()}

    def value(self, name: str, now: float) -> float | None:
        """A metric as people see it: the sum over its labels; None if unknown."""
        series = self.series(name, now)
        return sum(series.values()) if series else None

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

    def _grown(self, name: str, totals: Series) -> Series:
        """A counter that tells all by itself: nothing comes on top, and yet it never falls."""
        shown = self.series(name, 0)
        self._base.pop(name, None)
        return shown | {key: max(number, shown.get(key, 0)) for key, number in totals.items()}

    def _rate(self, now: float) -> None:
        total = self.value(EVENTS, now)
        if total is None:
            return
        if self._rated and self._rated[-1][1] == total:
            return
        # Two points at most per tenth of the window keep the memory bounded, at any rate of batches.
        if len(self._rated) > 1 and now - self._rated[-2][0] < RATE_WINDOW / 10:
            self._rated.pop()
        self._rated.append((now, total))
        self.events_per_second(now)


def _series(metric: Metric, value: object) -> Series:
    """The finite numbers that a report gives for one metric."""
    found: dict[str, object] = {"": value}
    if metric.kind == "histogram":
        counts = value.get("counts") if isinstance(value, dict) else None
        found = {
            str(number): count for number, count in enumerate(counts if isinstance(counts, list) else [])
        }
        found |= {SUM: value.get(SUM)} if isinstance(value, dict) else {}
    elif metric.labels:
        found = value if isinstance(value, dict) else {}
    return {
        key: number
        for key, number in found.items()
        if isinstance(number, int | float) and math.isfinite(number)
    }
