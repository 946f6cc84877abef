"""The block path comes to the same as the row path."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from harness.rows.job import drain, job_keys
from harness.rows.spice import Kitchen, send
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.events.purefold import PureFold
from tdsup.dispatcher.load import lane as block_path
from tdsup.dispatcher.load.passes import End, Pass, Pauses

SEED = 20261124

WAYS = ("block_path", "pure", "row_path")
"""The block path, the block path with the pure fold, and the row path; each loads into its own schema."""

TABLE = "create table {way}.t (id int primary key, day text, note varchar(40), n int)"
NATIVE = "create table {way}.t (id int, day timestamptz, note varchar(40), n int) partition by range (day)"

SPICES: tuple[dict[str, float], ...] = (
    {},
    {"unread": 0.03, "system": 0.02},
    {"shaped": 0.05},
    {"typed": 0.1, "large": 0.02},
    {"refused": 0.02},
    {},
    {"unread": 0.02, "shaped": 0.02, "typed": 0.02, "refused": 0.01, "system": 0.02},
    {"change": 0.05},
    {},
    {},
    {"unread": 0.05, "shaped": 0.05, "typed": 0.05, "change": 0.03, "truncate": 0.01},
    {},
)
"""What the batches hold besides plain inserts, in order."""

JOBS: dict[str, tuple[str, dict[str, object]]] = {
    "by day": (TABLE, {"part_field": "day"}),
    "by month, renamed, filtered": (
        "create table {way}.t (id int primary key, text varchar(40), day timestamptz)",
        {
            "part_field": "day",
            "part_method": "monthly",
            "fields": "note:text, id, day",
            "table_filter": "t, public.u",
        },
    ),
    "filtered by values": (TABLE, {"part_field": "day", "where": "n > 300 or note < 'Z' or n is null"}),
    "filtered, keep all": (
        TABLE.replace(" primary key", ""),
        {"row_mode": "keep_all", "where": "not n in (1, 2, 3) and note != note"},
    ),
    "native": (NATIVE, {"part_field": "day"}),
    "keep all": (TABLE.replace(" primary key", ""), {"part_field": "day", "row_mode": "keep_all"}),
    "inserts only": (TABLE, {"event_types": "I"}),
    "new columns added": (TABLE, {"part_field": "day", "on_new_column": "add"}),
    "new columns left out": (TABLE, {"on_new_column": "ignore"}),
    "by the event's time": (TABLE, {"part_field": "_EVTIME"}),
    "by its hour, in a zone": (
        TABLE,
        {"part_field": "_EVTIME", "part_method": "hourly", "part_time_zone": "Asia/Kolkata"},
    ),
    "by hour": (TABLE, {"part_field": "day", "part_method": "hourly"}),
    "by week, in a zone": (
        TABLE,
        {"part_field": "day", "part_method": "weekly", "part_time_zone": "America/Sao_Paulo"},
    ),
    "by the batch's hour": (TABLE, {"part_field": "_BATCHTIME", "part_method": "hourly"}),
    "by the present month": (TABLE, {"part_field": "_NOW", "part_method": "monthly"}),
    "by a number": (TABLE, {"part_field": "n", "part_epoch": "milliseconds", "part_past": "1900-01-01"}),
    "generated": (
        TABLE.replace("note varchar(40)", "note text generated always as ('note ' || id) stored"),
        {"on_new_column": "ignore"},
    ),
    "a view": (
        TABLE.replace("t (", "behind (") + "; create view {way}.t as select * from {way}.behind",
        {"event_types": "I, U"},
    ),
}
"""What the jobs load into, and their own keys."""


@dataclass
class Result:
    """What a job made of its queue.

    Attributes:
        rows: with the partition of each.
        letters: event ids, reasons and SQLSTATEs.
        values: what the job counts.
        position: last tick that was applied.
        blocks: batches that took the block path, apart from a few events.
    """

    rows: list[tuple[Any, ...]]
    letters: list[tuple[Any, ...]]
    values: dict[str, Any]
    position: int
    blocks: int


def load(
    way: str, source: Database, target: Database, keys: Mapping[str, object], table: str = "t"
) -> Result:
    """Drain the queue in one of the ways; `table` holds the rows."""
    blocks = []
    with pytest.MonkeyPatch.context() as patch:
        whole = Pauses.ended

        def noted(pauses: Pauses, pass_: Pass, end: End) -> None:
            whole(pauses, pass_, end)
            if pass_ in {Pass.BLOCKS, Pass.ORDERED} and end.is_loaded:
                blocks.append(1)

        patch.setattr(Pauses, "ended", noted)
        if way == "pure":
            patch.setattr(block_path, "Fold", PureFold)
        if way == "row_path":
            patch.setattr(Pauses, "first", lambda _pauses, in_blocks: Pass.ROWS)
        # Batches are the ticks, for each way.
        values = drain(**{**keys, "dest_table": f"{way}.t"}, job_name=way, merge_events=0, start="registered")
    counted = ("outcomes", "rows", "dead_letters", "ignored", "events", "batches", "partitions")
    has_letters = target.value("select to_regclass('tdsup.dead_letter') is not null")
    return Result(
        target.rows(
            f"select replace(tableoid::regclass::text, '{way}.', ''), to_jsonb(t) "
            f"from {way}.{table} t order by 1, 2"
        ),
        target.rows(
            "select ev_id, replace(reason, %s, ''), sqlstate from tdsup.dead_letter "
            "where consumer_name = %s order by ev_id, reason",
            f"{way}.",
            way,
        )
        if has_letters
        else [],
        {name: values[name] for name in counted},
        target.value("select last_tick_id from tdsup.completed_tick where consumer_name = %s", way),
        len(blocks),
    )


@pytest.mark.parametrize("name", JOBS)
def test_each_way_comes_to_the_same(source: Database, target: Database, queue: Queue, name: str) -> None:
    """Rows, dead letters, counts and positions, whatever the events."""
    ddl, keys = JOBS[name]
    keys = {**job_keys(source, target), **keys}
    source.execute("create table t (id int, day date, color text, size int)")
    for way in WAYS:
        target.execute(f"create schema {way};" + ddl.format(way=way))
        # From tick 1 on, because pgqd may make a tick in between.
        source.execute("select pgq.register_consumer_at(%s, %s, 1)", queue.name, way)
    kitchen = Kitchen(random.Random(f"{SEED} {name}"))  # noqa: S311 (the same events in every run)
    for spices in SPICES:
        send(source, queue.name, kitchen.batch(120, spices))
        queue.tick()
    block, pure, row = (
        load(way, source, target, keys, "behind" if name == "a view" else "t") for way in WAYS
    )
    assert block == pure
    assert row.blocks == 0
    assert block.blocks > 0 or name == "a view"
    block.blocks = 0
    assert block.letters == row.letters
    assert block.rows == row.rows
    assert block == row
    assert block.values["events"] > 100
    assert block.letters
