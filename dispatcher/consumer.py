"""The batch algorithm: every batch of the source is loaded into the target exactly once."""

from __future__ import annotations

import time

from psycopg2.extensions import connection as Connection
from tdsup.jobtype import Context

from .ledger import Position
from .load import BatchWork, Delivery
from .metrics import Tally
from .pgq import Batch, BatchSizer, Lookout, Queue
from .postgres import IdleConnections
from .settings import Settings


class Consumer:
    """Works for one consumer over two open connections.

    Args:
        source: connection to the database of the queue; no call leaves a transaction open.
        target: the same to the database of the tables.
        position: the consumer's position there; claimed.
        settings: the job's.
        tally: counted up as work is done; outlives the connections.
        context: the job's.
    """

    def __init__(
        self,
        source: Connection,
        target: Connection,
        position: Position,
        settings: Settings,
        tally: Tally,
        context: Context,
    ) -> None:
        self._connections = IdleConnections(source, target)
        self._queue = Queue(source, settings)
        self._lookout = Lookout(self._queue, settings, context.board)
        self._position = position
        self._settings = settings
        self._tally = tally
        self._logger = context.logger
        self._sizer = BatchSizer(settings.merge_events if not settings.pgq_batch_collect_interval else 0)
        self._delivery = Delivery(self._queue, target, settings, context.logger)

    def register(self) -> None:
        """Make sure that the consumer is registered on the queue.

        Raises:
            SetupError: there is no such queue.
        """
        if self._queue.register():
            self._logger.info(
                "registered consumer %s on queue %s", self._settings.consumer_name, self._settings.queue
            )

    def work(self) -> bool:
        """Take one batch, if there is one; returns whether there may be more.

        After a crash at any point, the position in the target tells whether to repeat or to skip the batch.

        Raises:
            DataError: an event cannot be loaded and bad events stop the job; nothing of the batch was loaded.
            LostPosition: the target's position does not fit the batch.
            SetupError: the target cannot take the batch until a person does something.
            psycopg2.Error: the infrastructure failed; a retry on new connections is safe.
        """
        asked = time.monotonic()
        batch = None
        if not self._lookout.is_quiet():
            batch = self._queue.next_batch(self._sizer.min_events)
            if batch is None and self._sizer.min_events:
                # Sequence gaps: no run of ticks adds up to the size asked for; take the next tick.
                batch = self._queue.next_batch()
            self._lookout.asked(batch)
        if batch is None:
            self._sizer.caught_up()
            self._connections.check()
            if not self._settings.holds_back:
                self._tally.caught_up_to = None
                self._tally.behind = 0
            return False
        if self._tally.caught_up_to is None:
            self._tally.caught_up_to = asked
        self._apply(batch)
        self._finish(batch, asked)
        self._sizer.learn(batch.count, time.monotonic() - asked, self._tally.behind)
        return True

    def rest(self) -> float:
        """Seconds to wait after `work` has found nothing."""
        return self._lookout.rest()

    def _apply(self, batch: Batch) -> None:
        """Load the batch and write its position in one transaction, unless the target has the batch."""
        made = self._delivery.partitions_created
        work = BatchWork(
            batch,
            self._queue,
            self._position,
            self._delivery.dead_letters,
            self._settings.queue,
            self._logger,
        )
        outcome = self._delivery.deliver(work)
        self._tally.partitions += self._delivery.partitions_created - made
        if outcome is not None:
            self._tally.count(outcome)
            if outcome.events:
                self._lookout.read_events()

    def _finish(self, batch: Batch, opened: float) -> None:
        lag, behind = self._queue.finish(batch)
        now, tally = time.monotonic(), self._tally
        tally.batches += 1
        tally.seconds.add(now - opened)
        tally.caught_up_to = now - lag
        tally.behind = behind
        tally.finished_at = now
