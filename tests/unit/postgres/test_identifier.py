"""Names of tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tdsup.dispatcher.postgres.identifier import TableName, hint, nearest, quote

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)


@pytest.mark.parametrize(
    ("text", "schema", "table"),
    [
        ("orders", "public", "orders"),
        ("shop.orders", "shop", "orders"),
        ("Shop.Orders", "Shop", "Orders"),
        ('"my.shop"."a ""b"""', "my.shop", 'a "b"'),
        ('"a.b"', "public", "a.b"),
    ],
)
def test_reads_names(text: str, schema: str, table: str) -> None:
    """A bare name is in schema public, letters keep their case, and quotes may hold anything."""
    assert TableName.parse(text) == TableName(schema, table)


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a.b.c", "a b", '"a', 'a"b"', "a..b"])
def test_refuses_what_is_not_a_name(text: str) -> None:
    """Anything else is an error that says what a name looks like."""
    with pytest.raises(ValueError, match=r"must be table or schema\.table"):
        TableName.parse(text)


@given(NAMES, NAMES)
def test_sql_text_reads_back(schema: str, table: str) -> None:
    """The SQL text of a name, read again, is the name."""
    name = TableName(schema, table)
    assert TableName.parse(name.sql) == name


@pytest.mark.parametrize(
    ("name", "sql"), [("id", "id"), ("Id", '"Id"'), ("order", '"order"'), ('a"b', '"a""b"'), ("1a", '"1a"')]
)
def test_quotes_only_where_needed(name: str, sql: str) -> None:
    """Plain names stay bare; keywords, upper case and odd characters are quoted."""
    assert quote(name) == sql


@pytest.mark.parametrize(
    ("name", "known", "near"),
    [
        ("ordres", ["clicks", "orders"], "orders"),
        ("ORDERS", ["orders"], "orders"),
        ("orders", ["Order", "Orders"], "Orders"),
        ("payments", ["orders"], ""),
        ("orders", [], ""),
    ],
)
def test_a_mistyped_name_is_guessed(name: str, known: list[str], near: str) -> None:
    """By its letters, whatever their case; what is like none of the names is like nothing."""
    assert nearest(name, known) == near


def test_a_hint_names_what_there_is() -> None:
    """The nearest first, no more than eight, and nothing that a terminal would obey."""
    assert hint("q", []) == ""
    assert hint("ordres", ["clicks", "a\x1b[1m", "orders"]) == (
        r" (did you mean orders? there are: orders, a\x1b[1m, clicks)"
    )
    assert hint("none", [f"{n}" for n in range(10)]) == " (there are: 0, 1, 2, 3, 4, 5, 6, 7 and 2 more)"
