"""Folds of a table with four columns, one of which is its key."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tdsup.dispatcher.events import _fold
from tdsup.dispatcher.events.folded import (
    NO_MARK,
    NOT_PARTITIONED,
    OF_PREFIX,
    Act,
    Deed,
    Description,
    Group,
    Prefix,
)
from tdsup.dispatcher.events.moment import LOCAL, Dial, second_of
from tdsup.dispatcher.events.purefold import PureFold
from tdsup.dispatcher.events.scan import Writing

FOLDS = pytest.mark.parametrize("make", [_fold.Fold, PureFold], ids=["compiled", "pure"])
Make = Callable[[Description], "_fold.Fold | PureFold"]

COLUMNS = (
    (b"id", b"id", b"id"),
    (b"day", b"day", b'"day"'),
    (b"no%74e", b"note", b"note"),
    (b"x", b"x", b"x"),
)

PREFIXES = (
    Prefix(b"I:id", b"public.t", Deed.INSERT, Writing.URLENCODED),
    Prefix(b"U:id", b"public.t", Deed.UPDATE, Writing.URLENCODED),
    Prefix(b"D:id", b"public.t", Deed.DELETE, Writing.URLENCODED),
    Prefix(b"jI", b"public.t", Deed.INSERT, Writing.JSON),
    Prefix(b"jU", b"public.t", Deed.UPDATE, Writing.JSON),
    Prefix(b"jD", b"public.t", Deed.DELETE, Writing.JSON),
    Prefix(b"I", b"public.t", Deed.INSERT, Writing.VALUES),
    Prefix(b"U", b"public.t", Deed.UPDATE, Writing.CHANGES),
    Prefix(b"D", b"public.t", Deed.DELETE, Writing.CONDITIONS),
    Prefix(b"own", b"public.t", Deed.INSERT, Writing.EITHER),
    Prefix(b"I:id", b"public.ignored", Deed.NOTHING, Writing.URLENCODED),
    Prefix(b"jI", b"public.ignored", Deed.NOTHING, Writing.JSON),
    Prefix(b"pgq.x", b"\\N", Deed.NOTHING, Writing.UNREAD),
)

GIVEN = (OF_PREFIX, 0, OF_PREFIX, 1)
"""Columns that are not of the data: two of the prefix, and two fields."""

DAYS = (b"2026-11-24", b"2026-11-25", b"2024-02-29")
"""Days whose periods have the numbers 1, 2 and 3."""


def description(**changes: object) -> Description:
    """Of a table with a key of one column."""
    plain = Description(2, PREFIXES, COLUMNS, (True,) * 4, (0,), NOT_PARTITIONED, 1, replaces=True)
    return plain._replace(**changes)  # type: ignore[arg-type]


def with_given(described: Description, given: tuple[int, ...] = GIVEN, mark: int = NO_MARK) -> Description:
    """The same with given columns, one of which perhaps says when a row was deleted."""
    more = len(given)
    of_prefix = given.count(OF_PREFIX)
    return described._replace(
        prefixes=tuple(each._replace(given=(each.type, b"\\N")[:of_prefix]) for each in described.prefixes),
        columns=((b"", b"", b""),) * more + described.columns,
        loaded=(True,) * more + described.loaded,
        key=tuple(number + more for number in described.key),
        part=described.part + more if described.part >= 0 else described.part,
        given=given,
        mark=mark,
        sifted=tuple(number + more for number in described.sifted),
        masked=tuple(number + more for number in described.masked),
    )


def made(make: Make, description: Description) -> _fold.Fold | PureFold:
    """A fold that takes some days."""
    fold = make(description)
    for number, day in enumerate(DAYS, 1):
        allow(fold, day, number)
    return fold


def allow(fold: _fold.Fold | PureFold, day: bytes, number: int, *, rows: bool = True) -> None:
    """Let a fold take a day, as it is written and as UTC has it."""
    start = second_of(day, Dial.WRITTEN)
    assert start is not None
    for first in (start, start - LOCAL):
        fold.allow(first, first + 86400, number, rows)


def told(fold: _fold.Fold | PureFold) -> dict[Group, bytes]:
    """All that a fold tells, each group with its text; the columns in reverse where they may be."""
    groups = [Group(*group) for group in fold.groups()]
    return {
        Group(Act(group.act), *group[1:]): fold.text(number, group.columns[:: -1 if number % 2 else 1])
        for number, group in enumerate(groups)
    }
