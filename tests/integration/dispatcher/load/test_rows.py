"""Events of a real queue become rows of a real target."""

from __future__ import annotations

import sys
from collections import Counter

import pytest
from harness.rows.job import drain, job_keys
from harness.rows.orders import TEMPLATE
from harness.rows.pipeline import Pipeline
from harness.servers.database import Database
from harness.servers.queue import Queue
from psycopg2.extensions import cursor as Cursor
from tdsup.dispatcher.errors import DataError, SetupError
from tdsup.dispatcher.load.work import BatchWork


@pytest.mark.usefixtures("without_pgqd")
def test_rows_arrive_once_in_daily_partitions(pipeline: Pipeline) -> None:
    """Every event becomes one row in the table of its day, created with its primary key."""
    pipeline.insert(3000)
    values = pipeline.drain(part_template=TEMPLATE)
    assert (values["events"], values["rows"], values["batches"], values["partitions"]) == (3000, 3000, 1, 3)
    pipeline.check()
    keys = pipeline.target.column("select conname from pg_constraint where conname ~ '^t_.*_pkey' order by 1")
    assert keys == ["t_2026_11_01_pkey", "t_2026_11_02_pkey", "t_2026_11_03_pkey"]
    assert pipeline.target.value("select count(*) from only t_2026_11_02") == 1000


