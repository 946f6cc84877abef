"""The place of a period among the partitions that a natively partitioned table has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..postgres import TableName


@dataclass(frozen=True, slots=True)
class Range:
    """A half-open range of the partition key.

    Attributes:
        start: its lower bound, to be compared with other bounds of the same table.
        end: its upper bound.
        start_text: the lower bound as PostgreSQL writes it.
        end_text: the upper bound as PostgreSQL writes it.
    """

    start: float
    end: float
    start_text: str
    end_text: str


@dataclass(frozen=True, slots=True)
class Neighbours:
    """A table that is partitioned by the range of one date or time, and its partitions.

    Attributes:
        parent: the table.
        by_moment: its key is a timestamptz: the day that a value is written with does not tell where it goes.
        partitions: its partitions with their ranges, but for the default one.
        default: whether it has one.
    """

    parent: TableName
    by_moment: bool
    partitions: Sequence[tuple[TableName, Range]]
    default: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where rows of a period go.

    Attributes:
        table: the table to write to; None: a partition has to be made.
        gap: what that partition may hold.
        otherwise: the table to write to if it cannot be made; None: there is none.
        by_moment: see `Neighbours`.
        has_earlier: there is a partition that begins earlier.
    """

    table: TableName | None
    gap: Range | None = None
    otherwise: TableName | None = None
    by_moment: bool = False
    has_earlier: bool = False


def place(period: Range, among: Neighbours) -> Place:
    """Find the place of a period.

    It is the partition that holds all of it. Where several hold it, PostgreSQL routes the rows. Else the
    first gap is to be filled.
    """
    overlapping = sorted(
        (found for found in among.partitions if found[1].start < period.end and period.start < found[1].end),
        key=lambda found: found[1].start,
    )
    if len(overlapping) == 1 and not among.by_moment:
        table, held = overlapping[0]
        if held.start <= period.start and period.end <= held.end:
            return Place(table)
    gap = _first_gap(period, [held for _, held in overlapping])
    if gap is None:
        return Place(among.parent, by_moment=among.by_moment)
    otherwise = among.parent if among.default else None
    has_earlier = any(held.start < period.start for _, held in among.partitions)
    return Place(None, gap, otherwise, among.by_moment, has_earlier)


def _first_gap(period: Range, held: Sequence[Range]) -> Range | None:
    """The first part of a period that no range holds; the ranges are in order."""
    start, text = period.start, period.start_text
    for each in held:
        if each.start > start:
            return Range(start, each.start, text, each.start_text)
        start, text = each.end, each.end_text
    return Range(start, period.end, text, period.end_text) if start < period.end else None
