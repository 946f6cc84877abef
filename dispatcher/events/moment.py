"""The moment of a value as a trigger writes it, where that is beyond doubt."""

from __future__ import annotations

import re
from datetime import date
from enum import IntEnum
from functools import lru_cache

MAX_MOMENT = 64
"""Bytes of a value; longer ones tell no moment."""

LOCAL = 1 << 40
"""Added to the seconds of a time that names no zone: they never meet those of a moment."""

# Part of what period.py takes for a date: what PostgreSQL writes in DateStyle ISO.
_MOMENT = re.compile(
    rb"(\d{4}-\d\d-\d\d)"
    rb"(?:[ T]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d+))?)?(?:([+-])([0-9:]+))?)?"
)
_OFFSET = re.compile(rb"(0\d|1[0-5])(?::([0-5]\d)(?::([0-5]\d))?)?")
_NUMBER = re.compile(rb"(-?)(\d{1,15})(?:\.(\d+))?")
_FIRST = date(1, 1, 1).toordinal()
_EPOCH = date(1970, 1, 1).toordinal()
_DAY = 86400
_SURE = range((_FIRST - _EPOCH) * _DAY, (date(9999, 1, 1).toordinal() - _EPOCH) * _DAY)
"""Seconds since 1970 of the years 1 to 9998."""


class Dial(IntEnum):
    """How a value tells its moment."""

    WRITTEN = 0
    """It is a time as it is written, whatever zone follows."""
    ZONED = 1
    """It is a moment, if an offset follows; else a time."""
    SECONDS = 2
    """It is a number of seconds since 1970, perhaps with a fraction."""
    MILLISECONDS = 3
    """The same in milliseconds."""


def second_of(value: bytes, dial: Dial) -> int | None:
    """The whole second of a value, since 1970; None if the row path has to look at it.

    Of a time that names no zone, or whose zone is of no matter, it is as in UTC, with `LOCAL` added.
    """
    if len(value) > MAX_MOMENT:
        return None
    if dial >= Dial.SECONDS:
        return _count(value, 1000 if dial == Dial.MILLISECONDS else 1)
    if (match := _MOMENT.fullmatch(value)) is None:
        return None
    day, hour, minute, second, fraction, sign, offset = match.groups()
    at = _midnight(day)
    if at is None:
        return None
    if hour:
        at += int(hour) * 3600 + int(minute) * 60 + int(second or 0)
        if fraction and len(fraction) > 6 and _may_round_up(dial, at):
            return None
    if dial == Dial.WRITTEN or not sign:
        return at + LOCAL
    ahead = _OFFSET.fullmatch(offset)
    if ahead is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in ahead.groups())
    distance = hours * 3600 + minutes * 60 + seconds
    return at + distance if sign == b"-" else at - distance


@lru_cache(4096)
def _midnight(day: bytes) -> int | None:
    """The first second of a day, as of UTC; None if there is no such day, or it is not sure."""
    try:
        at = (date(*map(int, day.split(b"-"))).toordinal() - _EPOCH) * _DAY
    except ValueError:
        return None
    return at if at in _SURE else None


def _may_round_up(dial: Dial, at: int) -> bool:
    """Whether a fraction of more than six digits may belong to the next second, and that matters."""
    return dial != Dial.WRITTEN or at % 3600 == 3599


def _count(value: bytes, unit: int) -> int | None:
    if (match := _NUMBER.fullmatch(value)) is None:
        return None
    sign, digits, fraction = match.groups()
    count = int(digits)
    if sign:
        count = -count - bool((fraction or b"").strip(b"0"))
    at = count // unit
    return at if at in _SURE else None