def test_what_a_failed_pass_found_missing_is_made_too(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inserts into a new partition and an update take two passes: one by blocks, one row by row."""
    pipeline.drain()
    # In one transaction: no tick comes between them.
    pipeline.source.execute(
        "insert into t select g, '2026-11-01', '' from generate_series(1, 10) g;"
        "update t set note = 'changed' where id = 1"
    )
    pipeline.queue.tick()
    passes: Counter[str] = Counter()
    begin = BatchWork.begin

    def counted(work: BatchWork, cursor: Cursor) -> bool:
        passes[work.name] += 1
        return begin(work, cursor)

    monkeypatch.setattr(BatchWork, "begin", counted)
    values = pipeline.drain()
    assert (values["rows"], values["partitions"]) == (11, 1)
    assert max(passes.values()) == 2
    pipeline.check()


def test_fields_are_selected_and_renamed(pipeline: Pipeline) -> None:
    """`fields = id, note:who` loads these two columns only."""
    pipeline.target.execute("create table people (id int, who text, day date)")
    pipeline.insert(2)
    pipeline.drain(dest_table="people", part_field="", fields="id, note:who")
    found = pipeline.target.rows("select * from people order by id")
    assert found == [(1, "note 1", None), (2, "note 2", None)]


def test_every_code_point_survives(source: Database, target: Database, queue: Queue) -> None:
    """All characters that PostgreSQL can hold come through decoding and COPY unchanged."""
    for database in (source, target):
        database.execute("create table chars (id int primary key, c text)")
    queue.attach("chars")
    keys = job_keys(source, target, table="chars")
    drain(**keys)
    source.execute(
        "insert into chars select block, string_agg(chr(point), '' order by point) "
        "from generate_series(0, %s / 4096) block, generate_series(block * 4096, block * 4096 + 4095) point "
        "where point > 0 and point <= %s and point not between 55296 and 57343 group by block",
        sys.maxunicode,
        sys.maxunicode,
    )
    source.execute(r"insert into chars values (-1, '\N'), (-2, '\.'), (-3, ''), (-4, null), (-5, '+ %20&=')")
    queue.tick()
    drain(**keys)
    expected = source.rows("select id, md5(c), length(c) from chars order by id")
    assert target.rows("select id, md5(c), length(c) from chars order by id") == expected
    assert sum(length or 0 for _, _, length in expected) > 1_100_000


def test_columns_that_change_within_a_batch_load(pipeline: Pipeline) -> None:
    """Rows of one batch that have different columns lose none of them."""
    pipeline.target.execute("alter table t add remark text")
    pipeline.insert(5, tick=False)
    pipeline.source.execute("alter table t add remark text")
    pipeline.source.execute("insert into t values (6, '2026-11-24', 'n', 'noted')")
    pipeline.queue.tick()
    pipeline.drain()
    assert pipeline.target.column("select remark from t order by id") == [None] * 5 + ["noted"]


@pytest.mark.usefixtures("without_pgqd")
@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ("(7, null, 'n')", "its partition value is NULL"),
        ("(7, 'infinity', 'n')", "'infinity' is no date"),
        ("(1, '2026-11-24', 'twice')", "duplicate key value"),
    ],
)
def test_a_bad_event_stops_the_job_if_so_set(pipeline: Pipeline, values: str, reason: str) -> None:
    """The error names queue, batch and event; nothing of the batch is loaded, and the position stays."""
    target = pipeline.target
    target.execute("create table t_2026_11_24 (like t, primary key (id)) inherits (t)")
    target.execute("insert into t_2026_11_24 values (1, '2026-11-24', 'already here')")
    before = target.rows("table tdsup.completed_tick")
    # One statement, so that pgqd makes no tick in between.
    pipeline.source.execute(f"insert into t values (5, '2026-11-24', 'good'), {values}")
    pipeline.queue.tick()
    event = pipeline.source.value("select max(ev_id) from pgq.event_template")
    with pytest.raises(DataError, match=rf"cannot load event {event} of batch \d+ of queue q: .*{reason}"):
        pipeline.drain(bad_events="stop")
    assert target.column("select id from t") == [1]
    assert target.rows("table tdsup.completed_tick") == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"pgq_queue_name": "nix"},
            (
                r"cannot read queue nix: there is no queue nix in database \w+ \(there are: q\); "
                r"run there: select pgq.create_queue\('nix'\)"
            ),
        ),
        (
            {"dest_table": "nix", "part_template": ""},
            "cannot create tables for public.nix: it does not exist",
        ),
        ({"fields": "id:nix, day"}, "t_2026_11_01 has no column nix, which fields names"),
        (
            {"part_template": "create table _DEST_TABLE (nonsense)"},
            "cannot create table public.t_2026_11_01",
        ),
        ({"part_template": "select 1"}, "part_template does not create it"),
    ],
)
def test_a_wrong_set_up_says_what_is_wrong(
    pipeline: Pipeline, change: dict[str, object], message: str
) -> None:
    """A mistake in the set-up is one clear line and exit status 78, not a retry."""
    pipeline.insert(10, days=1)
    with pytest.raises(SetupError, match=message) as caught:
        pipeline.drain(**{"part_template": "create table _DEST_TABLE () inherits (t)", **change})
    assert caught.value.exit_code == 78
    assert "\n" not in str(caught.value)


def test_a_source_without_pgq_is_named(pipeline: Pipeline) -> None:
    """The message says that the database has no PgQ."""
    with pytest.raises(SetupError, match="cannot read queue q: the source database has no PgQ"):
        pipeline.drain(src_db=pipeline.target.dsn, pgq_consumer_id="other")


@pytest.mark.usefixtures("way", "without_pgqd")
@pytest.mark.parametrize("other", ["note,id", "code"], ids=["another order", "another key"])
def test_the_last_change_of_a_row_counts(
    source: Database, target: Database, queue: Queue, other: str
) -> None:
    """Whatever columns of its events name the row, and in whatever order."""
    target.execute("create table t (id int, note text, code int unique, size int, primary key (id, note))")
    keys = job_keys(source, target, queue=queue.name, row_mode="plain", merge_events=0)
    drain(**keys)
    queue.send("id=1&note=a&code=5&size=0", type_="I:id,note", tick=False)
    for size, key in enumerate(["id,note", other, "id,note", other, "id,note"], 1):
        queue.send(f"id=1&note=a&code=5&size={size}", type_=f"U:{key}", tick=False)
    queue.tick()
    drain(**keys)
    assert target.rows("select id, note, code, size from t") == [(1, "a", 5, 5)]
