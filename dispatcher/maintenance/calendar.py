"""The periods of a table about a moment, one after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..partitions import Partitioning, Period, as_time, period_of
from ..postgres import Connection, queries


@dataclass(frozen=True, slots=True)
class Bounds:
    """The time of which a partition has rows: from its start up to, not including, its end.

    Attributes:
        start: as text; ``MINVALUE``: from the beginning.
        end: as text; ``MAXVALUE``: for ever.
        start_moment: in seconds since 1970.
        end_moment: in seconds since 1970.
    """

    start: str
    end: str
    start_moment: float
    end_moment: float

    def with_all_of(self, other: Bounds) -> Bounds:
        """The time from where the first of both begins up to where the last one ends."""
        first = min(self, other, key=lambda each: each.start_moment)
        last = max(self, other, key=lambda each: each.end_moment)
        return Bounds(first.start, last.end, first.start_moment, last.end_moment)


class Calendar:
    """The periods of a table.

    Args:
        connection: to the target.
        partitioning: how the table is partitioned.
        zone: time zone of the source; where the table has no zone of its own, that of its days.

    Raises:
        SetupError: the zone is needed, and this host does not know it.
    """

    def __init__(self, connection: Connection, partitioning: Partitioning, zone: str) -> None:
        self._connection = connection
        self._periods = partitioning.periods(zone)
        self._method = partitioning.method
        self._zone = partitioning.zone or zone

    def period(self, moment: float) -> Period:
        """The period of a moment, in seconds since 1970."""
        if self._periods.knows_moments:
            return self._periods.at(moment)
        with self._connection.cursor() as cursor:
            time: str = queries.value(cursor, "local_time", moment=moment, zone=self._zone)
        return period_of(time.encode(), self._method)

    def forwards(self, period: Period, count: int) -> Iterator[Period]:
        """A period and some after it, in order."""
        yield period
        for _ in range(count):
            try:
                period = self._periods.after(period)
            except OverflowError:
                return
            yield period

    def ahead(self, first: float, last: float, count: int) -> Iterator[Period]:
        """The periods from one moment to another, and so many after, but for those that clocks leave out."""
        period, present = self.period(first), self.period(last)
        yield period
        while count or as_time(period.start) < as_time(present.start):
            count -= as_time(period.start) >= as_time(present.start)
            try:
                period = self._periods.after(period)
                while period.is_left_out:
                    period = self._periods.after(period)
            except OverflowError:
                return
            yield period

    def backwards(self, period: Period, count: int) -> Iterator[Period]:
        """Some periods before one, the newest first."""
        for _ in range(count):
            try:
                period = self._periods.before(period)
            except OverflowError:
                return
            yield period

    def bounds(self, period: Period) -> Bounds:
        """When a period begins and ends."""
        texts = period.start.isoformat(), period.end.isoformat()
        since, until = period.since, period.until
        if since is None or until is None:
            with self._connection.cursor() as cursor:
                found = dict(queries.rows(cursor, "moments_of", times=list(texts), zone=self._zone))
            since, until = (found[text] for text in texts)
        return Bounds(*texts, float(since), float(until))
