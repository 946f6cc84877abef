"""Rows that producers write as JSON."""

from __future__ import annotations

import json

import pytest
from harness.rows.job import drain, job_keys
from harness.servers.database import Database
from harness.servers.queue import Queue

COLUMNS = (
    "id int primary key, day date, note text, tags text[], grid int[], facts jsonb, raw json, lists jsonb[], "
    "price numeric, done bool"
)

ROW = r"""(1, '2026-11-01', E'a "b" \\ c, {d} [e] Ü', array['x', null, 'NULL', '', 'a,b', E'q"\\', '{}'],
    '{{1,2},{3,4}}', '{"a": [1, {"b": null}]}', '[1, "x"]', array[jsonb '{"a": [1]}', '2', 'null'],
    12345678901234567890.123, true), (2, '2026-11-02', null, '{}', null, '[]', null, '{}', null, false)"""


@pytest.mark.parametrize("way", ["row_to_json", "jsontriga", "in a batch of changes"])
def test_a_row_as_json_is_a_row(source: Database, target: Database, queue: Queue, way: str) -> None:
    """Every value arrives as it was: arrays as arrays, JSON as JSON, numbers with all their digits."""
    for database in (source, target):
        database.execute(f"create table t ({COLUMNS})")
    keys = job_keys(source, target, part_field="day")
    drain(**keys)
    if way == "jsontriga":
        queue.attach("t", function="jsontriga")
    source.execute(f"insert into t values {ROW}")
    if way != "jsontriga":
        source.execute("select pgq.insert_event('q', 'made', row_to_json(t)::text) from t")
    if way == "in a batch of changes":
        queue.send("id=1&day=2026-11-01", type_="D:id", tick=False)
        source.execute("select pgq.insert_event('q', 'made', row_to_json(t)::text) from t where id = 1")
    queue.tick()
    assert drain(**keys)["dead_letters"] == 0
    # What is json keeps its spaces if it is no value of a larger JSON text.
    query = "select id, day, note, tags, grid, facts, raw::jsonb, lists, price, done from t order by id"
    assert target.rows(query) == source.rows(query)


def test_many_rows_as_json(source: Database, target: Database, queue: Queue) -> None:
    """More than the block path leaves over, beside url-encoded ones; each is loaded once."""
    target.execute("create table t (id int primary key, note text)")
    keys = job_keys(source, target)
    drain(**keys)
    made = (
        """case g % 2 when 0 then format('{"id": %s, "note": "x"}', g) else format('id=%s&note=x', g) end"""
    )
    source.execute(f"select pgq.insert_event('q', 'made', {made}) from generate_series(1, 3000) g")
    queue.tick()
    values = drain(**keys)
    assert (values["rows"], values["dead_letters"]) == (3000, 0)
    assert target.value("select count(*) from t where note = 'x'") == 3000


@pytest.mark.parametrize("data", ["{}", '{"id": 1', "[1]", "plain text", '"id=1"', "id 1=2", '{"id": 1} x'])
def test_text_that_is_no_row_names_no_column(
    source: Database, target: Database, queue: Queue, data: str
) -> None:
    """Whatever the text is, `on_new_column = add` does not make a column of it."""
    target.execute("create table t (id int, note text)")
    keys = job_keys(source, target, on_new_column="add")
    drain(**keys)
    queue.send(data, type_="note")
    assert drain(**keys)["dead_letters"] == 1
    columns = "select attname from pg_attribute where attrelid = 't'::regclass and attnum > 0 order by attnum"
    assert target.column(columns) == ["id", "note"]


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ([f"c{number}" for number in range(101)], "lacks 101 of its columns; no more than 100 are added"),
        (["x" * 64], "no column can be called"),
        (["a\nb"], "no column can be called"),
        (["\u200b"], "no column can be called"),
    ],
)
@pytest.mark.parametrize("form", ["json", "url-encoded"])
def test_columns_that_are_never_added(
    source: Database, target: Database, queue: Queue, form: str, names: list[str], reason: str
) -> None:
    """Too many, too long, or nothing that a person could read."""
    target.execute("create table t (id int)")
    keys = job_keys(source, target, on_new_column="add")
    drain(**keys)
    if form == "json":
        queue.send(json.dumps(dict.fromkeys(names, "1")), type_="made")
    else:
        encoded = ("".join(f"%{byte:02x}" for byte in name.encode()) for name in names)
        queue.send("&".join(f"{name}=1" for name in encoded))
    assert drain(**keys)["dead_letters"] == 1
    assert reason in target.value("select reason from tdsup.dead_letter")


def test_a_hundred_columns_are_added(source: Database, target: Database, queue: Queue) -> None:
    """That many at once, and more by the next event."""
    target.execute("create table t (id int)")
    keys = job_keys(source, target, on_new_column="add")
    drain(**keys)
    queue.send("&".join(f"c{number}=1" for number in range(100)))
    queue.send("id=1&extra=2")
    assert drain(**keys)["rows"] == 2
    assert (
        target.value("select count(*) from pg_attribute where attrelid = 't'::regclass and attnum > 0") == 102
    )


def test_an_array_that_does_not_fit(source: Database, target: Database, queue: Queue) -> None:
    """A dead letter of its event, not more."""
    target.execute("create table t (id int, grid int[])")
    keys = job_keys(source, target)
    drain(**keys)
    queue.send(
        '{"id": 1, "grid": [[1, 2], [3]]}', '{"id": 2, "grid": ["x"]}', '{"id": 3, "grid": [3]}', type_="made"
    )
    assert drain(**keys)["dead_letters"] == 2
    assert target.rows("select * from t") == [(3, [3])]
