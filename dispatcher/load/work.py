"""Work for a delivery: a batch of the queue, or a dead letter tried again (`Replay`, in the ledger)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from logging import Logger
from typing import ClassVar, Protocol

from psycopg2.extensions import cursor as Cursor

from ..errors import Displaced, LostPosition
from ..ledger import DeadLetter, DeadLetters, Ownership, Position
from ..pgq import Batch, Queue, Verdict, judge, lost_position
from .outcome import Outcome

Receive = Callable[[bytes], object]
"""Takes what is read; may raise `Enough`."""


class Stream(Protocol):
    """Hands over blocks of events, as `Queue.stream` does."""

    def __call__(self, receive: Receive, *, ordered: bool, leading: Sequence[str]) -> None:
        """Hand over all of them."""


class Work(Protocol):
    """Events that are delivered in one transaction. They can be read again for each pass."""

    @property
    def name(self) -> str:
        """What people call it, for messages."""

    @property
    def ticks(self) -> int:
        """How many ticks of the queue it stands for."""

    @property
    def moment(self) -> float:
        """When the tick was that ends it, in seconds since 1970; known from `begin` on."""

    @property
    def is_letter(self) -> bool:
        """Whether its event is a dead letter, in which values are masked already."""

    @property
    def stream(self) -> Stream | None:
        """What hands over its events in blocks; None if it has none."""

    def begin(self, cursor: Cursor) -> bool:
        """The first act of the transaction; False if there is nothing to deliver."""

    def end(self, cursor: Cursor, outcome: Outcome) -> None:
        """The last act of the transaction, before its commit.

        Args:
            cursor: of the transaction.
            outcome: what became of the events.
        """

    def read(self, receive: Receive, ids: Sequence[int] = ()) -> None:
        """Hand over events in order, each as COPY wrote it: all, or those of some ``ev_id``."""

    def can_keep(self) -> bool:
        """Whether there is a place for dead letters."""

    def keep(self, cursor: Cursor, letters: Sequence[DeadLetter]) -> None:
        """Keep events that have no row."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a batch reads and writes of its consumer in the target.

    Attributes:
        position: the consumer's position.
        ownership: this process's right to move it.
        counters_with: what the job has done in all once a batch of that outcome is committed, as JSON.
    """

    position: Position
    ownership: Ownership
    counters_with: Callable[[Outcome], str]


class BatchWork:
    """A batch of the queue: its position is checked first and written last.

    Args:
        batch: an open one.
        queue: where its events are read.
        ledger: the consumer's in the target.
        dead_letters: where events go that have no row.
        job: name of the job, for messages.
        logger: is told when the target has the batch already.
    """

    is_letter: ClassVar = False

    def __init__(
        self,
        batch: Batch,
        queue: Queue,
        ledger: Ledger,
        dead_letters: DeadLetters,
        job: str,
        logger: Logger,
    ) -> None:
        self.name = f"batch {batch.id} of queue {ledger.position.queue}"
        self._batch = batch
        self._queue = queue
        self._ledger = ledger
        self._dead_letters = dead_letters
        self._job = job
        self._logger = logger

    @property
    def ticks(self) -> int:
        """How many ticks the batch has; several if they were taken as one."""
        return self._batch.ticks

    @property
    def moment(self) -> float:
        """The time of the tick that ends it, by the source's clock."""
        return self._batch.tick_time

    def begin(self, cursor: Cursor) -> bool:
        """Whether the target lacks the batch; the position is locked until the transaction ends.

        Raises:
            LostPosition: it fits neither the start nor the end of the batch.
            Displaced: this process is not, or no longer, the one that works for the consumer.
        """
        standing = self._ledger.position.begin(cursor)
        self._ledger.ownership.check(standing)
        verdict = judge(standing.tick, self._batch)
        if verdict is Verdict.LOST and not self._queue.is_open(self._batch):
            # A rival that needs no ownership has loaded this batch and more.
            raise Displaced(f"somebody else has finished {self.name}")
        if verdict is Verdict.LOST:
            raise LostPosition(
                f"cannot load {self.name}: {lost_position(standing.tick, self._batch, self._job)}"
            )
        if verdict is Verdict.SKIP:
            self._logger.info("skipped %s: the target has it already", self.name)
        return verdict is Verdict.APPLY

    def end(self, cursor: Cursor, outcome: Outcome) -> None:
        """Write the position, and what the job has done in all."""
        counters = self._ledger.counters_with(outcome)
        self._ledger.position.write(cursor, self._batch.tick, self._batch.tick_time, counters)

    def read(self, receive: Receive, ids: Sequence[int] = ()) -> None:
        """Read events from the queue, in order."""
        self._queue.read(self._batch, receive, ids)

    def stream(self, receive: Receive, *, ordered: bool, leading: Sequence[str]) -> None:
        """Read blocks of events from the queue."""
        self._queue.stream(self._batch, receive, ordered=ordered, leading=leading)

    def can_keep(self) -> bool:
        """Whether the table of dead letters is there."""
        return self._dead_letters.exist()

    def keep(self, cursor: Cursor, letters: Sequence[DeadLetter]) -> None:
        """Write dead letters."""
        self._dead_letters.write(cursor, letters)
