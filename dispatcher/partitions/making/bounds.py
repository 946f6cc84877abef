"""The bounds of a native parent's partitions."""

from __future__ import annotations

from datetime import timedelta

from ...events import Dial
from ...postgres import Connection, TableName, queries
from ..partitioning import Partitioning
from ..period import Period
from ..place import Neighbours, Place, Range, place
from ..zones import EPOCH_TIME

_MOMENT = "timestamp with time zone"
"""The type of a key that is a moment."""


class Bounds:
    """The bounds of the partitions of ``dest_table``, if it is a native parent.

    Args:
        connection: to the target.
        partitioning: how ``dest_table`` is partitioned.
        time_zone: of the source; the days of partitions of moments are days there.
    """

    def __init__(self, connection: Connection, partitioning: Partitioning, time_zone: str) -> None:
        self._connection = connection
        self._how = partitioning
        self._zone = partitioning.zone or time_zone
        self._by_moment = False

    def place(self, period: Period) -> Place:
        """Where rows of a period go, by the bounds as they are now."""
        parent = self._how.parent
        times = {"start": period.start.isoformat(), "end": period.end.isoformat()}
        moments = {"since": period.since, "until": period.until, "zone": self._zone}
        known = {"table": parent.sql, "unit": self._how.unit, "column": self._how.bounded}
        with self._connection.cursor() as cursor:
            found = queries.rows(cursor, "partition_ranges", **known, **times, **moments)
        self._by_moment = bool(found) and found[0][0] == _MOMENT
        if not found:
            # PostgreSQL routes by what only it knows.
            return Place(parent, is_open=True)
        is_naive = found[0][0] in {"date", "timestamp without time zone"}
        is_routed = self._by_moment or (is_naive and self._how.dial == Dial.ZONED)
        start, end = found[0][1:3]
        partitions = [
            (TableName(schema, name), Range(lower, upper, lower_text, upper_text))
            for _, _, _, schema, name, lower_text, upper_text, lower, upper in found
            if name is not None and lower is not None
        ]
        default = any(name is not None and lower is None for _, _, _, _, name, _, _, lower, _ in found)
        texts = times["start"], times["end"]
        if not is_naive and period.since is not None and period.until is not None:
            told = _moment if self._by_moment else _number
            texts = told(start), told(end)
        return place(Range(start, end, *texts), Neighbours(parent, is_routed, partitions, default))

    def time_of(self, value: str) -> str:
        """The time by which the target routes a value, once a place was looked for: of a moment, in the zone.

        Raises:
            psycopg2.Error: it is none.
        """
        known = {"value": value, "by_moment": self._by_moment, "zone": self._zone}
        with self._connection.cursor() as cursor:
            time: str = queries.value(cursor, "time_of", **known)
        return time


def _moment(seconds: float) -> str:
    """A moment as PostgreSQL reads it, whatever TimeZone is."""
    return f"{EPOCH_TIME + timedelta(seconds=seconds)}+00"


def _number(count: float) -> str:
    """A number as PostgreSQL reads it."""
    return str(int(count))
