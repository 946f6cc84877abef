"""Batches of a queue, and what a position says about one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from ..ledger import Tick


@dataclass(frozen=True, slots=True)
class Batch:
    """The events between two ticks (PgQ ``next_batch_custom``).

    Attributes:
        id: batch id; the same batch keeps it until it is finished.
        tick: id of the tick that ends it.
        previous_tick: id of the tick that ends the batch before.
        tick_time: when `tick` was made, in seconds since the epoch by the source's clock.
        previous_time: when `previous_tick` was made.
        sequence: the queue's event sequence at `tick`.
        previous_sequence: the same at `previous_tick`.
        query: SQL that yields the events (PgQ ``batch_event_sql``).
        ticks: how many ticks it has; several if they were taken as one. Their numbers have gaps.
    """

    id: int
    tick: int
    previous_tick: int
    tick_time: float
    previous_time: float
    sequence: int = 0
    previous_sequence: int = 0
    query: str = ""
    ticks: int = 1

    @property
    def count(self) -> int:
        """Events by the queue's own count, of all tables; a hint, as the count has gaps."""
        return self.sequence - self.previous_sequence


class Verdict(Enum):
    """What a position says about a batch: load it, skip it as loaded, or stop."""

    APPLY = auto()
    SKIP = auto()
    LOST = auto()


def judge(position: Tick | None, batch: Batch) -> Verdict:
    """Compare the target's position with a batch of the source (PgQ's rule for serial consumers, and times).

    Args:
        position: the last tick that was applied. None fits no batch: the first position is written before the
            consumer is registered, so that a target without one has lost it.
        batch: the source's.
    """
    if position is None:
        return Verdict.LOST
    if position.fits(batch.previous_tick, batch.previous_time):
        return Verdict.APPLY
    return Verdict.SKIP if position.fits(batch.tick, batch.tick_time) else Verdict.LOST
