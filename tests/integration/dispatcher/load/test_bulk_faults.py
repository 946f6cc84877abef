"""Whole blocks where something goes wrong, or changes, while they are loaded."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from harness.rows.job import RunningJob, drain
from harness.rows.oracle import Oracle
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.load.handoff import Handoff
from tdsup.dispatcher.load.rows import LARGE
from tdsup.dispatcher.pgq.queue import BLOCK
from tdsup.dispatcher.write.writer import Insert

Keys = dict[str, object]

FIRST_DAY = "2026-11-01"
"""The day of row 0; row n is of the n-th day behind it, of as many as a test has."""

WAITS_FOR_LOCK = (
    "select exists (select from pg_stat_activity where wait_event_type = 'Lock' "
    "and application_name = 'tdsup job' and datname = current_database() and query ilike 'copy%')"
)


class Feed:
    """A table ``t`` of the source whose rows a job brings to the target by whole blocks.

    Args:
        source: database of the queue.
        target: database of the partitions.
        queue: the queue.
    """

    def __init__(self, source: Database, target: Database, queue: Queue) -> None:
        self.source, self.target, self.queue = source, target, queue
        for database in (source, target):
            database.execute("create table t (id int primary key, day date, note text)")
        queue.attach("t")
        self.keys: Keys = {
            "src_db": source.dsn,
            "dst_db": target.dsn,
            "pgq_queue_name": queue.name,
            "dest_table": "t",
            "part_field": "day",
            "buffer_size": "1 MiB",
        }
        drain(**self.keys)
        self._last = 0

    def insert(self, count: int, *, days: int = 3, width: int = 10, tick: bool = True) -> None:
        """Insert further rows."""
        self.source.execute(
            f"insert into t select g, date '{FIRST_DAY}' + g %% %s, repeat('x', %s) "
            "from generate_series(%s, %s) g",
            days,
            width,
            self._last + 1,
            self._last + count,
        )
        self._last += count
        if tick:
            self.queue.tick()

    def drain(self, **changes: object) -> Mapping[str, Any]:
        """Run the job until its queue is empty; returns its last numbers."""
        return drain(**{**self.keys, **changes})

    def check(self) -> None:
        """Let the oracle look."""
        oracle = Oracle(self.source, self.target, "t", queue=self.queue.name, consumer="job")
        assert oracle.check().clean, oracle.check()


@pytest.fixture
def feed(source: Database, target: Database, queue: Queue) -> Feed:
    """A feed with a registered consumer."""
    return Feed(source, target, queue)


@pytest.mark.timeout(60)
def test_a_large_row_behind_a_small_one(feed: Feed) -> None:
    """It waits for no room, though it takes all that there is and nothing was worth loading before."""
    feed.insert(1, tick=False)
    feed.insert(1, width=1 << 20, tick=False)
    feed.insert(1)
    assert feed.drain()["rows"] == 3
    feed.check()


def test_a_column_that_comes_is_loaded_from_then_on(feed: Feed) -> None:
    """Where it was left out because the target lacked it: from the next batch."""
    feed.source.execute("alter table t add color text default 'red'")
    with RunningJob(**feed.keys, on_new_column="ignore") as job:
        feed.insert(10)
        job.wait_for("running", rows=10)
        feed.target.execute("alter table t add color text")
        feed.insert(10)
        job.wait_for("running", rows=20)
    assert feed.target.rows("select color, count(*) from t group by 1 order by 1") == [
        ("red", 10),
        (None, 10),
    ]
    feed.check()


def test_a_new_partition_has_the_key_of_today(feed: Feed) -> None:
    """Where part_template says _PKEY: that of the rows for it, not of the first rows that were ever seen."""
    template = "create table _DEST_TABLE (primary key (_PKEY)) inherits (t)"
    with RunningJob(**feed.keys, part_template=template) as job:
        feed.insert(10, days=1)
        job.wait_for("running", rows=10)
        feed.source.execute("alter table t drop constraint t_pkey, add primary key (day, id)")
        feed.insert(10, days=2)
        job.wait_for("running", rows=20)
    keys = [
        feed.target.value("select pg_get_indexdef(%s::regclass)", f"t_2026_11_0{day}_pkey") for day in (1, 2)
    ]
    assert [key.partition(" btree ")[2] for key in keys] == ["(id)", "(day, id)"]
    feed.check()


def test_events_of_one_number(feed: Feed) -> None:
    """A producer may number events as it likes: each is loaded or a dead letter once."""
    for data in ("id=1&day=2026-11-01&note=a", "id=2&day=2026-11-01&note=%", "id=3&day=2026-11-01&note=c"):
        feed.source.execute(
            "select pgq.insert_event_raw(%s, 7, now(), null, null, 'I:id', %s, 'public.t', null, null, null)",
            feed.queue.name,
            data,
        )
    feed.queue.tick()
    values = feed.drain()
    assert (values["rows"], values["dead_letters"]) == (2, 1)
    assert feed.target.column("select id from t order by id") == [1, 3]


def test_a_large_event_is_worth_a_line(feed: Feed, caplog: pytest.LogCaptureFixture) -> None:
    """Whichever way it is loaded."""
    feed.insert(1, width=LARGE)
    feed.insert(1)
    with caplog.at_level(logging.INFO):
        feed.drain()
    [line] = [line for line in caplog.messages if " bytes" in line]
    assert re.fullmatch(
        rf"job: event \d+ of batch \d+ of queue q has {str(LARGE)[:3]}\d+ bytes; it is loaded", line
    )
    feed.check()


@pytest.mark.timeout(60)
def test_whatever_ends_the_thread_ends_the_job(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who decodes does not wait for a thread that is gone, and nothing is left of the batch."""
    feed.insert(10)
    feed.drain()
    feed.insert(8_000, width=500)

    def write(*_given: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(Insert, "write", write)
        with pytest.raises(MemoryError):
            feed.drain()
    assert feed.target.value("select count(*) from t") == 10
    assert "load" not in [thread.name for thread in threading.enumerate()]
    feed.drain()
    feed.check()


@pytest.mark.timeout(120)
def test_many_partitions_share_the_buffer(feed: Feed) -> None:
    """A batch of many times buffer_size for 500 partitions ends, and never holds much more than that."""
    held = []
    put = Handoff.put

    def watched(handoff: Handoff[Insert], group: Insert, text: bytes) -> None:
        put(handoff, group, text)
        held.append(handoff._held)  # noqa: SLF001 (the claim is about the inside)

    feed.target.execute(
        "do $$ declare day text; begin for day in "
        f"select to_char(date '{FIRST_DAY}' + g, 'YYYY_MM_DD') from generate_series(0, 499) g "
        "loop execute format('create table t_%s () inherits (t)', day); end loop; end $$"
    )
    feed.insert(6_000, days=500, width=400)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Handoff, "put", watched)
        values = feed.drain()
    assert values["partitions"] == 0
    assert 1 << 18 < max(held) <= (1 << 19) + BLOCK
    feed.check()


