"""The period, and so the partition, that a value belongs to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from ..postgres import STRICT
from .naming import Method, ending

# Without times that PostgreSQL carries over to the next day: 24:00, a leap second, a fraction that rounds up.
_TIME = rb"(?!23:59:59\.9{6}[5-9])(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?"
_ZONE = rb"(?: ?(?:[+-][0-9:]+|(?![Bb][Cc])[A-Za-z][A-Za-z0-9/_+-]*))?"

# A date or timestamp in DateStyle ISO. Eras, years of five digits and infinity do not match.
_ISO = re.compile(rb"(?P<y>\d{4})-(?P<m>\d\d?)-(?P<d>\d\d?)(?:[ T]%b%b)?" % (_TIME, _ZONE))

# What a producer's session writes under other DateStyles (PostgreSQL manual, "Date/Time Output").
_STYLES = {
    "German": re.compile(rb"\d\d\.\d\d\.\d{4,}"),
    "SQL": re.compile(rb"\d\d/\d\d/\d{4,}"),
    "Postgres": re.compile(rb"\d\d-\d\d-\d{4,}|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) "),
}

_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_NAMED = rb"(?P<name>%b)" % b"|".join(_MONTHS)
_LAST = rb"(?P<sign>[./-])%b(?P=sign)(?P<y>\d{4})(?: %b%b)?"
_WEEKDAY = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) %b " + _TIME + rb" (?P<y>\d{4})" + _ZONE

# The same, where the order of fields is known: dates with signs between them, and Postgres with a time.
_ORDERED = {
    "DMY": (
        re.compile(rb"(?P<d>\d\d)" + _LAST % (rb"(?P<m>\d\d)", _TIME, _ZONE)),
        re.compile(_WEEKDAY % (rb"(?P<d>\d\d) " + _NAMED)),
    ),
    "MDY": (
        re.compile(rb"(?P<m>\d\d)" + _LAST % (rb"(?P<d>\d\d)", _TIME, _ZONE)),
        re.compile(_WEEKDAY % (_NAMED + rb" (?P<d>\d\d)")),
    ),
}

_CACHE_LIMIT = 4096
"""Most days remembered; a batch holds few."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days of one partition: from `start` up to, not including, `end`.

    Attributes:
        start: its first day.
        end: the first day of the next one.
        suffix: what it is called, as in ``2026_11_24``.
    """

    start: date
    end: date
    suffix: str


def period_of(value: bytes | None, method: Method, order: str = STRICT) -> Period:
    """The period of a column's value, by the date as it is written, whatever its time zone.

    Args:
        value: a date or timestamp as text; None is NULL.
        method: the length of periods.
        order: of the fields of dates that are not in ISO style; see `Styles`.

    Raises:
        ValueError: the value is not a date in ISO style or that order, or not of the years 1 to 9999.
    """
    if value is None:
        raise ValueError("its partition value is NULL")
    patterns = (_ISO, *_ORDERED.get(order, ()))
    match = next((match for pattern in patterns if (match := pattern.fullmatch(value))), None)
    if match is None:
        raise ValueError(_explain(value))
    try:
        day = _date(match)
    except ValueError as error:
        raise ValueError(f"its partition value {_shown(value)} is no date: {error}") from error
    try:
        start, end = _BOUNDS[method](day)
        return Period(start, end, ending(start, method))
    except OverflowError as error:
        raise ValueError(f"its partition value {_shown(value)} is past the last period") from error


def _date(match: re.Match[bytes]) -> date:
    """The date that was found; raises ValueError if there is no such day."""
    found = match.groupdict()
    month = _MONTHS.index(found["name"]) + 1 if found.get("name") else int(found["m"])
    return date(int(found["y"]), month, int(found["d"]))


def _shown(value: bytes) -> str:
    return repr(value[:40].decode("utf-8", "backslashreplace"))


def _explain(value: bytes) -> str:
    """Why a value is not read as a date."""
    for name, pattern in _STYLES.items():
        if pattern.match(value):
            return (
                f"its partition value {_shown(value)} is in DateStyle {name}, in which the source's database "
                "does not write; date_style says how to read it"
            )
    return f"its partition value {_shown(value)} is no date in ISO style"


def _day(day: date) -> tuple[date, date]:
    return day, day + timedelta(days=1)


def _week(day: date) -> tuple[date, date]:
    """From Monday on (ISO 8601)."""
    first = day - timedelta(days=day.weekday())
    return first, first + timedelta(days=7)


def _month(day: date) -> tuple[date, date]:
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


def _quarter(day: date) -> tuple[date, date]:
    first = day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    return first, (first + timedelta(days=93)).replace(day=1)


def _year(day: date) -> tuple[date, date]:
    first = day.replace(month=1, day=1)
    return first, (first + timedelta(days=366)).replace(month=1, day=1)


_BOUNDS = {"daily": _day, "weekly": _week, "monthly": _month, "quarterly": _quarter, "yearly": _year}


class PeriodCache:
    """Periods by value, remembered by the date part of the value."""

    def __init__(self, method: Method, order: str = STRICT) -> None:
        self._method: Method = method
        self._order = order
        self._known: dict[bytes, Period] = {}

    def __getitem__(self, value: bytes | None) -> Period:
        """The period of a value; raises ValueError as `period_of` does."""
        day = value[:10] if value and _ISO.fullmatch(value) else None
        period = self._known.get(day) if day else None
        if period is None:
            period = period_of(value, self._method, self._order)
            if len(self._known) >= _CACHE_LIMIT:
                self._known.clear()
            if day:
                self._known[day] = period
        return period
