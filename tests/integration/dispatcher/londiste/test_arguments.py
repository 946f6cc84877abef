"""What a handler is told by its arguments, a job is told by its keys (docs/migrating.md)."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from harness.londiste.pair import COLUMNS, KEY, TABLES, Mode, Pair, rows
from harness.londiste.stories import Batch

KEYS = {"part_field": "created", "row_mode": "keep_latest"}

INSERTS = tuple(
    f"insert into orders values ({id_}, 'a', '2026-04-29 10:00:00', 'x', {id_})" for id_ in range(1, 5)
)

CHANGES = ("update orders set n = 9 where id = 1", "update orders set created = '2026-05-01' where id = 2")

STORY = (
    Batch("2026-04-28", INSERTS),
    Batch("2026-04-29", CHANGES),
    Batch("2026-04-30", ("delete from orders where id = 3",)),
)

TEMPLATE = "create table %(dest)s (like %(parent)s, primary key (%(pkeys)s))"

AFTER = "comment on table %(part)s is '%(schema_table)s %(part_field)s %(period)s'"


@pytest.mark.parametrize(
    ("arguments", "keys", "columns"),
    [
        ({"event_types": "I,U"}, {"event_types": "I, U"}, ["txt", "n"]),
        ({"event_types": "I"}, {"event_types": "I"}, ["txt", "n"]),
        ({"skip_fields": "txt"}, {"skip_fields": "txt"}, ["txt", "n"]),
        (
            {"fields": "id,kind,created,n:number"},
            {"fields": "id, kind, created, n:number"},
            ["id", "created", "number"],
        ),
        (
            {"part_name": "%(parent)s_%(year)s%(month)s%(day)s"},
            {"part_name": "%(parent)s_%(year)s%(month)s%(day)s"},
            ["n"],
        ),
        ({"part_template": TEMPLATE}, {"part_template": TEMPLATE}, ["n"]),
        ({"post_part": AFTER}, {"post_part": AFTER, "dest_table": "public.orders"}, ["n"]),
        ({"pre_part": "delete from orders"}, {"pre_part": "delete from orders"}, ["n"]),
        ({"row_mode": "plain", "table_mode": "direct"}, {"row_mode": "plain", "part_field": ""}, ["n"]),
        ({"table_mode": "ignore"}, {"table_filter": "others"}, ["n"]),
    ],
    ids=lambda value: ",".join(value),
)
def test_an_argument(
    pair: Pair, arguments: Mapping[str, str], keys: Mapping[str, str], columns: list[str]
) -> None:
    """The same tables, with the same comments."""
    mode = Mode("daily_field", {"part_field": "created", **arguments}, {**KEYS, **keys})
    number = ", number numeric" if "fields" in arguments else ""
    pair.play(mode, *STORY, parent=f"{COLUMNS}{number}{KEY}")
    pair.load_theirs()
    assert pair.load_ours()["dead_letters"] == 0
    assert rows(pair.ours, columns) == rows(pair.theirs, columns)
    for database in (pair.ours, pair.theirs):
        assert bool(rows(database)) == ("table_filter" not in keys)
    said = (
        "select nullif(obj_description(oid), substring(obj_description(oid) from '^tdsup: rows from .*')) "
        "from pg_class where relname ~ '^orders_2' and relkind = 'r' order by 1"
    )
    assert pair.ours.column(said) == pair.theirs.column(said)


def test_another_name(pair: Pair) -> None:
    """The table has another name in the target, and so have its partitions."""
    mode = Mode(
        "daily_field",
        {"part_field": "created", "table": "public.orders_all"},
        {**KEYS, "dest_table": "orders_all"},
    )
    pair.play(mode, *STORY)
    for database in (pair.ours, pair.theirs):
        database.execute("alter table orders rename to orders_all")
    pair.load_theirs()
    pair.load_ours()
    assert rows(pair.ours) == rows(pair.theirs)
    assert pair.ours.column(TABLES) == ["orders_all", "orders_all_2026_04_29", "orders_all_2026_05_01"]


def test_the_present_time(pair: Pair) -> None:
    """It is that of Londiste's host, and here that of the target, if they differ."""
    mode = Mode("yearly_time", {}, {"part_field": "_NOW", "part_method": "yearly", "row_mode": "keep_latest"})
    year = "select 'orders_' || extract(year from clock_timestamp())"
    pair.play(mode, STORY[0])
    before = pair.ours.value(year)
    pair.load_theirs()
    pair.load_ours()
    years = {before, pair.ours.value(year)}
    for database in (pair.ours, pair.theirs):
        found = rows(database, ["id"])
        assert sorted(id_ or "" for _, id_ in found) == ["1", "2", "3", "4"]
        assert {table for table, _ in found} <= years


def test_a_partition_is_made_alike(pair: Pair) -> None:
    """By a function of Londiste's SQL, or by us: a child with its parent's keys, triggers and grants."""
    mode = Mode("daily_field", {"part_field": "created"}, KEYS)
    parent = f"{COLUMNS} check (n < 100), more int default 7 not null{KEY}"
    pair.play(mode, *STORY, parent=parent)
    for database in (pair.ours, pair.theirs):
        database.execute(
            "create index on orders (n); grant select on orders to public; "
            "create or replace function pass() returns trigger language plpgsql as 'begin return new; end'; "
            "create trigger passes after insert on orders for each row execute function pass()"
        )
    pair.load_theirs()
    pair.load_ours()
    of = "'orders_2026_04_29'::regclass"
    for what in (
        f"attname, atttypid, attnotnull, atthasdef from pg_attribute where attrelid = {of} and attnum > 0",
        f"pg_get_constraintdef(oid) from pg_constraint where conrelid = {of} and contype <> 'n'",
        f"pg_get_indexdef(indexrelid) from pg_index where indrelid = {of}",
        f"pg_get_triggerdef(oid) from pg_trigger where tgrelid = {of}",
        f"inhparent::regclass::text from pg_inherits where inhrelid = {of}",
        f"grantee, privilege_type from pg_class, aclexplode(relacl) where oid = {of} and grantee <> relowner",
    ):
        found = pair.ours.rows(f"select {what} order by 1")
        assert found
        assert found == pair.theirs.rows(f"select {what} order by 1")