def test_a_bad_row_in_the_middle_of_a_load(feed: Feed) -> None:
    """The thread meets it while others are decoded; it alone becomes a dead letter."""
    feed.insert(10)
    feed.drain()
    feed.insert(3_000, width=500, tick=False)
    feed.queue.insert("I:id", "id=1&day=2026-11-02&note=again", "public.t")
    feed.insert(3_000, width=500)
    values = feed.drain()
    assert (values["rows"], values["dead_letters"]) == (6_000, 1)
    assert feed.target.rows("select sqlstate from tdsup.dead_letter") == [("23505",)]
    feed.check()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("which", ["source", "target"])
def test_a_backend_that_ends_amid_a_load(feed: Feed, which: str) -> None:
    """The thread ends with its batch; another try loads all of it, once, and it is an outage, no more."""
    feed.insert(10)
    feed.drain()
    feed.insert(6_000, width=500)
    database = {"source": feed.source, "target": feed.target}[which]
    with feed.target.another() as blocker:
        # The thread waits for this row, the other one for room, and the source for that.
        blocker.execute("begin; insert into t_2026_11_02 values (5011, '2026-11-02')")
        with RunningJob(**feed.keys) as job:
            feed.target.wait_for(WAITS_FOR_LOCK)
            assert "load" in [thread.name for thread in threading.enumerate()]
            ended = database.column(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where application_name = 'tdsup job' and datname = current_database()"
            )
            assert ended == [True]
            blocker.execute("rollback")
            job.wait_for("running", rows=6_000, seconds=60)
            lost = [report.reason for report in job.context.reports if report.condition == "retrying"]
    assert lost
    assert all(which in reason for reason in lost)
    assert feed.target.value("select to_regclass('tdsup.dead_letter') is null")
    feed.check()


