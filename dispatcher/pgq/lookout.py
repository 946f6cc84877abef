"""Whether a queue has anything to read, without asking PgQ each time for each consumer."""

from __future__ import annotations

import time

from tdsup.jobtype import Context

from ..settings import Settings
from .batch import Batch
from .bulletin import tick_of

ASK_ANYWAY = 3600.0
"""Seconds after which PgQ is asked anyway, whatever a watcher tells."""


class Lookout:
    """Watches a queue for one consumer: relies on a watcher if there is one, which tells the newest tick.

    Args:
        settings: the job's.
        context: of the host.
    """

    def __init__(self, settings: Settings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._news: int | None = None
        self._asked_with = 0
        self._asked_at = time.monotonic()
        self._has_read = False
        self._read_to = 0

    @property
    def is_watched(self) -> bool:
        """Whether a watcher looked at the queue when `is_quiet` was asked last."""
        return self._news is not None

    def is_quiet(self) -> bool:
        """Whether there is certainly nothing to read; ask this before PgQ."""
        self._news = self._context.news("source")
        if self._news is None or not self._has_read:
            return False
        return self._news in {0, self._asked_with} and time.monotonic() - self._asked_at < ASK_ANYWAY

    def asked(self, batch: Batch | None) -> None:
        """PgQ was asked: it gave a batch, or there is none, unless it holds one back."""
        self._asked_at = time.monotonic()
        self._asked_with = self._news or 0
        if batch is not None:
            self._read_to = batch.tick
        is_empty = batch is None and not self._settings.holds_back
        self._has_read = is_empty or self._read_to >= tick_of(self._asked_with)

    def rest(self) -> float:
        """Seconds until the next look is due, unless there are news."""
        is_quiet = self.is_quiet()
        if self._news is None or not self._has_read:
            return self._settings.loop_delay
        if not is_quiet:
            return 0.0
        return max(0.0, self._asked_at + ASK_ANYWAY - time.monotonic())
