"""How a job's queue and its dead letters fare, looked at now and then."""

from __future__ import annotations

import time

from .ledger import DeadLetters
from .metrics import Tally
from .pgq import Queue

EVERY = 15.0
"""Seconds between two looks at the queue: as often as Prometheus usually asks."""

LETTERS_EVERY = 4
"""Looks at the queue for each count of dead letters, which has to read as many rows as there are."""


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
        self._looks = 0
        self._next = 0.0

    def look(self, now: float) -> None:
        """Look again if it is time to.

        Raises:
            psycopg2.Error: a database failed.
        """
        if now < self._next:
            return
        self._next = now + EVERY
        age, self._tally.rotation_held = self._queue.health()
        self._tally.newest_tick = None if age is None else time.monotonic() - age
        if self._looks % LETTERS_EVERY == 0:
            self._tally.letters = self._letters.count()
        self._looks += 1

    def rest(self) -> float:
        """Seconds until the next look is due."""
        return max(0.0, self._next - time.monotonic())

    def buried(self) -> None:
        """There are new dead letters: count them at the next look; at each batch it would cost too much."""
        self._looks = 0
