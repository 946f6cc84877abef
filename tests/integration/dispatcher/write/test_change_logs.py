"""Columns that the data of events does not hold: what is told of the change, and constants."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from harness.rows.pipeline import Pipeline, Table
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.load.rows import RowLoader

WORDS = "_OP:op, _EVID:change, _EVTIME:at, _TXID:tx, _TABLE:tab, _USER:usr"

GIVEN = "op text, change bigint, at timestamptz, tx bigint, tab text, usr text, region text, shop int"

LOG = Table(
    columns="id int primary key, day date, note text, secret text",
    parent=f"id int, day date, body text, {GIVEN}",
)

MIRROR = replace(LOG, parent=f"id int primary key, day date, body text, {GIVEN}")

KEYS: dict[str, object] = {
    "fields": f"*, note:body, {WORDS}",
    "skip_fields": "secret",
    "constants": "region: 'north, \\ it''s', shop: 7",
}

CONSTANTS = ("north, \\ it's", 7)

TOLD = "op, change, at, tx, tab, usr, region, shop"

USER = "ev_extra3=session_user"
"""The option of PgQ's triggers that tells who changed a row."""


def log(
    queue: Queue, target: Database, trigger: Sequence[str] = ("logutriga", USER), **keys: object
) -> Pipeline:
    """A table whose changes are logged; its consumer is registered."""
    table = MIRROR if keys["row_mode"] == "plain" else LOG
    made = Pipeline(queue, target, table, trigger, **{**KEYS, **keys})
    made.drain()
    return made


def change(source: Database) -> None:
    """Insert three rows, update one twice, and delete one, in three transactions."""
    source.execute(
        "insert into t select g, date '2026-11-24' + g, 'note ' || g, 'secret' from generate_series(1, 3) g"
    )
    source.execute("update t set note = 'second' where id = 2; update t set note = null where id = 2")
    source.execute("delete from t where id = 1")


def sent(queue: Queue) -> list[tuple[Any, ...]]:
    """What the queue tells of its events, as rows of a log do."""
    events = queue.source.value("select pgq.current_event_table(%s)", queue.name)
    return [
        (json.loads(type_)["op"][0] if type_.startswith("{") else type_[0], *told)
        for type_, *told in queue.source.rows(
            f"select ev_type, ev_id, ev_time, ev_txid, ev_extra1, ev_extra3 from {events} order by ev_id"
        )
    ]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("trigger", "part_field"),
    [
        (("logutriga", USER), ""),
        (("logutriga", "backup", USER), "_EVTIME"),
        (("jsontriga", USER), "day"),
        (("sqltriga", "backup", USER), ""),
    ],
    ids=["logutriga", "by_event_time", "jsontriga_by_day", "sqltriga"],
)
def test_a_log_tells_of_each_change(
    target: Database, queue: Queue, trigger: Sequence[str], part_field: str
) -> None:
    """Operation, event, time, transaction, table, user and constants, of each insert, update and delete."""
    pipeline = log(queue, target, trigger, row_mode="append", part_field=part_field)
    change(pipeline.source)
    queue.tick()
    # A delete of sqltriga tells the key only.
    told = [each for each in sent(queue) if each[0] != "D" or trigger[0] != "sqltriga"]
    assert pipeline.drain()["rows"] == len(told)
    rows = target.rows(f"select {TOLD} from t order by change")
    assert rows == [(*each, *CONSTANTS) for each in told]
    assert [row[0] for row in rows] == list("IIIUUD")[: len(told)]
    assert target.column("select body from t where op <> 'D' order by change") == [
        *("note 1", "note 2", "note 3", "second", None),
    ]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("function", ["logutriga", "jsontriga", "sqltriga"])
