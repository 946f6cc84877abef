"""Conditions of ``where`` say of a row what PostgreSQL says."""

from __future__ import annotations

from dataclasses import dataclass

from harness.servers.database import Database
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tdsup.dispatcher.sieve import Sieve, read_condition

TEXTS = st.sampled_from(["", "a", "A", "ab", "é", "€", "😀", "it's", "null", "10", "9", "2026-11-24"])
NUMBERS = st.sampled_from(["0", "-1", "7", "7.0", "10", "1e2", "-0.5", "12345678901234567890", "1e-20"])
VALUES = {
    "s": TEXTS,
    "n": st.one_of(NUMBERS, st.sampled_from(["NaN", "Infinity", "-Infinity"])),
    "b": st.sampled_from(["true", "false"]),
}
"""Of a column of text, one of numbers and one of booleans."""


@dataclass(frozen=True)
class Both:
    """A condition as ours and as SQL."""

    ours: str
    sql: str


def constant(column: str, value: str) -> Both:
    """To compare a column with."""
    quoted = "'" + value.replace("'", "''") + "'"
    if column == "s":
        return Both(quoted, quoted)
    return Both(value, f"{quoted}::{'numeric' if column == 'n' else 'boolean'}")


@st.composite
def relations(draw: st.DrawFn) -> Both:
    """One column and constants."""
    column = draw(st.sampled_from("snb"))
    constants = {"s": TEXTS, "n": NUMBERS, "b": VALUES["b"]}[column]
    kind = draw(st.sampled_from(["compare", "compare", "in", "null"]))
    maybe = draw(st.sampled_from(["", "not "]))
    if kind == "null":
        return Both(f"{column} is {maybe}null", f"{column} is {maybe}null")
    if kind == "in":
        listed = [constant(column, value) for value in draw(st.lists(constants, min_size=1, max_size=3))]
        ours, sql = (", ".join(getattr(each, way) for each in listed) for way in ("ours", "sql"))
        return Both(f"{column} {maybe}in ({ours})", f"{column} {maybe}in ({sql})")
    sign = draw(st.sampled_from(["=", "!=", "<>"] if column == "b" else ["=", "!=", "<", "<=", ">", ">="]))
    found = constant(column, draw(constants))
    return Both(f"{column} {sign} {found.ours}", f"{column} {sign} {found.sql}")


def joined(parts: st.SearchStrategy[Both]) -> st.SearchStrategy[Both]:
    """Conditions of conditions."""
    return st.one_of(
        st.builds(lambda one: Both(f"not {one.ours}", f"not {one.sql}"), parts),
        st.builds(lambda one: Both(f"({one.ours})", f"({one.sql})"), parts),
        st.builds(
            lambda one, word, two: Both(f"{one.ours} {word} {two.ours}", f"{one.sql} {word} {two.sql}"),
            parts,
            st.sampled_from(["and", "or"]),
            parts,
        ),
    )


ROWS = st.fixed_dictionaries({name: st.one_of(st.none(), values) for name, values in VALUES.items()})


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(conditions=st.recursive(relations(), joined, max_leaves=6), row=ROWS)
def test_rows_match_as_in_sql(target: Database, conditions: Both, row: dict[str, str | None]) -> None:
    """With text by code point, numbers and booleans, whichever of them are NULL."""
    wanted = target.value(
        f"select coalesce({conditions.sql}, false) "
        'from (values (%s::text collate "C", %s::numeric, %s::boolean)) v (s, n, b)',
        *(row[name] for name in VALUES),
    )
    sieve = Sieve(read_condition(conditions.ours))
    values = {name.encode(): None if value is None else value.encode() for name, value in row.items()}
    assert sieve.passes(values) is wanted
