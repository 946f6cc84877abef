"""Whole blocks where something goes wrong, or changes, while they are loaded."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from harness.database import Database
from harness.job import RunningJob, drain
from harness.oracle import Oracle
from harness.queue import Queue
from tdsup.dispatcher.loader import LARGE
from tdsup.dispatcher.writer import Insert

Keys = dict[str, object]

FIRST_DAY = "2026-11-01"
"""The day of row 0; row n is of the n-th day behind it, of as many as a test has."""


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
            "select pgq.insert_event_raw("
            "'q', 7, now(), null, null, 'I:id', %s, 'public.t', null, null, null)",
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
