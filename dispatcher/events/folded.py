"""What a fold takes and what comes out of it; `Fold` itself is in fold.py."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from .scan import Writing

NOT_PARTITIONED = -1
"""Rows are not partitioned."""

BY_EVENT_TIME = -2
"""Rows are partitioned by the event's time."""

MAX_GROUPS = 256
"""Days of one fold, and sets of columns; one more ends a call."""


class Deed(IntEnum):
    """What an event does to the row that it names."""

    NOTHING = 0
    INSERT = 1
    UPDATE = 2
    DELETE = 3


class Act(IntEnum):
    """What some events together do to a row."""

    INSERT = 0
    """Add it; it is not there."""
    REPLACE = 1
    """Bring it up to date, wherever it is, or add it."""
    PATCH = 2
    """Change some columns of it; it is there."""
    DELETE = 3
    """Remove it; the event is ignored if it is not there."""
    REMOVE = 4
    """Remove it, if it is there."""
    REMOVE_PRESENT = 5
    """Remove it; it is there."""
    FIND_ABSENT = 6
    """It was not there, and is not there now."""


class Stop(IntEnum):
    """Why a call took no more lines."""

    ALL = 0
    """There are no more."""
    STRANGE = 1
    """The next line is not as described."""
    FULL = 2
    """The next line needs an empty fold."""
    BAD = 3
    """The next line has no row: its key is there already, or is not there."""


class Prefix(NamedTuple):
    """Events of one type and table, as they stand in a line."""

    type: bytes
    table: bytes
    deed: Deed
    writing: Writing


class Description(NamedTuple):
    """What lines are like.

    Attributes:
        first: number of the field of a line that holds ``ev_type``; ``ev_data``, ``ev_extra1`` and perhaps
            ``ev_extra2`` follow. The second field is ``ev_time`` with `BY_EVENT_TIME`.
        prefixes: of lines that are taken.
        columns: names of each column in each of the `SPELLINGS`; empty where it is not known.
        loaded: whether each is loaded.
        key: numbers of the columns that name a row, which are loaded; empty: rows are only added.
        part: number of the column that tells the day, or `NOT_PARTITIONED`, or `BY_EVENT_TIME`.
        least: of these columns that a whole row has.
        replaces: a row that is removed and added may be so in one fold; else such a line needs an empty one.
    """

    first: int
    prefixes: tuple[Prefix, ...]
    columns: tuple[tuple[bytes, ...], ...]
    loaded: tuple[bool, ...]
    key: tuple[int, ...]
    part: int
    least: int
    replaces: bool


class Group(NamedTuple):
    """Rows that have the same done to them.

    Attributes:
        act: what is done.
        day: of the partition, ``YYYY-MM-DD``; empty: there is none, or it is not known.
        columns: numbers of those that rows have, in order; of rows that go, those of the key.
        size: how many.
    """

    act: Act
    day: bytes
    columns: tuple[int, ...]
    size: int
