"""What the jobs of a fleet did in the last 15 minutes, for the sparklines of the status page."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

STEP = 10.0
"""Seconds between two points."""

LENGTH = 90
"""Points kept for each job: 15 minutes."""


@dataclass(frozen=True, slots=True)
class Point:
    """One job in one step.

    Attributes:
        rate: events per second since the point before; None if unknown.
        lag: seconds; None if unknown.
    """

    rate: float | None
    lag: float | None


GAP = Point(None, None)


class _Series:
    """The points of one job, and the counter from which the next rate is measured."""

    def __init__(self) -> None:
        self.points: deque[Point] = deque(maxlen=LENGTH)
        self.events = 0.0
        self.at = 0.0

    def add(self, job: Mapping[str, Any], now: float, gap: int) -> None:
        rate = float(job["events_per_second"])
        if self.points:
            # From the counter: the job's own rate covers its last seconds only. The counter of a job that
            # was removed and came back starts again at 0.
            rate = max(0.0, job["events"] - self.events) / (now - self.at)
            self.points.extend([GAP] * min(gap, LENGTH))
        self.events, self.at = job["events"], now
        self.points.append(Point(round(rate, 1), job["lag"]))


class History:
    """Points of all jobs, one for each step of the clock; steps without an answer are gaps.

    It reads no clock: moments are given, in seconds of ``time.monotonic()``. The number of a step follows
    from its moment, so the numbers go on when another process keeps the history.
    """

    def __init__(self) -> None:
        self._series: dict[str, _Series] = {}
        self._end: int | None = None

    @staticmethod
    def wait(now: float) -> float:
        """Seconds until the next step begins."""
        return STEP - now % STEP

    def record(self, jobs: Iterable[Mapping[str, Any]], now: float) -> None:
        """Take a point from each job of a `status` answer, unless this step has one; forget vanished jobs."""
        step = int(now // STEP)
        if self._end is not None and step <= self._end:
            return
        gap = 0 if self._end is None else step - self._end - 1
        known, self._series = self._series, {}
        for job in jobs:
            series = known.get(job["name"]) or _Series()
            series.add(job, now, gap)
            self._series[job["name"]] = series
        self._end = step

    def describe(self, after: int | None = None) -> dict[str, Any]:
        """The points, oldest first; the last one of each job belongs to the step ``end``.

        Args:
            after: leave out the points up to this step.
        """
        count = LENGTH
        # A step in the future is from before a reboot: the client has no points that fit ours.
        if after is not None and self._end is not None and after <= self._end:
            count = min(self._end - after, LENGTH)
        return {
            "step": STEP,
            "end": self._end,
            "jobs": {name: _columns(series.points, count) for name, series in self._series.items()},
        }


def _columns(points: deque[Point], count: int) -> dict[str, list[float | None]]:
    chosen = list(points)[max(0, len(points) - count) :]
    return {
        "events_per_second": [point.rate for point in chosen],
        "lag": [point.lag for point in chosen],
    }
