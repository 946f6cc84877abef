"""What list partitions are called."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from tdsup.dispatcher.partitions import Partitioning
from tdsup.dispatcher.partitions.branches import names_of
from tdsup.dispatcher.postgres import TableName


def with_parts(value: str | None) -> st.SearchStrategy[str | None]:
    """A value, or a part of what it is called otherwise."""
    name = names_of(TableName("s", "t"), value)[1].table.removeprefix("t_")
    return st.sampled_from([value, name, *name.split("_")])


VALUES = st.one_of(
    st.none(),
    st.text(max_size=30),
    st.text("aA_1 2'é", max_size=4),
    st.sampled_from(["null", "NULL", "default", "2026", "2026_11_24", "eu", "x" * 24, "x" * 25]),
).flatmap(with_parts)

PARENTS = st.sampled_from(["t", "t_eu", "Größe", "x" * 40, "x" * 63])

PLACES = st.tuples(st.lists(VALUES, min_size=1, max_size=2), st.sampled_from([None, date(2026, 11, 24)]))


def table_of(parent: str, values: list[str | None], day: date | None) -> TableName:
    """The list partition of some values, or its partition of a day."""
    table = TableName("s", parent)
    for value in values:
        table = names_of(table, value)[0]
    return table if day is None else Partitioning(table, "day", "daily", "").naming.table(day)


@given(PARENTS, PLACES, PLACES)
def test_names_tell_values_apart(
    parent: str, one: tuple[list[str | None], date | None], other: tuple[list[str | None], date | None]
) -> None:
    """Two places of one table have two names, which PostgreSQL keeps whole and anybody can write."""
    first, second = table_of(parent, *one), table_of(parent, *other)
    assert (first == second) == (one == other)
    assert first.fits
    assert first.table.startswith(parent[:20])
    assert first.table[len(parent[:20]) :].replace("_", "").isalnum()


@given(PARENTS, VALUES)
def test_a_second_name(parent: str, value: str | None) -> None:
    """It is another one, unless the first has a digest already."""
    plain, long = names_of(TableName("s", parent), value)
    assert long.fits
    if value is None or value in {"eu", "2026"}:
        assert plain != long
