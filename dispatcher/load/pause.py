"""Whether it is worth trying to load a batch by whole blocks."""

from __future__ import annotations

LONGEST_PAUSE = 64
"""Batches that are not tried, at most: each vain attempt reads a batch twice."""


class Trust:
    """Trust that a queue's batches are plain inserts: after each vain attempt, a pause that grows."""

    def __init__(self) -> None:
        self._pause = 1
        self._left = 0

    def is_given(self) -> bool:
        """Whether to try the next batch; to be asked once for each."""
        self._left = max(0, self._left - 1)
        return not self._left

    def withdraw(self) -> None:
        """An attempt was in vain."""
        self._left = self._pause + 1
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def confirm(self) -> None:
        """An attempt was worth it."""
        self._pause = 1
