"""How a job's queue and its dead letters fare, looked at now and then."""

from __future__ import annotations

import time

from ..ledger import DeadLetters
from ..metrics import Tally
from ..pgq import Queue

EVERY = 15.0
"""Seconds between two looks at the queue: as often as Prometheus usually asks."""

LETTERS_EVERY = 60.0
"""The same for dead letters: to count them, as many rows are read."""

LETTERS_IDLE = 300.0
"""Seconds for which a job sleeps that has nothing else to do: somebody may remove dead letters."""


class Health:
    """Keeps numbers in a tally that no batch tells.

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
        self._has_buried = False

    def look(self, now: float, *, is_watched: bool) -> None:
        """Look again if it is time to.

        Args:
            now: the present moment.
            is_watched: a watcher looks at the queue.

        Raises:
            psycopg2.Error: a database failed.
        """
        self._tally.is_watched = is_watched
        if not is_watched and now >= self._queue_at:
            self._queue_at = now + EVERY
            age, self._tally.rotation_held = self._queue.health()
            self._tally.newest_tick = None if age is None else time.monotonic() - age
        if now >= self._letters_at:
            self._letters_at, self._has_buried = now + LETTERS_EVERY, False
            self._tally.letters = self._letters.count()

    def rest(self) -> float:
        """Seconds until the next look is due."""
        if self._tally.is_watched and not self._has_buried:
            return LETTERS_IDLE
        due = self._letters_at if self._tally.is_watched else self._queue_at
        return max(0.0, due - time.monotonic())

    def buried(self) -> None:
        """There are new dead letters: count them soon; at each batch it would cost too much."""
        self._has_buried = True
        self._letters_at = min(self._letters_at, time.monotonic() + EVERY)
