"""What partitions are called."""

from __future__ import annotations

import re
from datetime import date
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tdsup.dispatcher.partitions.naming import Method, Naming, check_template
from tdsup.dispatcher.partitions.period import period_of
from tdsup.dispatcher.postgres import TableName
from tdsup.dispatcher.postgres.identifier import MAX_BYTES, shortened

METHODS = get_args(Method)
WORDS = [f"%({word})s" for word in "parent year quarter month week day hour".split()]
PIECES = st.one_of(st.sampled_from(WORDS), st.sampled_from(["_", ".", "é", "w", "(", "\\1", "0"]))


@given(
    st.lists(PIECES, max_size=12).map("".join),
    st.sampled_from(METHODS),
    st.text("oé_€.", min_size=1, max_size=70),
    st.dates(date(1, 1, 8), date(9998, 1, 1)),
    st.dates(date(1, 1, 8), date(9998, 1, 1)),
)
@example("%(parent)s%(year)s%(month)s%(year)s0", "monthly", "t", date(2026, 1, 1), date(2026, 2, 1))
def test_a_template_that_is_taken_tells_periods_apart(
    template: str, method: Method, parent: str, one: date, other: date
) -> None:
    """Two periods have two names, which fit, are found by the pattern and are put in order by their texts."""
    try:
        check_template(template, method)
    except ValueError:
        template = ""
    naming = Naming(TableName("s", parent), method, template)
    first, second = (period_of(day.isoformat().encode(), method) for day in (one, other))
    names = [naming.table(period.start).table for period in (first, second)]
    assert (names[0] == names[1]) == (first == second)
    expand = re.sub(r"\\(\d)", r"\\g<\1>", naming.order)
    for name, period in zip(names, (first, second), strict=True):
        is_whole = parent in name
        assert len(name.encode()) <= MAX_BYTES - (0 if is_whole else len("_pkey"))
        match = re.fullmatch(naming.pattern, name)
        assert match is not None
        assert match.expand(expand) == naming.order_of(period.start)
    orders = [naming.order_of(period.start) for period in (first, second)]
    assert (orders[0] < orders[1]) == (first.start < second.start)


@pytest.mark.parametrize(
    ("template", "method", "reason"),
    [
        (
            "%(parent)s_%(year)s_%(month)s",
            "daily",
            r"must have %\(year\)s and %\(month\)s and %\(day\)s",
        ),
        ("%(parent)s_%(month)s", "monthly", "tell partitions apart"),
        ("%(parent)s_%(year)s", "weekly", r"%\(week\)s or %\(year\)s and %\(month\)s and %\(day\)s, to tell"),
        ("%(year)s_%(month)s", "monthly", r"must have %\(parent\)s"),
        ("%(parent)s_%(minute)s", "monthly", r"not %\(minute\)s"),
        ("%(parent)s_%Y_%(year)s", "yearly", "no % but those of its words"),
        ("%(parent)s_%(year)s" + "x" * 50, "yearly", "must be shorter"),
    ],
)
def test_a_template_that_does_not_tell_is_refused(template: str, method: Method, reason: str) -> None:
    """With what it must be like."""
    with pytest.raises(ValueError, match=reason):
        check_template(template, method)


TEXT = st.text(st.characters(codec="utf-8"), max_size=100)


@given(TEXT, TEXT)
def test_shortened_names_do_not_collide(one: str, other: str) -> None:
    """A name that fits stays; another is cut at a character, and two names never become one."""
    beginning = "long" * 15
    for name in (one, beginning + one):
        short = shortened(name)
        assert len(short.encode()) <= MAX_BYTES
        assert short == name or len(name.encode()) > MAX_BYTES
    assert (shortened(beginning + one) == shortened(beginning + other)) == (one == other)


def test_a_table_may_be_called_as_a_word() -> None:
    """Its name is no template."""
    parent = TableName("public", "%(year)s %s %(x)s")
    assert Naming(parent, "yearly").table(date(2026, 1, 1)).table == "%(year)s %s %(x)s_2026"
