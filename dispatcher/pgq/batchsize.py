"""How many events to take as one batch while behind: fewer commits, and fewer round trips."""

from __future__ import annotations

GROWTH = 4
"""How much larger the next batch may be than the last."""

LOSS = 0.8
"""Share of the rate before under which a larger batch did not pay."""

TELLING = 10_000
"""Events of a batch from which on its rate tells something: one new partition makes a small batch slow."""


class Merging:
    """Sizes of batches: a tick as it comes while in step; while behind, more as long as that pays.

    Args:
        limit: events of a batch at most; 0: ticks are never merged.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.in_step()

    def in_step(self) -> None:
        """All is read: latency comes first."""
        self._size = 0
        self._most = self._limit
        self._before: tuple[int, float] = (0, 0.0)
        self._behind = 0

    @property
    def least(self) -> int:
        """Events that the next batch is to have at least; PgQ takes up to twice as many. 0: one tick."""
        return (min(self._size, self._behind) + 1) // 2

    def took(self, events: int, seconds: float, behind: int) -> None:
        """Learn from a batch.

        Args:
            events: of it, as the queue counts them, for so it counts those that are asked for.
            seconds: that it took.
            behind: events of the queue that came after it.
        """
        if not behind or not self._limit:
            self.in_step()
            return
        self._behind = behind
        if not events:
            return
        size, rate = self._before
        if events > size >= TELLING and events / seconds < LOSS * rate:
            self._most = min(size, self._limit)
        self._before = events, events / seconds
        self._size = min(GROWTH * events, self._most)
