"""The batch algorithm: every batch of the source is loaded into the target exactly once."""

from __future__ import annotations

import time
from collections.abc import Collection
from functools import partial

from tdsup.jobtype import TROUBLE, Context

from ..ledger import Choice, Ownership, Position, Storage, for_owner
from ..load import BatchWork, Delivery, Ledger, Outcome
from ..maintenance import Maintenance, Present, cares_of
from ..metrics import NOTHING_WAITS, Tally
from ..pgq import Batch, BatchSizer, Lookout, Queue
from ..postgres import Connection, IdleConnections, queries
from ..settings import Settings
from .health import Health

VERIFY = 10.0
"""Seconds after which an idle owner looks whether it still is the owner: a batch would tell it at once."""


class Consumer:
    """Works for one consumer over two open connections.

    Args:
        queue: the queue on the source; no call leaves a transaction open there.
        target: connection to the database of the tables, with the same promise.
        ledger: the consumer's position there, and this process's ownership, taken.
        settings: the job's.
        tally: counted up as work is done; outlives the connections.
        context: the job's.

    Attributes:
        maintenance: of the partitions.
    """

    def __init__(
        self,
        queue: Queue,
        target: Connection,
        ledger: tuple[Position, Ownership],
        settings: Settings,
        tally: Tally,
        context: Context,
    ) -> None:
        self._connections = IdleConnections(queue.connection, target)
        self._queue, self._target = queue, target
        self._context = context
        self._lookout = Lookout(settings, context)
        self._position, self._ownership = ledger
        self._settings = settings
        self._tally = tally
        self._logger = context.logger
        self._sizer = BatchSizer(settings.most_merged)
        choice = Choice(self._ownership.row, self._ownership.former)
        self._new_delivery = partial(Delivery, self._queue, target, settings, context.logger, choice)
        self._delivery = self._new_delivery()
        self._health = Health(queue, self._delivery.dead_letters, tally)
        self.maintenance = Maintenance(
            target,
            partial(cares_of, settings, queue),
            self._present,
            settings.job_name,
            context,
            tally,
        )
        self._verified = time.monotonic()
        self._state: int | None = 0
        self._seen = 0

    def work(self) -> bool:
        """Take one batch, if there is one, and look after partitions; returns whether there may be more.

        After a crash at any point, the position in the target tells whether to repeat or to skip the batch.

        Raises:
            DataError: an event cannot be loaded and bad events stop the job; nothing of the batch was loaded.
            LostPosition: the target's position does not fit the batch.
            Displaced: this process no longer owns the consumer, or a person holds it.
            SetupError: the target cannot take the batch until a person does something.
            psycopg2.Error: the infrastructure failed; a retry on new connections is safe.
        """
        more = self._work()
        self._maintain()
        return more

    def _work(self) -> bool:
        asked = time.monotonic()
        batch, is_quiet = None, self._lookout.is_quiet()
        state = self._context.news("target")
        self._health.look(
            asked, queue_is_watched=self._lookout.is_watched, letters_are_watched=state is not None
        )
        if not is_quiet:
            batch = self._ask(asked)
            self._lookout.asked(batch)
        if batch is None:
            self._idle(state)
            return False
        if self._tally.caught_up_to is None:
            self._tally.caught_up_to = asked
        self._tally.opened_at = asked
        try:
            is_loaded = self._apply(batch)
            self._finish(batch, asked, is_loaded=is_loaded)
        finally:
            self._tally.opened_at = None
        self._sizer.learn(batch.count, time.monotonic() - asked, self._tally.behind)
        return True

    def _maintain(self) -> None:
        """Look after the partitions, if that is due; raises as `work` does."""
        if self.maintenance.work(self._verify):
            # What is remembered of tables counts no longer.
            self._delivery = self._new_delivery()

    def _present(self) -> Present:
        with self._target as target, target.cursor() as cursor:
            tick = self._position.read(cursor)
            clock = queries.value(cursor, "target_clock")
        return Present(clock, None if tick is None else tick.time)

    def _ask(self, now: float) -> Batch | None:
        self._tally.asked_at = now
        try:
            batch = self._queue.next_batch(self._sizer.min_events)
            if batch is None and self._sizer.min_events:
                # Sequence gaps: no run of ticks adds up to the size asked for; take the next tick.
                batch = self._queue.next_batch()
        finally:
            self._tally.asked_at = None
        return batch

    def _idle(self, state: int | None) -> None:
        """There is no batch: see that all is well, and who is the owner by the state that a watcher told."""
        self._sizer.caught_up()
        self._connections.check()
        if state != self._state or time.monotonic() - self._verified >= VERIFY:
            self._seen = self._verify()
            self._state = state
        if not self._settings.holds_back:
            self._tally.caught_up_to = None
            self._tally.behind = 0

    @property
    def notices(self) -> Collection[str]:
        """What the log should say once of how rows are loaded."""
        return self._delivery.destinations.notices

    def rest(self) -> float:
        """Seconds to wait for news after `work` has found nothing."""
        if self._context.news("target") != self._state:
            return 0.0
        return min(self._lookout.rest(), self._health.rest(), self.maintenance.rest())

    def may_sleep(self) -> bool:
        """Whether nothing is to be done before watchers tell something."""
        state = self._context.news("target")
        is_told = state is not None and state == self._state and for_owner(state) == for_owner(self._seen)
        return is_told and self._lookout.is_quiet()

    def has_news(self) -> bool:
        """Whether watchers have told something since `may_sleep`."""
        state = self._context.news("target")
        is_mine = not state or for_owner(state) == for_owner(self._seen)
        return not (is_mine and self._lookout.is_quiet())

    def _verify(self) -> int:
        state = self._ownership.verify()
        self._verified = time.monotonic()
        return state

    def _apply(self, batch: Batch) -> bool:
        """Load the batch and write its position in one transaction; False if the target has the batch."""
        made = self._delivery.partitions_created

        def counters(outcome: Outcome) -> str:
            return self._tally.with_batch(outcome, self._delivery.partitions_created - made)

        work = BatchWork(
            batch,
            self._queue,
            Ledger(self._position, self._ownership, counters),
            self._delivery.dead_letters,
            self._settings.job_name,
            self._logger,
        )
        outcome = self._delivery.deliver(work)
        self._verified = time.monotonic()
        self._tally.partitions += self._delivery.partitions_created - made
        if outcome is None:
            return False
        self._tally.count(outcome)
        if outcome.dead_letters:
            self._health.buried()
        return True

    def _finish(self, batch: Batch, opened: float, *, is_loaded: bool) -> None:
        finished, lag, behind = self._queue.finish(batch)
        if is_loaded and not finished:
            self._tell_double(batch)
        now, tally = time.monotonic(), self._tally
        tally.seconds.add(now - opened)
        tally.caught_up_to = now - lag
        tally.behind = behind
        tally.finished_at = now
        # The end of the batch is a tick, and perhaps the newest one.
        tally.newest_tick = max(tally.newest_tick or 0.0, now - lag)
        if tally.standing.get(TROUBLE):
            # It is ticked, whatever the last look has shown.
            tally.standing = {**tally.standing, **NOTHING_WAITS}

    def _tell_double(self, batch: Batch) -> None:
        """Another program has finished a batch while it was loaded here, and may have loaded it too.

        One of ours that has taken over would have skipped it, and `verify` then raises.
        """
        if self._position.storage is Storage.PGQ_EXT:
            self._ownership.verify()
            self._logger.error(
                "%s: batch %d of queue %s, ticks %d to %d, was finished by another program while it was "
                "loaded here: "
                "its events, with ids from about %d to %d, may be in the target twice; never run two "
                "programs for "
                "one consumer",
                self._settings.job_name,
                batch.id,
                self._settings.queue,
                batch.previous_tick,
                batch.tick,
                batch.previous_sequence + 1,
                batch.sequence,
            )
