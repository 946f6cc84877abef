"""Numbers that the jobs of a fleet share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Board(Protocol):
    """Numbers that every job of a fleet can read and write, by keys from 1 to 2**62. Any may get lost."""

    def read(self, key: int) -> tuple[int, float] | None:
        """A number and the moment, by ``time.monotonic()``, when it was true; None if it is not known."""

    def post(self, key: int, number: int, moment: float) -> None:
        """Post a number."""

    def update(self, numbers: Mapping[int, int], moment: float) -> None:
        """Post those of the numbers whose keys somebody has posted before."""
