"""Columns by whose lists of values a table is partitioned: their types, and their names."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote_plus

import pytest
from harness.rows.job import Keys, drain, job_keys
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.errors import SetupError

DAY, NEXT = "2026-11-24", "2026-11-25"


@pytest.fixture
def keys(source: Database, target: Database, queue: Queue) -> Keys:
    """Keys of a job that loads by region and day."""
    return job_keys(source, target, part_field="day", part_by="region, day", queue=queue.name)


def load(queue: Queue, keys: Keys, *regions: str) -> int:
    """Send a row for each region, and load them; returns the number of dead letters."""
    drain(**keys)
    for number, region in enumerate(regions, 1):
        queue.send(f"id={number}&region={quote_plus(region)}&day={DAY}", tick=False)
    queue.tick()
    dead: int = drain(**keys)["dead_letters"]
    return dead


@pytest.mark.usefixtures("way")
def test_columns_of_other_names(queue: Queue, source: Database, target: Database) -> None:
    """A constant and a renamed column are lists as others are."""
    target.execute(
        "create table t (id int, shop int, area text, at date, unique (id, shop, area, at)) "
        "partition by list (shop)"
    )
    changes = {"constants": "shop: 7", "fields": "*, region:area, day:at", "row_mode": "plain"}
    keys = job_keys(source, target, part_field="day", part_by="shop, region, day", **changes)
    drain(**keys)
    queue.send(f"id=1&region=eu&day={DAY}", f"id=2&region=us&day={DAY}")
    drain(**keys)
    queue.send(f"id=1&region=us&day={DAY}", f"id=2&region=us&day={NEXT}", type_="U:id")
    assert drain(**keys)["dead_letters"] == 0
    rows = target.rows("select id, tableoid::regclass::text from t order by id")
    assert rows == [(1, "t_7_us_2026_11_24"), (2, "t_7_us_2026_11_25")]


def test_sql_of_the_user(queue: Queue, target: Database, keys: Keys) -> None:
    """It is run for each partition of a day, whose parent is the list partition."""
    target.execute(
        "create table t (id int, region text, day date) partition by list (region); "
        "create table made (name text, parent text)"
    )
    own = {
        "pre_part": "insert into made values ('%(dest)s', '%(parent)s')",
        "post_part": "create index %(dest)s_id on %(dest)s (id)",
    }
    assert load(queue, {**keys, **own}, "eu", "us", "eu") == 0
    days = [("public.t_eu_2026_11_24", "public.t_eu"), ("public.t_us_2026_11_24", "public.t_us")]
    assert target.rows("select * from made order by name") == days
    indexes = target.column(
        "select relname::text from pg_class where relname ~ '^t_' and relkind = 'i' order by 1"
    )
    assert indexes == ["t_eu_2026_11_24_id", "t_us_2026_11_24_id"]


TYPES = {
    "int2": ["1", "01", " 1", "-5"],
    "numeric(4,1)": ["1.0", "1", "1.00", "2.25"],
    "varchar(3)": ["abc", "ab"],
    "char(3)": ["ab", "ab "],
    "bool": ["t", "true", "f"],
    "uuid": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{A0EEBC999C0B4EF8BB6D6BB9BD380A11}"],
    "mood": ["sad", "happy"],
    'text collate "C"': ["a", "A"],
}


@pytest.mark.parametrize("type_", TYPES)
def test_types_of_lists(queue: Queue, target: Database, keys: Keys, type_: str) -> None:
    """Values are equal as PostgreSQL has it, however they are written; what it does not take has no row."""
    target.execute(
        f"create type mood as enum ('sad', 'happy'); create table t (id int, region {type_}, day date) "
        "partition by list (region)"
    )
    values: Sequence[str] = TYPES[type_]
    bad = {"int2": "x", "varchar(3)": "abcd", "bool": "no way", "uuid": "1", "mood": "grim"}.get(type_)
    assert load(queue, keys, *values, *([bad] if bad else [])) == (1 if bad else 0)
    assert target.value("select count(*) from t") == len(values)
    lists = target.value("select count(*) from pg_inherits where inhparent = 't'::regclass")
    assert lists == target.value("select count(distinct region) from t")


@pytest.mark.parametrize("type_", ["date", "float8", "int4range", "jsonb"])
def test_types_that_are_no_lists_of_a_job(queue: Queue, target: Database, keys: Keys, type_: str) -> None:
    """The job is blocked, and says which there may be."""
    target.execute(f"create table t (id int, region {type_}, day date) partition by list (region)")
    with pytest.raises(SetupError, match="part_by takes lists of integers, numeric, texts"):
        load(queue, keys, "1")
