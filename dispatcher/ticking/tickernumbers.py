"""The numbers of a ticker, and what they mean."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tdsup.jobtype import Metric

TICKER_METRICS = (
    Metric("ticks", "counter", "Ticks made, of all queues."),
    Metric("rotations", "counter", "Times that a queue was given its next event table."),
    Metric("retried_events", "counter", "Events put back into their queues, to be tried again."),
    Metric(
        "last_ticker_call",
        "age",
        "Time since PgQ was asked for ticks; 0 while that happens each ticker_period, or elsewhere.",
    ),
)

LATE = 3.0
"""Periods, and seconds besides, for which a call may be late."""


@dataclass(slots=True)
class TickerTally:
    """What a ticker has done since its process began.

    Attributes:
        period: seconds between two calls.
        ticks: ticks made.
        rotations: event tables changed.
        retried: events put back.
        called_at: moment of the last call; None while it is not this process's turn.
    """

    period: float
    ticks: int = 0
    rotations: int = 0
    retried: int = 0
    called_at: float | None = None

    def values(self) -> Mapping[str, Any]:
        """The counters of `TICKER_METRICS`, as a `Snapshot` wants them."""
        return {"ticks": self.ticks, "rotations": self.rotations, "retried_events": self.retried}

    def present(self) -> Mapping[str, Any]:
        """The numbers that change between two reports; any thread may ask."""
        called = self.called_at
        is_late = called is not None and time.monotonic() - called > LATE * self.period + LATE
        return {"last_ticker_call": called if is_late else None}
