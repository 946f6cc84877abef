"""The block path where something goes wrong, or changes, while a batch is loaded."""

from __future__ import annotations

import logging
import re
import threading
from typing import Any

import pytest
from harness.rows.pipeline import FIRST_DAY, Pipeline
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.load import lane
from tdsup.dispatcher.load.buffers import Buffers
from tdsup.dispatcher.load.merging import Merging, Rounds
from tdsup.dispatcher.load.rows import LARGE
from tdsup.dispatcher.pgq.queue import BLOCK
from tdsup.dispatcher.write.writer import Insert

WAITS_FOR_LOCK = (
    "select exists (select from pg_stat_activity where wait_event_type = 'Lock' "
    "and application_name like 'tdsup job %%' and datname = current_database() and query ilike '%%copy%%')"
)


@pytest.fixture
def pipeline(target: Database, queue: Queue) -> Pipeline:
    """A table ``t`` that is loaded by day; the consumer is registered."""
    made = Pipeline(queue, target, part_field="day", buffer_size="1 MiB")
    made.drain()
    return made


@pytest.mark.timeout(60)
def test_a_large_row_behind_a_small_one(pipeline: Pipeline) -> None:
    """It does not wait for room, though it takes all there is and nothing was worth loading before."""
    pipeline.insert(1, tick=False)
    pipeline.insert(1, padding=1 << 20, tick=False)
    pipeline.insert(1)
    assert pipeline.drain()["rows"] == 3
    pipeline.check()


def test_a_column_that_comes_is_loaded_from_then_on(pipeline: Pipeline) -> None:
    """It was left out because the target lacked it; it is loaded from the next batch on."""
    pipeline.source.execute("alter table t add color text default 'red'")
    with pipeline.running(on_new_column="ignore") as job:
        pipeline.insert(10)
        job.wait_for("running", rows=10)
        pipeline.target.execute("alter table t add color text")
        pipeline.insert(10)
        job.wait_for("running", rows=20)
    assert pipeline.target.rows("select color, count(*) from t group by 1 order by 1") == [
        ("red", 10),
        (None, 10),
    ]
    pipeline.check()


def test_a_new_partition_has_the_key_of_today(pipeline: Pipeline) -> None:
    """_PKEY in part_template is the key of the rows for it, not of the first rows ever seen."""
    template = "create table _DEST_TABLE (primary key (_PKEY)) inherits (t)"
    with pipeline.running(part_template=template) as job:
        pipeline.insert(10, days=1)
        job.wait_for("running", rows=10)
        pipeline.source.execute("alter table t drop constraint t_pkey, add primary key (day, id)")
        pipeline.insert(10, days=2)
        job.wait_for("running", rows=20)
    keys = [
        pipeline.target.value("select pg_get_indexdef(%s::regclass)", f"t_2026_11_0{day}_pkey")
        for day in (1, 2)
    ]
    assert [key.partition(" btree ")[2] for key in keys] == ["(id)", "(day, id)"]
    pipeline.check()


def test_events_of_one_number(pipeline: Pipeline) -> None:
    """A producer may number events as it likes: each becomes a row or a dead letter once."""
    for data in ("id=1&day=2026-11-01&note=a", "id=2&day=2026-11-01&note=%", "id=3&day=2026-11-01&note=c"):
        pipeline.source.execute(
            "select pgq.insert_event_raw(%s, 7, now(), null, null, 'I:id', %s, 'public.t', null, null, null)",
            pipeline.queue.name,
            data,
        )
    pipeline.queue.tick()
    values = pipeline.drain()
    assert (values["rows"], values["dead_letters"]) == (2, 1)
    assert pipeline.target.column("select id from t order by id") == [1, 3]


def test_a_large_event_is_worth_a_line(pipeline: Pipeline, caplog: pytest.LogCaptureFixture) -> None:
    """On either path."""
    pipeline.insert(1, padding=LARGE)
    pipeline.insert(1)
    with caplog.at_level(logging.INFO):
        pipeline.drain()
    [line] = [line for line in caplog.messages if " bytes" in line]
    assert re.fullmatch(
        rf"job: event \d+ of batch \d+ of queue q has {str(LARGE)[:3]}\d+ bytes; it is loaded", line
    )
    pipeline.check()


