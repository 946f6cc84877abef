"""How many events to take as one batch while behind: fewer commits, and fewer round trips."""

from __future__ import annotations

GROWTH = 4
"""How much larger the next batch may be than the last."""

LOSS = 0.8
"""A larger batch did not pay if its rate is below this share of the smaller one's."""

SIGNIFICANT = 10_000
"""Events from which on the rate of a batch counts: one new partition makes a small batch slow."""


class BatchSizer:
    """Sizes of batches: single ticks while the consumer keeps up; while behind, more for as long as it pays.

    Args:
        limit: most events of a batch; 0: ticks are never merged.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.caught_up()

    def caught_up(self) -> None:
        """All is read: latency comes first, so take ticks one by one."""
        self._size = 0
        self._most = self._limit
        self._before: tuple[int, float] = (0, 0.0)
        self._behind = 0

    @property
    def min_events(self) -> int:
        """The least that the next batch should hold; PgQ takes up to twice as many. 0: one tick."""
        return (min(self._size, self._behind) + 1) // 2

    def learn(self, events: int, seconds: float, behind: int) -> None:
        """Learn from a batch that was loaded.

        Args:
            events: that it held by the queue's own count, which is also how PgQ counts `min_events`.
            seconds: that it took.
            behind: events of the queue that came after it.
        """
        if not behind or not self._limit:
            self.caught_up()
            return
        self._behind = behind
        if not events:
            return
        size, rate = self._before
        if events > size >= SIGNIFICANT and events / seconds < LOSS * rate:
            self._most = min(size, self._limit)
        self._before = events, events / seconds
        self._size = min(GROWTH * events, self._most)