ALTERATIONS = {
    "dropped": "drop table t_2026_11_02",
    "renamed": "alter table t_2026_11_02 no inherit t; alter table t_2026_11_02 rename to old",
    "a column less": "alter table t drop column note",
    "a column more": "alter table t add column more int default 7",
    "a column of another name": "alter table t rename note to text; alter table t add note text",
    "a column that is generated": (
        "alter table t drop column note, add column note text generated always as ('note ' || id) stored"
    ),
}
"""What somebody does to the target between two batches."""


@pytest.mark.parametrize("what", ALTERATIONS)
def test_tables_that_change_between_two_batches(feed: Feed, what: str) -> None:
    """What is remembered of them is dropped, and rows go where they belong from then on."""
    # Such partitions have no column of their own that would stay.
    template = "create table _DEST_TABLE () inherits (t)"
    with RunningJob(**feed.keys, on_new_column="ignore", part_template=template) as job:
        feed.insert(9)
        job.wait_for("running", rows=9)
        feed.target.execute(ALTERATIONS[what])
        feed.insert(9)
        job.wait_for("running", rows=18)
    columns = set(feed.target.column("select attname from pg_attribute where attrelid = 't'::regclass"))
    assert feed.target.value("select count(*) from t where id > 9") == 9
    if "note" in columns:
        notes = feed.target.column("select note from t where id > 9")
        assert all(notes), notes
        assert all(note.startswith("note ") for note in notes) == (what == "a column that is generated")
    assert job.context.values["dead_letters"] == 0
    if what not in {"dropped", "renamed"}:
        feed.check()


def batches(feed: Feed, ticks: int, **keys: object) -> float:
    """How many batches some ticks of 100 events are taken as."""
    for _ in range(ticks):
        feed.insert(100)
    number: float = feed.drain(**keys)["batches"]
    feed.check()
    return number


def test_ticks_are_merged_while_behind(feed: Feed) -> None:
    """Twenty take a few batches; with merge_events at 0 each is one, and a limit is kept to."""
    batches(feed, 1)
    assert batches(feed, 20) <= 5
    assert batches(feed, 20, merge_events=0) == 20
    assert 9 <= batches(feed, 20, merge_events=400) <= 12


def test_ticks_of_other_tables_events_are_merged_too(feed: Feed) -> None:
    """A job whose table is rare among the queue's is behind by ticks that have nothing for it."""
    for _ in range(20):
        feed.source.execute(
            "select count(pgq.insert_event(%s, 'I:id', 'id=1', 'public.other', null, null, null)) "
            "from generate_series(1, 100)",
            feed.queue.name,
        )
        feed.queue.tick()
    feed.insert(1)
    values = feed.drain(table_filter="t")
    assert (values["rows"], values["batches"] <= 5) == (1, True), values
    feed.check()


def test_collecting_keeps_its_meaning(feed: Feed) -> None:
    """A batch has as many events at least, whether behind or not; what is not enough waits."""
    batches(feed, 1)
    for _ in range(7):
        feed.insert(100)
    values = feed.drain(pgq_batch_collect_events=300)
    assert values["batches"] <= 2
    assert values["events"] >= 300
    feed.insert(100)
    left = feed.drain(pgq_batch_collect_events=100_000)
    assert left["events"] == 0
    feed.drain()
    feed.check()


def test_lagging_keeps_its_meaning(feed: Feed) -> None:
    """Events that are too young are left alone, however far behind: those before them are not."""
    batches(feed, 1)
    for _ in range(5):
        feed.insert(100)
    # The ticks become older, and with them the events.
    feed.source.execute("update pgq.tick set tick_time = tick_time - interval '1 hour'")
    for _ in range(5):
        feed.insert(100)
    values = feed.drain(pgq_keep_lag="30 minutes")
    assert values["events"] == 500
    assert feed.drain()["events"] == 500
    feed.check()
