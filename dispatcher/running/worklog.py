"""What the log says of a job's work."""

from __future__ import annotations

import math
import time
from logging import Logger


class WorkLog:
    """Logs batches, and now and then that an idle job is alive.

    Args:
        logger: the job's.
        every: seconds between two words while the job is idle; 0: none.
    """

    def __init__(self, logger: Logger, every: float) -> None:
        self._logger = logger
        self._every = every or math.inf
        self._told_at = time.monotonic()

    def tell(self, count: int, started: float, ended: float) -> None:
        """Log what was done between two moments, if there were events or a word is due."""
        if count or ended - self._told_at >= self._every:
            self._logger.info(
                "{count: %d, duration: %.4f, idle: %.4f}", count, ended - started, started - self._told_at
            )
            self._told_at = ended

    def rest(self) -> float:
        """Seconds until a word is due."""
        return max(0.0, self._told_at + self._every - time.monotonic())
