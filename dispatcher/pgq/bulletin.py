"""What is told of queues: a tick with events at once, one without when its turn comes.

`Bulletin` decides. It does no I/O and reads no clock: every event carries its moment, in seconds of
``time.monotonic()``, so that tests replay histories.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass

IDLE_SHARE = 0.25
"""Share of a queue's rotation period for which ticks without events may stay unread at most."""

IDLE_RATE = 4.0
"""Queues a second whose ticks without events are told: each wakes a job that may have to connect first."""

TURNS = 256
"""How many news of one tick can be told apart."""


def news_of(tick: int, turn: int = 0) -> int:
    """The number by which a job is told of a tick; by another turn, it is told again."""
    return tick * TURNS + turn % TURNS


def tick_of(news: int) -> int:
    """The tick of which a number tells."""
    return news // TURNS


@dataclass(slots=True)
class _Queue:
    """What is known of a queue.

    Attributes:
        tick: the newest one.
        sequence: the queue's count of events at it.
        period: of rotation, in seconds.
        told: what was told last; None: nothing.
        told_at: when.
        turn: told with the number.
        is_due: it is to be told at once.
    """

    tick: int
    sequence: int
    period: float
    told: int | None = None
    told_at: float = -math.inf
    turn: int = 0
    is_due: bool = True


class Bulletin:
    """Decides what is told when."""

    def __init__(self) -> None:
        self._queues: dict[str, _Queue] = {}
        self._idle_at = -math.inf
        self._idle_told = 0.0

    def saw(self, queue: str, tick: int, sequence: int, period: float) -> bool:
        """A queue has another newest tick; returns whether there were events before it, as far as known.

        Args:
            queue: its name.
            tick: number of the tick.
            sequence: the queue's count of events at it.
            period: of its rotation, in seconds.
        """
        known = self._queues.get(queue)
        if known is None or tick < known.tick:
            # It is new here, or was made anew.
            turn = known.turn + 1 if known else 0
            self._queues[queue] = _Queue(tick, sequence, period, turn=turn)
            return False
        had_events = sequence != known.sequence
        known.is_due = known.is_due or had_events
        known.tick, known.sequence, known.period = tick, sequence, period
        return had_events

    def untold(self) -> dict[str, tuple[int, int]]:
        """Queues with ticks that seem to have no events: the last tick that was told, and the newest one."""
        return {
            name: (queue.told, queue.tick)
            for name, queue in self._queues.items()
            if queue.told is not None and queue.told != queue.tick and not queue.is_due
        }

    def tell(self, queue: str, *, again: bool = False) -> None:
        """Let a queue be told at once; `again`, though its newest tick may be told."""
        if (known := self._queues.get(queue)) is not None:
            known.is_due = True
            known.turn += again

    def due(self, now: float) -> dict[str, int]:
        """What is to be told at this moment, by queue; it counts as told."""
        # A second's worth at once, as looks may be that far apart.
        self._idle_told = max(1 - IDLE_RATE, self._idle_told - (now - self._idle_at) * IDLE_RATE)
        self._idle_at = now
        found = {}
        for name, queue in self._queues.items():
            if queue.is_due:
                found[name] = self._tell(queue, now)
            elif queue.told != queue.tick and now >= self._idle_due(name, queue) and self._idle_told < 1:
                self._idle_told += 1
                found[name] = self._tell(queue, now)
        return found

    def _tell(self, queue: _Queue, now: float) -> int:
        queue.is_due, queue.told, queue.told_at = False, queue.tick, now
        return news_of(queue.tick, queue.turn)

    def _idle_due(self, name: str, queue: _Queue) -> float:
        """When a tick without events is to be told: queues that are idle together are spread."""
        spread = 0.5 + 0.5 * zlib.crc32(name.encode()) / (1 << 32)
        return queue.told_at + queue.period * IDLE_SHARE * spread
