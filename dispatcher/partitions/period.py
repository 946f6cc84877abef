"""The period, and so the partition, that a time belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ..postgres import STRICT
from .naming import Method, ending
from .written import read_time, shown, why_none
from .zones import Zone


@dataclass(frozen=True, slots=True)
class Period:
    """The times of one partition: from `start` up to, not including, `end`.

    Attributes:
        start: its first day; of an hour, its beginning, which names no zone.
        end: the same of the next one.
        suffix: what it is called, as in ``2026_11_24``.
        since: its first moment in seconds since 1970; None if its times are of no zone.
        until: the first moment of the next one.
    """

    start: date
    end: date
    suffix: str
    since: int | None = None
    until: int | None = None

    @property
    def start_text(self) -> str:
        """The moment at which it begins, as PostgreSQL reads it."""
        return as_time(self.start).isoformat(" ")

    @property
    def is_left_out(self) -> bool:
        """Whether clocks pass over all of it, so that no moment is in it."""
        return self.since is not None and self.since == self.until


UNITS: dict[Method, str] = {
    "hourly": "hour",
    "daily": "day",
    "weekly": "week",
    "monthly": "month",
    "quarterly": "quarter",
    "yearly": "year",
}
"""How long a period is, in a word."""


def period_of(value: bytes | None, method: Method, order: str = STRICT) -> Period:
    """The period of a column's value, by the time as it is written, whatever its time zone.

    Args:
        value: a date or timestamp as text; None is NULL.
        method: the length of periods.
        order: of the fields of dates that are not in ISO style; see `Styles`.

    Raises:
        ValueError: the value is not a date in ISO style or that order, or not of the years 1 to 9999.
    """
    written = read_time(value, order)
    if written.is_carried and method != "hourly":
        # As it is written it is of one day, and as it is meant of another.
        raise ValueError(why_none(value or b""))
    try:
        return period_at(written.time, method)
    except OverflowError as error:
        raise ValueError(f"its partition value {shown(value or b'')} is past the last period") from error


def period_at(time: datetime, method: Method, zone: Zone | None = None) -> Period:
    """The period of a time that clocks show.

    Args:
        time: the time.
        method: the length of periods.
        zone: where they show it; None: anywhere.

    Raises:
        OverflowError: it ends after the year 9999, or begins before the year 1.
    """
    start, end = _BOUNDS[method](time)
    name = ending(start, method)
    if zone is None:
        return Period(start, end, name)
    return Period(start, end, name, *(zone.first(as_time(bound)) for bound in (start, end)))


def as_time(bound: date) -> datetime:
    """A bound of a period as a time; of a day, its midnight."""
    return bound if isinstance(bound, datetime) else datetime(bound.year, bound.month, bound.day)


def _hour(time: datetime) -> tuple[date, date]:
    first = time.replace(minute=0, second=0, microsecond=0)
    return first, first + timedelta(hours=1)


def _day(time: datetime) -> tuple[date, date]:
    day = time.date()
    return day, day + timedelta(days=1)


def _week(time: datetime) -> tuple[date, date]:
    """From Monday on (ISO 8601)."""
    first = time.date() - timedelta(days=time.weekday())
    return first, first + timedelta(days=7)


def _month(time: datetime) -> tuple[date, date]:
    first = time.date().replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


def _quarter(time: datetime) -> tuple[date, date]:
    first = time.date().replace(month=(time.month - 1) // 3 * 3 + 1, day=1)
    return first, (first + timedelta(days=93)).replace(day=1)


def _year(time: datetime) -> tuple[date, date]:
    first = time.date().replace(month=1, day=1)
    return first, (first + timedelta(days=366)).replace(month=1, day=1)


_BOUNDS = {
    "hourly": _hour,
    "daily": _day,
    "weekly": _week,
    "monthly": _month,
    "quarterly": _quarter,
    "yearly": _year,
}