@pytest.mark.timeout(60)
def test_whatever_ends_the_thread_ends_the_job(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """The decoding thread does not wait for a thread that is gone, and nothing of the batch is left."""
    pipeline.insert(10)
    pipeline.drain()
    pipeline.insert(8_000, padding=500)

    def write(*_given: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(Insert, "fill", write)
        with pytest.raises(MemoryError):
            pipeline.drain()
    assert pipeline.target.value("select count(*) from t") == 10
    assert "merge" not in [thread.name for thread in threading.enumerate()]
    pipeline.drain()
    pipeline.check()


@pytest.mark.timeout(120)
def test_many_partitions_share_the_buffer(pipeline: Pipeline) -> None:
    """A batch of many times buffer_size for 500 partitions ends, and never holds much more than that."""
    held = []
    merge = Merging._merge  # noqa: SLF001 (the claim is about the inside)

    def watched(merging: Merging, rounds: Rounds) -> None:
        held.append(sum(len(text) for steps in rounds for step in steps for text in step.texts))
        merge(merging, rounds)

    pipeline.target.execute(
        "do $$ declare day text; begin for day in "
        f"select to_char(date '{FIRST_DAY}' + g, 'YYYY_MM_DD') from generate_series(0, 499) g "
        "loop execute format('create table t_%s () inherits (t)', day); end loop; end $$"
    )
    pipeline.insert(6_000, days=500, padding=400)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Merging, "_merge", watched)
        values = pipeline.drain()
    assert values["partitions"] == 0
    assert 1 << 16 < max(held) <= (1 << 18) + BLOCK
    pipeline.check()


@pytest.mark.usefixtures("without_pgqd")
def test_large_deletes_do_not_gather(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each, the row path keeps the key alone, unless it looks for a bad row."""
    add, held = Buffers.add, []

    def watched(buffers: Buffers, *given: Any) -> None:
        add(buffers, *given)
        held.append(sum(len(event.data or b"") for event in given[0].events))

    monkeypatch.setattr(lane, "LARGE", 1 << 16)
    monkeypatch.setattr(Buffers, "add", watched)
    for number in range(40):
        pipeline.queue.insert("D:id", f"id={number}&day=2026-11-01&note={'x' * (1 << 17)}", "public.t")
    pipeline.queue.tick()
    assert pipeline.drain(row_mode="plain")["ignored"] == 40
    assert len(held) == 40
    assert max(held) <= 1 << 18


def test_a_bad_row_in_the_middle_of_a_load(pipeline: Pipeline) -> None:
    """The thread meets it while others are decoded; it alone becomes a dead letter."""
    pipeline.insert(10)
    pipeline.drain()
    pipeline.insert(3_000, padding=500, tick=False)
    pipeline.queue.insert("I:id", "id=1&day=2026-11-02&note=again", "public.t")
    pipeline.insert(3_000, padding=500)
    values = pipeline.drain()
    assert (values["rows"], values["dead_letters"]) == (6_000, 1)
    assert pipeline.target.rows("select sqlstate from tdsup.dead_letter") == [("23505",)]
    pipeline.check()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("which", ["source", "target"])
def test_a_backend_that_ends_amid_a_load(pipeline: Pipeline, which: str) -> None:
    """The thread ends with its batch; another try loads all of it once; it is just an outage."""
    pipeline.insert(10)
    pipeline.drain()
    pipeline.insert(6_000, padding=500)
    database = {"source": pipeline.source, "target": pipeline.target}[which]
    with pipeline.target.another() as blocker:
        # The loading thread waits for this row, the decoding one for room, the source for the decoding one.
        blocker.execute("begin; insert into t_2026_11_02 values (5011, '2026-11-02')")
        with pipeline.running() as job:
            pipeline.target.wait_for(WAITS_FOR_LOCK)
            assert "merge" in [thread.name for thread in threading.enumerate()]
            ended = database.column(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where application_name like 'tdsup job %%' and datname = current_database()"
            )
            assert ended == [True]
            blocker.execute("rollback")
            job.wait_for("running", rows=6_000, seconds=60)
            lost = [report.reason for report in job.context.reports if report.condition == "retrying"]
    assert lost
    assert all(which in reason for reason in lost)
    assert pipeline.target.value("select count(*) = 0 from tdsup.dead_letter")
    pipeline.check()


ALTERATIONS = {
    "dropped": "drop table t_2026_11_02",
    "renamed": "alter table t_2026_11_02 no inherit t; alter table t_2026_11_02 rename to old",
    "a column less": "alter table t drop column note",
    "a column more": "alter table t add column more int default 7",
    "a column of another name": "alter table t rename note to text; alter table t add note text",
    "a column that is generated": (
        "alter table t drop column note, add column note text generated always as ('made of ' || id) stored"
    ),
}
"""What is done to the target between two batches."""


@pytest.mark.parametrize("what", ALTERATIONS)
def test_tables_that_change_between_two_batches(pipeline: Pipeline, what: str) -> None:
    """What was remembered of them is dropped; from then on rows go where they belong."""
    # Columns of partitions made in this way are all inherited, so none of them stays.
    template = "create table _DEST_TABLE () inherits (t)"
    with pipeline.running(on_new_column="ignore", part_template=template) as job:
        pipeline.insert(9)
        job.wait_for("running", rows=9)
        pipeline.target.execute(ALTERATIONS[what])
        pipeline.insert(9)
        job.wait_for("running", rows=18)
    columns = set(pipeline.target.column("select attname from pg_attribute where attrelid = 't'::regclass"))
    assert pipeline.target.value("select count(*) from t where id > 9") == 9
    if "note" in columns:
        notes = pipeline.target.column("select note from t where id > 9")
        assert all(notes), notes
        assert all(note.startswith("made of ") for note in notes) == (what == "a column that is generated")
    assert job.context.values["dead_letters"] == 0
    if what not in {"dropped", "renamed"}:
        pipeline.check()
