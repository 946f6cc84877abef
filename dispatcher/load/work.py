"""Work for a delivery: a batch of the queue, or a dead letter tried again (`Replay`, in the ledger)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from logging import Logger
from typing import Protocol

from psycopg2.extensions import cursor as Cursor

from ..errors import LostPosition
from ..ledger import DeadLetter, DeadLetters, Position
from ..pgq import Batch, Queue, Verdict, judge

Receive = Callable[[bytes], object]
"""Takes what is read; may raise `Enough`."""


class Stream(Protocol):
    """Hands over blocks of events in any order, as `Queue.stream` does."""

    def __call__(self, receive: Receive, *, with_time: bool) -> None:
        """Hand over all of them."""


class Work(Protocol):
    """Events that are delivered in one transaction. They can be read again for each pass."""

    @property
    def name(self) -> str:
        """What people call it, for messages."""

    @property
    def stream(self) -> Stream | None:
        """What hands over its events in blocks; None if it has none."""

    def begin(self, cursor: Cursor) -> bool:
        """The first act of the transaction; False if there is nothing to deliver."""

    def end(self, cursor: Cursor) -> None:
        """The last act of the transaction, before its commit."""

    def read(self, receive: Receive, ids: Sequence[int] = ()) -> None:
        """Hand over events in order, each as COPY wrote it: all, or those of some ``ev_id``."""

    def can_keep(self) -> bool:
        """Whether there is a place for dead letters."""

    def keep(self, cursor: Cursor, letters: Sequence[DeadLetter]) -> None:
        """Keep events that have no row."""


class BatchWork:
    """A batch of the queue: its position is checked first and written last.

    Args:
        batch: an open one.
        queue: where its events are read.
        position: the consumer's, claimed.
        dead_letters: where events go that have no row.
        queue_name: for messages.
        logger: is told when the target has the batch already.
    """

    def __init__(
        self,
        batch: Batch,
        queue: Queue,
        position: Position,
        dead_letters: DeadLetters,
        queue_name: str,
        logger: Logger,
    ) -> None:
        self.name = f"batch {batch.id} of queue {queue_name}"
        self._batch = batch
        self._queue = queue
        self._position = position
        self._dead_letters = dead_letters
        self._logger = logger

    def begin(self, cursor: Cursor) -> bool:
        """Whether the target lacks the batch; the position is locked until the transaction ends.

        Raises:
            LostPosition: it fits neither the start nor the end of the batch.
        """
        batch = self._batch
        position, tick_time = self._position.read(cursor)
        verdict = judge(position, batch, tick_time)
        if verdict is Verdict.LOST:
            other = (
                " of another time, as if the queue had been created again" if position == batch.tick else ""
            )
            raise LostPosition(
                f"cannot load {self.name}: "
                f"Lost position: batch {batch.previous_tick}..{batch.tick}, dst has {position}{other}; "
                "once it is known which is right, run on the target: "
                f"{self._position.repair_command(batch.previous_tick)}"
            )
        if verdict is Verdict.SKIP:
            self._logger.info("skipped %s: the target has it already", self.name)
        return verdict is Verdict.APPLY

    def end(self, cursor: Cursor) -> None:
        """Write the position."""
        self._position.write(cursor, self._batch.tick, self._batch.tick_time)

    def read(self, receive: Receive, ids: Sequence[int] = ()) -> None:
        """Read events from the queue, in order."""
        self._queue.read(self._batch, receive, ids)

    def stream(self, receive: Receive, *, with_time: bool) -> None:
        """Read blocks of events from the queue, in any order."""
        self._queue.stream(self._batch, receive, with_time=with_time)

    def can_keep(self) -> bool:
        """Whether the table of dead letters is there."""
        return self._dead_letters.exist()

    def keep(self, cursor: Cursor, letters: Sequence[DeadLetter]) -> None:
        """Write dead letters."""
        self._dead_letters.write(cursor, letters)
