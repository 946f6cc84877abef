"""Which partition a row belongs to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Method = Literal["daily", "monthly"]

# A date or timestamp in DateStyle ISO, with an optional time. An era, a year of five digits, infinity and
# the other styles do not match.
_ISO = re.compile(rb"(\d{4})-(\d\d)-(\d\d)(?:[ T]\d\d?:\d\d[0-9:.+\- ]*(?:Z|[A-Za-z]{3,5})?)?")
_ERA = b"BC"

_CACHE_LIMIT = 4096
"""Days remembered; a batch holds few."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days of one partition: from `start` up to, not including, `end`."""

    start: date
    end: date
    suffix: str


def period_of(value: bytes | None, method: Method) -> Period:
    """The period of a column's value: the date as written, whatever its time zone.

    Raises:
        ValueError: the value is no date of the years 1 to 9999 in ISO style.
    """
    if value is None:
        raise ValueError("its partition value is NULL")
    match = _ISO.fullmatch(value)
    if match is None or value.endswith(_ERA):
        shown = value[:40].decode("utf-8", "backslashreplace")
        raise ValueError(f"its partition value {shown!r} is no date in ISO style")
    try:
        day = date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError as error:
        raise ValueError(f"its partition value {value[:10].decode()!r} is no date: {error}") from error
    try:
        return _PERIODS[method](day)
    except OverflowError as error:
        raise ValueError(f"its partition value {value[:10].decode()!r} is past the last period") from error


def _day(day: date) -> Period:
    return Period(day, day + timedelta(days=1), f"{day:%Y_%m_%d}".rjust(10, "0"))


def _month(day: date) -> Period:
    first = day.replace(day=1)
    return Period(first, (first + timedelta(days=31)).replace(day=1), f"{first:%Y_%m}".rjust(7, "0"))


_PERIODS = {"daily": _day, "monthly": _month}


class PeriodCache:
    """`period_of`, remembered by the date part of the value."""

    def __init__(self, method: Method) -> None:
        self._method: Method = method
        self._known: dict[bytes, Period] = {}

    def __getitem__(self, value: bytes | None) -> Period:
        """The period of a value; raises ValueError as `period_of` does."""
        day = value[:10] if value and _ISO.fullmatch(value) and not value.endswith(_ERA) else None
        period = self._known.get(day) if day else None
        if period is None:
            period = period_of(value, self._method)
            if len(self._known) >= _CACHE_LIMIT:
                self._known.clear()
            if day:
                self._known[day] = period
        return period
