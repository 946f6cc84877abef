"""Where rows of a period go among the partitions that there are."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from tdsup.dispatcher.partitions.place import Neighbours, Range, place
from tdsup.dispatcher.postgres.identifier import TableName

PARENT = TableName("public", "t")


def a_range(start: float, end: float) -> Range:
    """A range with its bounds as text."""
    return Range(start, end, str(start), str(end))


PARTITIONS = st.lists(st.integers(0, 30), unique=True, max_size=12).flatmap(
    lambda cuts: st.lists(st.booleans(), min_size=len(cuts), max_size=len(cuts)).map(
        lambda kept: [
            (TableName("public", f"t_{start}"), a_range(start, end))
            for (start, end), is_kept in zip(pairwise(sorted(cuts)), kept, strict=False)
            if is_kept
        ]
    )
)
"""Partitions that do not overlap, with gaps between some of them."""


@given(PARTITIONS, st.integers(0, 29), st.integers(1, 6), st.booleans(), st.booleans())
def test_each_moment_of_a_period_has_a_place(
    partitions: list[tuple[TableName, Range]], start: int, length: int, is_routed: bool, default: bool
) -> None:
    """One partition takes rows only if it holds all of the period; the first gap is held by nobody."""
    period = a_range(start, start + length)
    found = place(period, Neighbours(PARENT, is_routed, partitions, default))
    held = {moment for _, each in partitions for moment in range(int(each.start), int(each.end))}
    wanted = set(range(start, start + length))
    if found.gap is not None:
        gap = set(range(int(found.gap.start), int(found.gap.end)))
        assert found.table is None
        assert gap <= wanted - held
        assert min(wanted - held) in gap
        assert (found.gap.start_text, found.gap.end_text) == (str(found.gap.start), str(found.gap.end))
        assert found.otherwise == (PARENT if default else None)
    else:
        assert wanted <= held
    if found.table not in {None, PARENT}:
        assert not is_routed
        (own,) = (each for table, each in partitions if table == found.table)
        assert own.start <= period.start < period.end <= own.end
