"""What lines of a partition's comment say; others in it are left alone.

They say its period, where neither bounds nor a CHECK tell it: its name does not tell it for ever, as
``part_method`` may be changed, and ``part_name`` stay. And they say what has begun or been done to it.
"""

from __future__ import annotations

import re
from datetime import date, datetime

from ...postgres import TableName
from ..period import Period

_RECORD = re.compile(r"^tdsup: rows from (\S+) to (\S+?)(?: \((-?\d+) to (-?\d+)\))?$", re.MULTILINE)


_DETACHED = re.compile(r"^tdsup: detached from ", re.MULTILINE)


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


def mark(parent: TableName, facts: str) -> str:
    """The line that says that a table is to be dropped once it is detached, even if a crash comes between.

    Args:
        parent: the table that it was a partition of.
        facts: what is to be known of it then; no `]` but at its end.
    """
    return f"tdsup drops this table {facts}, a former partition of {parent}"


def mark_pattern(parent: TableName | None = None) -> str:
    """A regular expression, of PostgreSQL and of Python, of comments with such a line; its group: the facts.

    Args:
        parent: the table; None: of any table.
    """
    named = rf"{re.escape(str(parent))}(?=\n|$)" if parent else ""
    return rf"(?:^|\n)tdsup drops this table (\[[^]]*\]), a former partition of {named}"


def detached(parent: TableName) -> str:
    """The line that says that a table is a partition no longer, and stays."""
    return f"tdsup: detached from {parent}"


def is_detached(comment: str) -> bool:
    """Whether a comment has such a line."""
    return _DETACHED.search(comment) is not None


def with_line(comment: str, line: str) -> str:
    """A comment with one more line, unless it has that."""
    return comment if line in comment.split("\n") else "\n".join(filter(None, [comment, line]))


def without_mark(comment: str, parent: TableName) -> str:
    """A comment without the line of `mark`."""
    # Each line is removed with what separates it from the one before.
    return re.sub(mark_pattern(parent), "", f"\n{comment}").removeprefix("\n")


def _bound(text: str) -> date:
    """A day or, with a time, an hour."""
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