def test_a_row_tells_of_its_last_change(target: Database, queue: Queue, function: str) -> None:
    """Where rows are changed: what changed them last, be it in one batch with others or later."""
    pipeline = log(queue, target, (function, USER), row_mode="plain")
    change(pipeline.source)
    queue.tick()
    pipeline.drain()
    pipeline.source.execute("update t set note = 'third' where id = 3")
    queue.tick()
    pipeline.drain()
    rows = target.rows(f"select id, {TOLD} from t order by id")
    _, _, _, _, second, _, third = sent(queue)
    assert rows == [(2, *second, *CONSTANTS), (3, *third, *CONSTANTS)]


@pytest.mark.parametrize("row_mode", ["append", "plain"])
def test_logs_are_written_in_blocks(
    target: Database, queue: Queue, row_mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No event is taken by the row path."""
    pipeline = log(queue, target, row_mode=row_mode)
    monkeypatch.setattr(RowLoader, "take", None)
    change(pipeline.source)
    queue.tick()
    assert pipeline.drain()["rows"] == 6


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/St_Johns", "UTC"])
def test_a_letter_is_replayed_as_it_would_have_been_loaded(target: Database, queue: Queue, zone: str) -> None:
    """With the same columns, the event's time as text as well, whatever the zones."""
    source = queue.source
    name = source.value("select quote_ident(current_database())")
    source.execute(f"alter database {name} set timezone to '{zone}'")
    pipeline = log(queue, target, row_mode="append")
    target.execute("alter table t alter at type text, alter id type text, add constraint c check (id <> '2')")
    change(source)
    queue.tick()
    assert pipeline.drain()["dead_letters"] == 3
    target.execute("alter table t drop constraint c")
    assert pipeline.act("replay")
    replayed = target.rows(f"select {TOLD} from t where id = '2' order by change")
    target.execute("truncate t")
    other = {"job_name": "other", "start": "beginning"}
    pipeline.drain(**other)
    assert len(replayed) == 3
    assert replayed == target.rows(f"select {TOLD} from t where id = '2' order by change")


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("trigger", [("logutriga",), ("sqltriga",)], ids="".join)
def test_jobs_share_a_table_by_their_constants(
    target: Database, queue: Queue, trigger: Sequence[str]
) -> None:
    """Each changes its own rows only, which have the keys of others' rows."""
    table = Table(columns="id int primary key, note text", parent="")
    target.execute("create table t (shop int, id int, note text, primary key (shop, id))")
    pipeline = Pipeline(queue, target, table, trigger)
    shops = [{"job_name": f"shop{shop}", "constants": f"shop: {shop}"} for shop in (1, 2)]
    for shop in shops:
        pipeline.drain(**shop)
    pipeline.source.execute("insert into t select g, 'first' from generate_series(1, 4) g")
    queue.tick()
    for shop in shops:
        pipeline.drain(**shop)
    pipeline.source.execute(
        "update t set note = 'second' where id < 3; delete from t where id = 2; delete from t where id = 3; "
        "insert into t values (3, 'again'), (5, 'new'); delete from t where id = 5"
    )
    queue.tick()
    assert pipeline.drain(**shops[1])["dead_letters"] == 0
    assert target.rows("select * from t where shop = 1 order by id") == [
        (1, id_, "first") for id_ in range(1, 5)
    ]
    assert [row[1:] for row in target.rows("select * from t where shop = 2 order by id")] == (
        pipeline.source.rows("select * from t order by id")
    )


def test_a_truncate_leaves_the_rows_of_others(target: Database, queue: Queue) -> None:
    """It is a dead letter: the table may hold rows with other constants."""
    table = Table(columns="id int primary key", parent="shop int, id int, primary key (shop, id)")
    pipeline = Pipeline(queue, target, table, constants="shop: 1")
    queue.attach_truncate("t")
    pipeline.drain()
    target.execute("insert into t values (2, 1)")
    pipeline.source.execute("insert into t values (1)")
    pipeline.source.execute("truncate t")
    queue.tick()
    assert pipeline.drain()["dead_letters"] == 1
    assert target.rows("select * from t order by 1") == [(1, 1), (2, 1)]
