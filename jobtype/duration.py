"""Durations, as people are told them everywhere."""

from __future__ import annotations

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def duration(seconds: float) -> str:
    """Seconds as people say them, in at most two units."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = int(seconds)
    for unit, part, names in ((DAY, HOUR, "dh"), (HOUR, MINUTE, "hm"), (MINUTE, 1, "ms")):
        if whole >= unit:
            return f"{whole // unit}{names[0]}{whole % unit // part}{names[1]}"
    return f"{whole}s"
