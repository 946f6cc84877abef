"""An invented past for the graphs of a web child that has just begun."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from tdsup.supervisor.web import history


def remember() -> None:
    """Let the first points of jobs that have run be the last ones of 15 minutes."""
    record = history.History.record
    # While the pictures are taken, no step ends.
    history.STEP = 1e6

    def recorded(self: history.History, jobs: Iterable[Mapping[str, Any]], now: float) -> None:
        known = list(jobs)
        if not self.describe()["jobs"]:
            for step in range(history.LENGTH, 0, -1):
                record(self, [_past(job, step) for job in known], now - step * history.STEP)
        record(self, known, now)

    history.History.record = recorded  # type: ignore[method-assign]  # the pictures' child is nobody else's


def _past(job: Mapping[str, Any], step: int) -> dict[str, Any]:
    """A job as it was some steps ago."""
    begin = len(job["name"])
    turn = math.sin(begin + step / 9) - math.sin(begin)
    lag = job["lag"]
    return {
        **job,
        "events": job["events"] - job["events_per_second"] * (step + 2 * turn) * history.STEP,
        "lag": lag if lag is None else round(max(0.0, lag * (1 + turn / 2)), 2),
    }
