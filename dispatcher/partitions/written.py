"""Times as producers write them, in any of PostgreSQL's styles."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from .zones import EPOCH_TIME

_TIME = rb"(?P<time>(?:[01]?\d|2[0-4]):[0-5]\d(?::(?:[0-5]\d|60)(?:\.\d+)?)?)"
_ZONE = rb"(?: ?(?P<zone>[+-][0-9:]+|(?![Bb][Cc])[A-Za-z][A-Za-z0-9/_+-]*))?"

# A date or timestamp in DateStyle ISO. Eras, years of five digits and infinity do not match.
_ISO = re.compile(rb"(?P<y>\d{4})-(?P<m>\d\d?)-(?P<d>\d\d?)(?:[ T]%b%b)?" % (_TIME, _ZONE))

# What a producer's session writes under other DateStyles (PostgreSQL manual, "Date/Time Output").
_STYLES = {
    "German": re.compile(rb"\d\d\.\d\d\.\d{4,}"),
    "SQL": re.compile(rb"\d\d/\d\d/\d{4,}"),
    "Postgres": re.compile(rb"\d\d-\d\d-\d{4,}|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) "),
}

_NUMBER = re.compile(rb"\d+(?:\.\d+)?")

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

_NAMES_OF_UTC = frozenset({b"Z", b"UTC", b"GMT"})
_OFFSET = re.compile(rb"([+-])(\d\d)(?::?(\d\d)(?::?(\d\d))?)?")
_FURTHEST = 16 * 3600
"""No zone is as many seconds from UTC (PostgreSQL, ``MAX_TZDISP_HOUR``)."""


@dataclass(frozen=True, slots=True)
class Written:
    """A time as it is written.

    Attributes:
        time: what PostgreSQL reads, without the fraction of a second.
        is_carried: it is written as another one: 24:00, or with a second 60, or PostgreSQL rounds it up into
            the next day.
        zone: what follows it; empty if nothing.
    """

    time: datetime
    is_carried: bool
    zone: bytes

    @property
    def offset(self) -> int | None:
        """By how many seconds it is before UTC; None if it does not tell; ValueError if not by a number."""
        if not self.zone:
            return None
        if self.zone.upper() in _NAMES_OF_UTC:
            return 0
        match = _OFFSET.fullmatch(self.zone)
        if match is None:
            raise ValueError(f"its zone {shown(self.zone)} is no offset")
        hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
        offset = hours * 3600 + minutes * 60 + seconds
        if minutes > 59 or seconds > 59 or offset >= _FURTHEST:
            raise ValueError(f"its offset {shown(self.zone)} is none")
        return -offset if match[1] == b"-" else offset


def read_time(value: bytes | None, order: str) -> Written:
    """Read a date or a time.

    Args:
        value: it as text; None is NULL.
        order: of the fields of dates that are not in ISO style; see `Styles`.

    Raises:
        ValueError: it is none in ISO style or that order, or not of the years 1 to 9999.
    """
    if value is None:
        raise ValueError("its partition value is NULL")
    patterns = (_ISO, *_ORDERED.get(order, ()))
    match = next((match for pattern in patterns if (match := pattern.fullmatch(value))), None)
    if match is None:
        raise ValueError(why_none(value))
    try:
        day = _date(match)
        hours, minutes, seconds, more = _clock(match["time"])
    except ValueError as error:
        raise ValueError(f"its partition value {shown(value)} is no date: {error}") from error
    if hours == 24 and (minutes or seconds or more):
        raise ValueError(why_none(value))
    try:
        time = EPOCH_TIME + (day - EPOCH_TIME.date()) + timedelta(0, seconds + more, 0, 0, minutes, hours)
    except OverflowError as error:
        raise ValueError(f"its partition value {shown(value)} is past the last day") from error
    is_carried = hours == 24 or seconds == 60 or time.date() != day
    return Written(time, is_carried, match["zone"] or b"")


def _date(match: re.Match[bytes]) -> date:
    """The date that was found; raises ValueError if there is no such day."""
    found = match.groupdict()
    month = _MONTHS.index(found["name"]) + 1 if found.get("name") else int(found["m"])
    return date(int(found["y"]), month, int(found["d"]))


def _clock(text: bytes | None) -> tuple[int, int, int, int]:
    """Hours, minutes and whole seconds, and one more if PostgreSQL rounds up to microseconds that make it."""
    hours, minutes, seconds = [*(text or b"0:0").split(b":"), b"0"][:3]
    whole, _, fraction = seconds.partition(b".")
    return int(hours), int(minutes), int(whole), round(float(b"0." + fraction + b"0") * 1e6) // 1_000_000


def shown(value: bytes) -> str:
    """The beginning of a value, for a message."""
    return repr(value[:40].decode("utf-8", "backslashreplace"))


def why_none(value: bytes) -> str:
    """Why a value is not read as a date."""
    for name, pattern in _STYLES.items():
        if pattern.match(value):
            return (
                f"its partition value {shown(value)} is in DateStyle {name}, in which the source's database "
                "does not write; date_style says how to read it"
            )
    remedy = "; part_epoch says what a number counts" if _NUMBER.fullmatch(value) else ""
    return f"its partition value {shown(value)} is no date in ISO style{remedy}"
