"""The present moment, as far as a job can be sure of it."""

from __future__ import annotations

from dataclasses import dataclass

from ..postgres import Connection, queries

MOST_APART = 86400.0
"""Seconds between a job's last batch and the target's clock from which on one of them is wrong, or late."""


@dataclass(frozen=True, slots=True)
class Present:
    """What two clocks say, in seconds since 1970; the host's own is not asked.

    Attributes:
        clock: the target's.
        applied: the time of the tick up to which events are loaded, by the source's clock; None: not known.
    """

    clock: float
    applied: float | None

    @property
    def moment(self) -> float:
        """The earlier of both."""
        return self.clock if self.applied is None else min(self.clock, self.applied)

    @property
    def latest(self) -> float:
        """The moment ahead of which partitions are made.

        It is the target's clock, as a job that sleeps reads ticks without events late; of a job that is far
        behind, the moment up to which it has come.
        """
        return self.moment if self.doubt else self.clock

    @property
    def doubt(self) -> str:
        """Why nothing may be removed by its age; empty if the present moment is sure."""
        if self.applied is None:
            return "it is not known of when the last batch is"
        apart = self.clock - self.applied
        if abs(apart) <= MOST_APART:
            return ""
        order = "before" if apart > 0 else "after"
        return f"the last batch is of {abs(apart) / MOST_APART:.0f} days {order} the target's clock"


def horizon(connection: Connection, present: Present, interval: str, zone: str) -> float:
    """The moment that is an interval before the present one, by the calendar of a time zone."""
    with connection.cursor() as cursor:
        found: float = queries.value(
            cursor, "moment_before", moment=present.moment, zone=zone, interval=interval
        )
    return found
