"""A scenario: who takes part, and what may happen to them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from .world import Left, Process, Row, Source, Subscription, Target, Tick, World


class Program(Enum):
    """What a process runs."""

    NEW = "new"
    """Under the rules."""

    TODAY = "today"
    """The version before the rules: a lock for the length of a session."""

    ORIGINAL = "original"
    """``table_dispatcher`` of skytools; from reading the tick to its commit nobody else gets in between."""

    INTERLEAVED = "interleaved"
    """The original as it is: it reads the tick without a lock."""


class Job(NamedTuple):
    """What one process works for."""

    program: Program
    key: int = 0
    """Which row of the target is its."""

    source: int = 0


@dataclass(frozen=True)
class Scenario:
    """Who takes part, and what may happen.

    Attributes:
        name: one word or two.
        jobs: of each process.
        left: how often what may happen.
        shared: whether positions live in ``pgq_ext``.
        registered: whether a rival has registered the consumer and written the first tick as its position.
        disturbed: whether a job may be blocked from the start, since two jobs are in each other's way.
    """

    name: str
    jobs: tuple[Job, ...]
    left: Left
    shared: bool = False
    registered: bool = False
    disturbed: bool = False

    def begin(self) -> World:
        """The world before anything happened: one tick in each queue."""
        ticks = [
            Tick(1, 1, (event_at(source, 1),)) for source in range(1 + max(job.source for job in self.jobs))
        ]
        rows = [Row() for _ in range(1 + max(job.key for job in self.jobs))]
        sources = [Source((tick,)) for tick in ticks]
        world = World(
            tuple(sources), Target(rows=tuple(rows)), tuple(Process() for _ in self.jobs), self.left
        )
        if self.registered:
            position = None if self.shared else ticks[0]
            world = world._replace(
                sources=tuple(Source((tick,), Subscription(tick)) for tick in ticks),
                target=Target(
                    rows=tuple(row._replace(tick=position) for row in rows),
                    shared=ticks[0] if self.shared else None,
                ),
                excused=frozenset(event for tick in ticks for event in tick.events),
            )
        return world._replace(disturbed=self.disturbed)


def event_at(source: int, time: int) -> int:
    """The event before the tick of that time."""
    return source * 100 + time
