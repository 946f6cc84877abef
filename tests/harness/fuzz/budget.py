"""How long a target is tried, and what came of it."""

from __future__ import annotations

import time

SHOWN = 3000
"""Most bytes of an input that are shown."""


class Fault(Exception):
    """A target did what it must not.

    Args:
        what: it did.
        given: the input.
    """

    def __init__(self, what: str, given: bytes) -> None:
        super().__init__(f"{what}\nfor {given[:SHOWN]!r}")


class Budget:
    """Counts inputs until time is up, or there were enough.

    Args:
        seconds: how long.
        inputs: how many at most; 0: as many as there is time for.
    """

    def __init__(self, seconds: float, inputs: int = 0) -> None:
        self.inputs = 0
        self._most = inputs
        self._began = time.monotonic()
        self._end = self._began + seconds

    def spend(self, number: int = 1) -> None:
        """Some inputs were tried."""
        self.inputs += number

    @property
    def is_left(self) -> bool:
        """Whether more are to be tried."""
        return time.monotonic() < self._end and not 0 < self._most <= self.inputs

    @property
    def seconds(self) -> float:
        """Time since the beginning."""
        return time.monotonic() - self._began
