"""The period, and so the partition, that a value belongs to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Method = Literal["daily", "monthly"]

# A date or timestamp in DateStyle ISO. Eras, years of five digits, infinity and other styles do not match;
# nor do times that PostgreSQL carries over to the next day: 24:00, a leap second, a fraction that rounds up.
_ISO = re.compile(
    rb"(\d{4})-(\d\d?)-(\d\d?)"
    rb"(?:[ T](?!23:59:59\.9{6}[5-9])(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?"
    rb"(?: ?(?:[+-][0-9:]+|(?![Bb][Cc])[A-Za-z][A-Za-z0-9/_+-]*))?)?",
)

# What a producer's session writes under other DateStyles (PostgreSQL manual, "Date/Time Output").
_STYLES = {
    "German": re.compile(rb"\d\d\.\d\d\.\d{4,}"),
    "SQL": re.compile(rb"\d\d/\d\d/\d{4,}"),
    "Postgres": re.compile(rb"\d\d-\d\d-\d{4,}|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) "),
}

_CACHE_LIMIT = 4096
"""Most days remembered; a batch holds few."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days of one partition: from `start` up to, not including, `end`."""

    start: date
    end: date
    suffix: str


def period_of(value: bytes | None, method: Method) -> Period:
    """The period of a column's value, by the date as it is written, whatever its time zone.

    Args:
        value: a date or timestamp as text; None is NULL.
        method: the length of periods.

    Raises:
        ValueError: the value is not a date in ISO style, or not of the years 1 to 9999.
    """
    if value is None:
        raise ValueError("its partition value is NULL")
    match = _ISO.fullmatch(value)
    if match is None:
        raise ValueError(_explain(value))
    try:
        day = date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError as error:
        raise ValueError(f"its partition value {_shown(value)} is no date: {error}") from error
    try:
        return _PERIODS[method](day)
    except OverflowError as error:
        raise ValueError(f"its partition value {_shown(value)} is past the last period") from error


def _shown(value: bytes) -> str:
    return repr(value[:40].decode("utf-8", "backslashreplace"))


def _explain(value: bytes) -> str:
    """Why a value is not read as a date."""
    for name, pattern in _STYLES.items():
        if pattern.match(value):
            return (
                f"its partition value {_shown(value)} is in DateStyle {name}; "
                "only ISO is read: set DateStyle = ISO for the producer"
            )
    return f"its partition value {_shown(value)} is no date in ISO style"


def _day(day: date) -> Period:
    return Period(day, day + timedelta(days=1), f"{day:%Y_%m_%d}".rjust(10, "0"))


def _month(day: date) -> Period:
    first = day.replace(day=1)
    return Period(first, (first + timedelta(days=31)).replace(day=1), f"{first:%Y_%m}".rjust(7, "0"))


_PERIODS = {"daily": _day, "monthly": _month}


SUFFIXES: dict[Method, str] = {"daily": r"^\d{4}_\d\d_\d\d$", "monthly": r"^\d{4}_\d\d$"}
"""What follows the parent's name and an underscore in the name of a partition, as regular expressions."""


class PeriodCache:
    """Periods by value, remembered by the date part of the value."""

    def __init__(self, method: Method) -> None:
        self._method: Method = method
        self._known: dict[bytes, Period] = {}

    def __getitem__(self, value: bytes | None) -> Period:
        """The period of a value; raises ValueError as `period_of` does."""
        day = value[:10] if value and _ISO.fullmatch(value) else None
        period = self._known.get(day) if day else None
        if period is None:
            period = period_of(value, self._method)
            if len(self._known) >= _CACHE_LIMIT:
                self._known.clear()
            if day:
                self._known[day] = period
        return period
