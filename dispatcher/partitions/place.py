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
    """A table that is partitioned by the range of one date, time or number, and its partitions.

    Attributes:
        parent: the table.
        is_routed: PostgreSQL may read another time in a value than the one that tells its period: only it
            knows where a row goes.
        partitions: its partitions with their ranges, but for the default one.
        default: whether it has one.
    """

    parent: TableName
    is_routed: bool
    partitions: Sequence[tuple[TableName, Range]]
    default: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where rows of a period go.

    Attributes:
        table: the table to write to; None: a partition has to be made.
        gap: what that partition may hold.
        otherwise: the table to write to if it cannot be made; None: there is none.
        is_routed: see `Neighbours`.
        has_earlier: there is a partition that begins earlier.
        is_open: no partition is known to hold all of the period.
        near: the likeliest tables of rows that are to be found, if that is not known.
    """

    table: TableName | None
    gap: Range | None = None
    otherwise: TableName | None = None
    is_routed: bool = False
    has_earlier: bool = False
    is_open: bool = False
    near: tuple[TableName, ...] = ()


def place(period: Range, among: Neighbours) -> Place:
    """Find the place of a period.

    It is the partition that holds all of it. Where several hold it, PostgreSQL routes the rows. Else the
    first gap is to be filled.
    """
    overlapping = sorted(
        (found for found in among.partitions if found[1].start < period.end and period.start < found[1].end),
        key=lambda found: found[1].start,
    )
    if len(overlapping) == 1 and not among.is_routed:
        table, held = overlapping[0]
        if held.start <= period.start and period.end <= held.end:
            return Place(table)
    gap = _first_gap(period, [held for _, held in overlapping])
    if gap is None:
        return Place(among.parent, is_routed=among.is_routed)
    otherwise = among.parent if among.default else None
    has_earlier = any(held.start < period.start for _, held in among.partitions)
    return Place(None, gap, otherwise, among.is_routed, has_earlier, is_open=True)


def _first_gap(period: Range, held: Sequence[Range]) -> Range | None:
    """The first part of a period that no range holds; the ranges are in order."""
    start, text = period.start, period.start_text
    for each in held:
        if each.start > start:
            return Range(start, each.start, text, each.start_text)
        start, text = each.end, each.end_text
    return Range(start, period.end, text, period.end_text) if start < period.end else None
