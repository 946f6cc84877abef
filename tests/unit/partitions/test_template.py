"""The words of part_template."""

from __future__ import annotations

import pytest
from tdsup.dispatcher.partitions.making.template import Facts, expand
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
