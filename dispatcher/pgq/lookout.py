"""Whether a queue has anything to read, without asking PgQ each time for each consumer.

All idle consumers of one source look at the same few numbers: the newest tick of each queue. A consumer that
finds its number too old asks for those of all queues, and posts them on a board that the fleet's jobs share.
"""

from __future__ import annotations

import hashlib
import time
import zlib

from tdsup.jobtype import Board

from ..settings import Settings
from .batch import Batch
from .queue import Queue

QUIET = 10.0
"""Seconds without events after which a consumer relies on the board; until then latency is worth a query."""

ASK_ANYWAY = 30.0
"""Seconds after which PgQ is asked anyway: somebody may have moved the consumer."""

SPREAD = 0.25
"""Share of loop_delay over which consumers spread their looks: one asks, the others find the answer."""


class Lookout:
    """Watches a queue for one consumer.

    Args:
        queue: the queue.
        settings: the job's.
        board: shared by the fleet's jobs; None: PgQ is asked each time.
    """

    def __init__(self, queue: Queue, settings: Settings, board: Board | None) -> None:
        # With these settings PgQ may hand out no batch although there is a new tick.
        self._board = None if settings.holds_back or settings.loop_delay <= 0 else board
        self._queue = queue
        self._settings = settings
        self._keys: dict[str, int] = {}
        self._key = self._key_of(settings.queue)
        self._offset = settings.loop_delay * SPREAD * zlib.crc32(settings.job_name.encode()) / (1 << 32)
        self._tick = 0
        self._read_up_to = -1
        self._relies = False
        self._looked = self._asked_at = self._events_at = time.monotonic()

    def is_quiet(self) -> bool:
        """Whether there is certainly nothing to read; ask this before PgQ.

        Raises:
            psycopg2.Error: the source failed.
        """
        self._looked = now = time.monotonic()
        self._relies = self._board is not None and now - self._events_at >= QUIET
        if self._board is None or not self._relies:
            return False
        found = self._board.read(self._key)
        if found is None or now - found[1] >= self._settings.loop_delay:
            found = self._look_for_all(self._board), now
        self._tick, self._looked = found
        return self._tick <= self._read_up_to and now - self._asked_at < ASK_ANYWAY

    def asked(self, batch: Batch | None) -> None:
        """PgQ was asked: it gave a batch, which will be read, or all is read up to the newest tick seen."""
        self._asked_at = time.monotonic()
        self._read_up_to = max(self._read_up_to, self._tick) if batch is None else batch.tick

    def read_events(self) -> None:
        """A batch had events, unlike the empty ones between ticks of an idle queue."""
        self._events_at = time.monotonic()

    def rest(self) -> float:
        """Seconds until the next look is due."""
        delay = self._settings.loop_delay
        if not self._relies:
            return delay
        return max(0.0, min(delay, self._looked + delay - time.monotonic()) + self._offset)

    def _look_for_all(self, board: Board) -> int:
        """Ask for the newest ticks of all queues; returns this queue's, or else a tick not read yet."""
        moment = time.monotonic()
        ticks = self._queue.newest_ticks()
        board.update({self._key_of(queue): tick for queue, tick in ticks.items()}, moment)
        tick = ticks.get(self._settings.queue)
        if tick is None:
            return self._read_up_to + 1
        board.post(self._key, tick, moment)
        return tick

    def _key_of(self, queue: str) -> int:
        """Key of a queue on the board, the same for every job that writes src_db in the same way."""
        key = self._keys.get(queue)
        if key is None:
            names = (self._settings.src_db, self._settings.pgq_schema, queue)
            digest = hashlib.sha256("\0".join(names).encode()).digest()
            key = self._keys[queue] = int.from_bytes(digest[:7], "big")
        return key
