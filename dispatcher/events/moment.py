"""The day of a value as a trigger writes it, where that is beyond doubt."""

from __future__ import annotations

import re
from calendar import monthrange

MAX_MOMENT = 64
"""Bytes of a value; longer ones name no day."""

# Part of what period.py takes for a date: what PostgreSQL writes in DateStyle ISO.
_MOMENT = re.compile(
    rb"(\d{4})-(\d\d)-(\d\d)"
    rb"(?:[ T](?!23:59:59\.\d{7})(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:[+-][0-9:]+)?)?"
)
_YEARS = range(1, 9999)


def day_of(moment: bytes) -> bytes | None:
    """The day of a partition value as it is written; None if the row path has to look at it."""
    if len(moment) > MAX_MOMENT or (match := _MOMENT.fullmatch(moment)) is None:
        return None
    year, month, day = map(int, match.groups())
    sound = year in _YEARS and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]
    return moment[:10] if sound else None
