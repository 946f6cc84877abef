"""Consumers of the original's library that end after some batches."""

from __future__ import annotations

from typing import Any

import pgq


class Bounded(pgq.SerialConsumer):
    """A consumer that stops after some batches; list it first among the bases.

    Attributes:
        batches: how many are left; to be set before the start.
    """

    batches: int

    def process_batch(self, db: Any, batch_id: int, event_list: Any) -> None:
        """Process the batch; stop after the last one."""
        super().process_batch(db, batch_id, event_list)
        self.batches -= 1
        if not self.batches:
            self.stop()
