"""What the comment of a partition says of its period, where neither bounds nor a CHECK tell it.

Its name does not tell it for ever: ``part_method`` may be changed, and ``part_name`` stay.
"""

from __future__ import annotations

import re
from datetime import date, datetime

from ..period import Period

_RECORD = re.compile(r"^tdsup: rows from (\S+) to (\S+?)(?: \((-?\d+) to (-?\d+)\))?$", re.MULTILINE)


def recorded(period: Period) -> str:
    """The line of a comment that says which period a partition is made for, in seconds since 1970, too."""
    line = f"tdsup: rows from {period.start.isoformat()} to {period.end.isoformat()}"
    return line if period.since is None else f"{line} ({period.since} to {period.until})"


def read_record(comment: str | None) -> Period | None:
    """The period that a comment tells; None: it tells none."""
    found = _RECORD.search(comment or "")
    if found is None:
        return None
    start, end, since, until = found.groups()
    moments = () if since is None else (int(since), int(until))
    try:
        return Period(_bound(start), _bound(end), "", *moments)
    except ValueError:
        return None


def _bound(text: str) -> date:
    """A day or, with a time, an hour."""
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
