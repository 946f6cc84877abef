"""What the log says of a job's work."""

from __future__ import annotations

import math
import time
from logging import INFO, WARNING, Logger


class WorkLog:
    """Logs batches, and now and then that an idle job is alive.

    Args:
        job: its name.
        logger: the job's.
        every: seconds between two words while the job is idle; 0: none.
    """

    def __init__(self, job: str, logger: Logger, every: float) -> None:
        self._job = job
        self._logger = logger
        self._is_troubled = False
        self._every = every or math.inf
        self._told_at = time.monotonic()

    def tell(self, count: int, started: float, ended: float) -> None:
        """Log what was done between two moments, if there were events or a word is due."""
        if count or ended - self._told_at >= self._every:
            self._logger.info(
                "{count: %d, duration: %.4f, idle: %.4f}", count, ended - started, started - self._told_at
            )
            self._told_at = ended

    def trouble(self, text: str) -> bool:
        """Log what is wrong around the job, if that begins or ends (empty); returns whether it does."""
        if bool(text) == self._is_troubled:
            return False
        self._is_troubled = bool(text)
        level = WARNING if text else INFO
        self._logger.log(level, "%s: %s", self._job, text or "all is well again")
        return True

    def rest(self) -> float:
        """Seconds until a word is due."""
        return max(0.0, self._told_at + self._every - time.monotonic())
