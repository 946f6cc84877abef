"""Batches of a queue, and what a position says about one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


@dataclass(frozen=True, slots=True)
class Batch:
    """The events between two ticks (PgQ ``next_batch_custom``).

    Attributes:
        id: batch id; the same batch keeps it until it is finished.
        tick: id of the tick that ends it.
        previous_tick: id of the tick that ends the batch before.
        tick_time: when `tick` was made, in seconds since the epoch by the source's clock.
        count: events between the two ticks by the queue's own count, of all tables; a hint, as the count has
            gaps.
        event_seq: how many events the queue had counted in all when `tick` was made.
        query: SQL that yields the events (PgQ ``batch_event_sql``).
    """

    id: int
    tick: int
    previous_tick: int
    tick_time: float
    count: int = 0
    event_seq: int = 0
    query: str = ""


class Verdict(Enum):
    """What a position says about a batch: load it, skip it as loaded, or stop."""

    APPLY = auto()
    SKIP = auto()
    LOST = auto()


def judge(position: int | None, batch: Batch, tick_time: float | None = None) -> Verdict:
    """Compare the target's position with a batch of the source (PgQ's rule for serial consumers).

    Args:
        position: the last tick that was applied; None: there is none.
        batch: the source's.
        tick_time: time of that tick, if it is known. A queue that was dropped and created again counts its
            ticks from 1: an equal tick of another time is another tick, whose events are not here.
    """
    if position is None or position == batch.previous_tick:
        return Verdict.APPLY
    same = position == batch.tick and tick_time in {None, batch.tick_time}
    return Verdict.SKIP if same else Verdict.LOST
