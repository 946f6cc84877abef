"""How a job's queue and its dead letters fare, looked at now and then."""

from __future__ import annotations

import math
import time

from ..ledger import DeadLetters
from ..metrics import Tally, standing_values
from ..pgq import Queue

EVERY = 15.0
"""Seconds between two looks at the queue: as often as Prometheus usually asks."""

LETTERS_EVERY = 60.0
"""The same for dead letters: to count them, as many rows are read."""


class Health:
    """Keeps numbers in a tally that no batch tells, as far as no watcher tells them.

    Args:
        queue: of the job.
        letters: of its consumer.
        tally: is told.
    """

    def __init__(self, queue: Queue, letters: DeadLetters, tally: Tally) -> None:
        self._queue = queue
        self._letters = letters
        self._tally = tally
        self._queue_at = self._letters_at = 0.0

    def look(self, now: float, *, queue_is_watched: bool, letters_are_watched: bool) -> None:
        """Look again if it is time to.

        Args:
            now: the present moment.
            queue_is_watched: a watcher looks at the queue.
            letters_are_watched: a watcher counts dead letters.

        Raises:
            psycopg2.Error: a database failed.
        """
        self._tally.is_watched = queue_is_watched
        if not queue_is_watched and now >= self._queue_at:
            self._queue_at = now + EVERY
            standing = self._queue.standing()
            self._tally.standing = standing_values(standing)
            self._tally.newest_tick = None if standing.age is None else time.monotonic() - standing.age
        if letters_are_watched:
            self._tally.letters = None
            self._letters_at = 0.0
        elif now >= self._letters_at:
            self._letters_at = now + LETTERS_EVERY
            self._tally.letters = self._letters.count()

    def rest(self) -> float:
        """Seconds until the next look is due."""
        due = math.inf if self._tally.is_watched else self._queue_at
        due = due if self._tally.letters is None else min(due, self._letters_at)
        return max(0.0, due - time.monotonic())

    def buried(self) -> None:
        """There are new dead letters: count them soon; at each batch it would cost too much."""
        self._letters_at = min(self._letters_at, time.monotonic() + EVERY)
