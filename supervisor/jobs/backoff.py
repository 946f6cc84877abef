"""How long a job waits before it is started again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

JITTER = 0.1
"""Share of a delay that is left to chance, so that the jobs do not all reach a database at once."""


@dataclass(frozen=True)
class Schedule:
    """The delays of a fleet.

    Attributes:
        first: seconds before the first retry.
        limit: longest delay in seconds.
        reset: seconds of healthy life after which the delays start over.
    """

    first: float = 0.5
    limit: float = 30.0
    reset: float = 30.0


class Backoff:
    """Doubling delays that never give up.

    Args:
        schedule: the delays.
        random: returns a number from 0 to 1.
    """

    def __init__(self, schedule: Schedule, random: Callable[[], float]) -> None:
        self._schedule = schedule
        self._random = random
        self.attempts = 0

    def next_delay(self) -> float:
        """Count one failure; returns the seconds to wait, from 90 % to 110 % of the nominal delay."""
        # The exponent is bounded: after a month of failures, 2.0 ** 1024 would overflow.
        nominal = min(self._schedule.first * 2.0 ** min(self.attempts, 32), self._schedule.limit)
        self.attempts += 1
        return nominal * (1 + JITTER * (2 * self._random() - 1))

    def lived(self, seconds: float) -> None:
        """Note how long a process was healthy; if it was long enough, the delays start over."""
        if seconds >= self._schedule.reset:
            self.reset()

    def reset(self) -> None:
        """Start over with the first delay."""
        self.attempts = 0
