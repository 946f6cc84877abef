"""The words of part_template."""

from __future__ import annotations

import pytest
from tdsup.dispatcher.partitions.making.template import Facts, expand, refuse_strange_words
from tdsup.dispatcher.postgres.identifier import TableName

TABLE = TableName("public", "orders_2026_11_24")
PARENT = TableName("public", "orders")


@pytest.mark.parametrize(
    ("template", "sql"),
    [
        ("create table _DEST_TABLE ()", "create table public.orders_2026_11_24 ()"),
        ("constraint _DEST_TABLE_pkey primary", "constraint orders_2026_11_24_pkey primary"),
        ("index _SCHEMA_TABLE_idx on", "index public__orders_2026_11_24_idx on"),
        ("index idx_SCHEMA_TABLE on", "index idxpublic__orders_2026_11_24 on"),
        ("index _SCHEMA_TABLE on", "index public__orders_2026_11_24 on"),
        ("index Idx_SCHEMA_TABLE_Day on", "index Idxpublic__orders_2026_11_24_Day on"),
        ('index "Idx_SCHEMA_TABLE" on', 'index "Idxpublic__orders_2026_11_24" on'),
        ("constraint Pk_DEST_TABLE", "constraint Pkorders_2026_11_24"),
        ("inherits (_PARENT)", "inherits (public.orders)"),
        ("primary key (_PKEY)", "primary key (id, \"Line\")"),
        ('constraint "_DEST_TABLE_pkey"', 'constraint "orders_2026_11_24_pkey"'),
        ("f('_DEST_TABLE')", "f('public.orders_2026_11_24')"),
        ("100% like_this stays", "100% like_this stays"),
    ],
)  # fmt: skip
def test_words_are_replaced(template: str, sql: str) -> None:
    """A word on its own is the thing; a word within a longer one is part of a new name."""
    assert expand(template, Facts(TABLE, PARENT, ("id", "Line"))) == sql


@pytest.mark.parametrize(
    ("dest_table", "name"),
    [
        ("orders", "orders_2026"),
        ("public.orders", "public__orders_2026"),
        ("Orders", "Orders_2026"),
        ('"my orders"', '"my orders_2026"'),
        ("archive.Orders", "archive__Orders_2026"),
    ],
)
def test_a_name_without_a_schema_gets_none(dest_table: str, name: str) -> None:
    """As with the original, so that the names of indexes do not outgrow 63 bytes."""
    table = TableName.parse(dest_table).with_suffix("2026")
    assert expand("index _SCHEMA_TABLE on", Facts(table, PARENT)) == f"index {name} on"


def test_names_are_quoted_where_needed() -> None:
    """Upper case and dots within a name do not change which table is meant."""
    table = TableName("My Schema", "Or.ders_2026_11")
    sql = expand("create table _DEST_TABLE (); index _DEST_TABLE_pkey", Facts(table, PARENT))
    assert sql == 'create table "My Schema"."Or.ders_2026_11" (); index "Or.ders_2026_11_pkey"'


def test_missing_key_is_an_error() -> None:
    """A template that contains _PKEY never gets an empty list."""
    with pytest.raises(ValueError, match="has no primary key"):
        expand("primary key (_PKEY)", Facts(TABLE, PARENT))


FACTS = Facts(TABLE, PARENT, ("id", "Line"), "Day", "2026-11-24 00:00:00", "day")


@pytest.mark.parametrize(
    ("template", "sql"),
    [
        ("create table %(dest)s ()", "create table public.orders_2026_11_24 ()"),
        ("create table %(part)s ()", "create table public.orders_2026_11_24 ()"),
        ("inherits (%(parent)s)", "inherits (public.orders)"),
        ("primary key (%(pkeys)s)", 'primary key (id, "Line")'),
        ("index %(schema_table)s_idx on", "index public__orders_2026_11_24_idx on"),
        ('index "X%(part)s" on', 'index "Xorders_2026_11_24" on'),
        ("check (%(part_field)s >= '%(part_time)s')", "check (\"Day\" >= '2026-11-24 00:00:00')"),
        ("f('%(period)s')", "f('day')"),
        ("f(%(part)s, 7 %% 2, 7 % 2)", "f(public.orders_2026_11_24, 7 % 2, 7 % 2)"),
        ("f(_DEST_TABLE, '%%')", "f(public.orders_2026_11_24, '%%')"),
    ],
)
def test_words_of_londiste_are_replaced(template: str, sql: str) -> None:
    """Beside the original's; only in a text that has one of them a doubled percent sign is one."""
    assert expand(template, FACTS) == sql


def test_a_word_that_does_not_exist_is_refused() -> None:
    """With the nearest one that does; a percent sign before a bracket is no word."""
    with pytest.raises(ValueError, match=r"no word %\(parnt\)s, which .* \(did you mean parent\?"):
        refuse_strange_words("comment on table %(parnt)s is ''")
    text = "select 7 %(3), '%%(parnt)s', %(part)s"
    assert refuse_strange_words(text) == text


def test_a_time_without_a_column_is_an_error() -> None:
    """Where rows are of their event's time, a column cannot be named."""
    with pytest.raises(ValueError, match=r"post_part says %\(part_field\)s, but no column"):
        expand("check (%(part_field)s > 1)", Facts(TABLE, PARENT), "post_part")
