"""Signs of life of a process."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(slots=True)
class Pulse:
    """When a process gave a sign of life, and by when it owes the next one.

    Attributes:
        timeout: seconds of silence after which it counts as stuck.
        heard: the moment of the last sign.
        rests: with that sign it said that it owes none until it is disturbed.
    """

    timeout: float
    heard: float
    rests: bool = False

    def beat(self, now: float) -> None:
        """It gave a sign of life."""
        self.heard, self.rests = now, False

    def disturb(self, now: float) -> None:
        """It was told something: if it rested, it owes a sign of life again."""
        if self.rests:
            self.beat(now)

    @property
    def due(self) -> float:
        """The moment by which it owes a sign of life."""
        return math.inf if self.rests else self.heard + self.timeout

    def lived_until(self, now: float) -> float:
        """Until when all was as it said, if it is dead at this moment."""
        return now if self.rests else self.heard
