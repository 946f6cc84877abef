"""Shapes: rows of one kind of change, one partition and the same columns share a writer."""

from __future__ import annotations

from dataclasses import dataclass

from ..partitions import Period
from ..write import Delete, Insert, Mark, Patch, Replace

Kind = type[Insert | Replace | Patch | Mark | Delete]
"""What is done to rows: the class of what does it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What rows must have in common to share a writer.

    Attributes:
        kind: what is done to them.
        period: the partition's; None if there is none, or it is not known.
        names: source names of the columns that are loaded.
        key: source names of the key's columns, if rows are found by them.
        rekeys: the key itself changes.
        leaves: an update removes them, as ``where`` leaves out what they have become.
    """

    kind: Kind
    period: Period | None
    names: tuple[bytes, ...]
    key: tuple[bytes, ...] = ()
    rekeys: bool = False
    leaves: bool = False
