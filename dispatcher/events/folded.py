"""What a fold takes and what comes out of it; `Fold` itself is in fold.py."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from types import EllipsisType
from typing import NamedTuple

from .moment import Dial
from .scan import Writing

NOT_PARTITIONED = -1
"""Rows are not partitioned."""

BY_EVENT_TIME = -2
"""Rows are partitioned by the event's time."""

MAX_GROUPS = 256
"""Sets of columns of one fold; one more ends a call."""

MAX_PERIODS = 1 << 14
"""Periods of one fold: their numbers are less."""


OF_PREFIX = -1
"""A given column is the same in all rows of a prefix."""

NO_MARK = -1
"""Rows are removed."""


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
    MARK = 3
    """Say when it was deleted, in given columns; the event is ignored if it is not there."""
    DELETE = 4
    """Remove it; the event is ignored if it is not there."""
    REMOVE = 5
    """Remove it, if it is there."""
    REMOVE_PRESENT = 6
    """Remove it; it is there."""
    FIND_ABSENT = 7
    """It was not there, and is not there now."""
    LEAVE = 8
    """Remove it, as an update leaves it out; the event is ignored if it is not there."""


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


Some = tuple[bytes | EllipsisType | None, ...]
"""Values of some columns: None for NULL and ``...`` for what is absent."""

Sift = Callable[[Some], bool | None]
"""Tells whether a row is loaded; None if the line is strange."""

MaskValues = Callable[[Some], Some | None]
"""Gives masked values; None if the line is strange."""


class Prefix(NamedTuple):
    """Events of one type and table, as they stand in a line.

    Attributes:
        type: ``ev_type``.
        table: ``ev_extra1``.
        deed: what they do.
        writing: how their rows are written.
        given: COPY text of the columns that `Description.given` says all these rows have in common.
    """

    type: bytes
    table: bytes
    deed: Deed
    writing: Writing
    given: tuple[bytes, ...] = ()


class Description(NamedTuple):
    """What lines are like.

    Attributes:
        first: number of the field of a line that holds ``ev_type``; ``ev_data``, ``ev_extra1`` and perhaps
            ``ev_extra2`` follow. The second field is ``ev_time`` with `BY_EVENT_TIME`.
        prefixes: of lines that are taken.
        columns: names of each column in each of the `SPELLINGS`; empty where it is not known. Given ones come
            first, and have no names.
        loaded: whether each is loaded; given ones are.
        key: numbers of the columns that name a row, which are loaded; empty: rows are only added.
        part: number of the column that tells the period, or `NOT_PARTITIONED`, or `BY_EVENT_TIME`.
        least: of the columns of its data that a whole row has loaded.
        replaces: a row that is removed and added may be so in one fold; else such a line needs an empty one.
        given: of each column that is not of the data, the number of the field that holds it (before `first`),
            or `OF_PREFIX`.
        dial: how the time of a row is read.
        sifted: numbers of the columns that `sift` looks at.
        sift: tells whether a row is loaded after an insert or update, by these values; None: all are.
        masked: numbers of the columns that `mask` masks, before all else; a whole row has them.
        mask: gives values in place of these; None: nothing is masked.
        apart: a row has a state in each period, and a line is about that of its own: one that tells no period
            is strange, and one of another period than the row's last needs an empty fold.
        mark: number of the given column that says when a row was deleted, which stays; it is NULL unless a
            line deletes. Not with `sift`. `NO_MARK`: rows are removed.
    """

    first: int
    prefixes: tuple[Prefix, ...]
    columns: tuple[tuple[bytes, ...], ...]
    loaded: tuple[bool, ...]
    key: tuple[int, ...]
    part: int
    least: int
    replaces: bool
    given: tuple[int, ...] = ()
    dial: Dial = Dial.WRITTEN
    sifted: tuple[int, ...] = ()
    sift: Sift | None = None
    masked: tuple[int, ...] = ()
    mask: MaskValues | None = None
    apart: bool = False
    mark: int = NO_MARK


class Group(NamedTuple):
    """Rows that have the same done to them.

    Attributes:
        act: what is done.
        period: number of the partition's; 0: there is none, or it is not known.
        columns: numbers of those that rows have, in order; of rows that go, those of the key.
        size: how many.
    """

    act: Act
    period: int
    columns: tuple[int, ...]
    size: int
