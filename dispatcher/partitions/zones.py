"""Time zones: what clocks there show at a moment, and when they show a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from ..postgres import nearest

EPOCH_TIME = datetime(1970, 1, 1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST = 100
"""Characters of a name for which a like one is looked for."""

_STEP = 6 * 3600
"""Seconds: no zone has changed its clocks and changed them back within so short a time."""

_UTC = frozenset({"UTC", "Etc/UTC", "GMT", "Etc/GMT", "Z", "Zulu", "UCT", "Universal"})
"""Names of UTC, which needs no file."""


def seconds_of(local: datetime) -> int:
    """The seconds from 1970 on to a time, as if clocks had never been changed."""
    return (local - EPOCH_TIME) // timedelta(seconds=1)


class Zone:
    """A time zone. Moments are seconds since 1970; times are those that clocks there show.

    Args:
        name: of the tz database, as PostgreSQL and the host have it.

    Raises:
        ValueError: the host has no such zone, and what to do.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._info = UTC if name in _UTC else _find(name)

    def offset(self, moment: int) -> int:
        """By how many seconds clocks are before UTC; raises OverflowError outside of the years 1 to 9999."""
        return _seconds((_EPOCH + timedelta(seconds=moment)).astimezone(self._info).utcoffset())

    def local(self, moment: int) -> datetime:
        """What clocks show; raises OverflowError outside of the years 1 to 9999."""
        return EPOCH_TIME + timedelta(seconds=moment + self.offset(moment))

    def first(self, local: datetime) -> int:
        """The first moment at which clocks show a time; if they leave it out, that at which they do so.

        Raises:
            OverflowError: it is outside of the years 1 to 9999.
        """
        second = seconds_of(local)
        before, after = (_seconds(local.replace(tzinfo=self._info, fold=fold).utcoffset()) for fold in (0, 1))
        moment = second - before
        if self.offset(moment) == before:
            return moment
        return self._change(second - after, moment)

    def stretch(self, moment: int, low: int, high: int) -> tuple[int, int]:
        """The seconds about a moment, of those from `low` up to `high`, during which no clock is changed."""
        offset = self.offset(moment)
        start = end = moment
        while start > low and self.offset(max(low, start - _STEP)) == offset:
            start = max(low, start - _STEP)
        if start > low:
            start = self._change(max(low, start - _STEP), start)
        while end < high and self.offset(min(high, end + _STEP)) == offset:
            end = min(high, end + _STEP)
        if end < high:
            end = self._change(end, min(high, end + _STEP))
        return start, end

    def _change(self, low: int, high: int) -> int:
        """The first second after `low` that has the offset of `high`; that of `low` is another."""
        offset = self.offset(high)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.offset(middle) == offset else (middle, high)
        return high


@lru_cache
def _find(name: str) -> tzinfo:
    """A zone of the host."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        known = available_timezones()
    if not known:
        raise ValueError("names a time zone, and this host has no files of them; install its package tzdata")
    near = nearest(name[:LONGEST], known)
    meant = f"; did you mean {near}?" if near else ""
    raise ValueError(f"must be a time zone of the tz database, such as Europe/Tallinn{meant}")


def _seconds(offset: timedelta | None) -> int:
    assert offset is not None, "a zone of the tz database has one at any time"
    return offset // timedelta(seconds=1)
