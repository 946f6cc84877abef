"""What a job may ask of the process that hosts it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

from tdsup.jobtype import Board, Snapshot

from .channel import Sender
from .processmetrics import process_values


class WorkerContext:
    """The host of one job; implements the contract's `Context`.

    Args:
        logger: where the job's messages go.
        sender: takes its reports.
        ready: called at each report; the first one shows that the job has begun.
        board: numbers that the jobs of a fleet share.
    """

    def __init__(
        self, logger: logging.Logger, sender: Sender, ready: Callable[[], None], board: Board | None = None
    ) -> None:
        self.logger = logger
        self.board = board
        self._sender = sender
        self._ready = ready
        self._reported: Snapshot | None = None
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def report(self, snapshot: Snapshot) -> None:
        """Publish the job's numbers and condition, if there is news."""
        with self._lock:
            if snapshot == self._reported:
                return
            self._reported = snapshot
            self._send(snapshot)
        self._ready()

    def beat(self) -> None:
        """Show that the process lives, with its present numbers; called in the lifeline's thread."""
        # Under the lock: an older snapshot that arrives after a newer one would make counters fall.
        with self._lock:
            if self._reported is not None:
                self._send(self._reported)
            else:
                self._sender.beat()

    def _send(self, snapshot: Snapshot) -> None:
        self._sender.snapshot(replace(snapshot, values={**snapshot.values, **process_values()}))

    def stopping(self) -> bool:
        """Whether the job has been asked to end."""
        return self._stop.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep that long or until asked to end."""
        return self._stop.wait(max(0.0, seconds))

    def stop(self) -> None:
        """Ask the job to end."""
        self._stop.set()
