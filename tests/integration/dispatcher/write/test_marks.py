"""Deleted rows that stay, with the time of their delete (``deleted_at``)."""

from __future__ import annotations

from datetime import datetime

import pytest
from harness.rows.pipeline import Pipeline, Table
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.errors import SetupError

TABLE = Table(
    columns="id int primary key, day date, note text",
    parent="id int primary key, day date, note text, gone timestamptz",
)


def archive(queue: Queue, target: Database, *trigger: str, **keys: object) -> Pipeline:
    """A table whose deleted rows stay; its consumer is registered, and it has three rows."""
    keys = {"deleted_at": "gone", "row_mode": "plain", **keys}
    made = Pipeline(queue, target, TABLE, trigger or ("logutriga",), **keys)
    made.drain()
    made.insert(3)
    return made


def deletes(queue: Queue) -> list[datetime]:
    """Times of all events that delete or truncate, in order."""
    events = queue.source.value("select pgq.current_event_table(%s)", queue.name)
    return queue.source.column(f"select ev_time from {events} where ev_type ~ '^[DR]|DELETE' order by ev_id")


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("trigger", [("logutriga",), ("sqltriga",), ("jsontriga",)], ids=lambda each: each[0])
def test_a_deleted_row_says_when(queue: Queue, target: Database, trigger: tuple[str, ...]) -> None:
    """It is the time of the event; the row is as it was."""
    job = archive(queue, target, *trigger)
    job.source.execute("update t set note = 'last' where id = 2; delete from t where id = 2")
    queue.tick()
    job.drain()
    before = target.rows("select note, gone from t where id = 2")
    job.source.execute("delete from t where id = 3")
    queue.tick()
    assert job.drain()["outcomes"] == {"delete,row": 1}
    first, second = deletes(queue)
    assert before == [("last", first)]
    assert target.rows("select id, gone from t order by id") == [(1, None), (2, first), (3, second)]


@pytest.mark.usefixtures("way")
def test_a_row_that_comes_back_was_not_deleted(queue: Queue, target: Database) -> None:
    """Whether in a later batch, or in the same; the row is what it is now."""
    job = archive(queue, target)
    job.source.execute("delete from t where id < 3")
    queue.tick()
    job.drain()
    job.source.execute("insert into t values (1, '2026-11-24', 'new')")
    job.source.execute("delete from t where id = 3; insert into t values (3, '2026-11-24', 'new')")
    queue.tick()
    assert job.drain()["dead_letters"] == 0
    assert target.rows("select id, note, gone is null from t order by id") == [
        (1, "new", True),
        (2, "note 2", False),
        (3, "new", True),
    ]


@pytest.mark.usefixtures("way")
def test_a_truncate_deletes_all_rows(queue: Queue, target: Database) -> None:
    """Rows that were deleted before keep their time."""
    job = archive(queue, target)
    queue.attach_truncate("t", "logutriga")
    job.source.execute("delete from t where id = 1")
    job.source.execute("truncate t")
    job.source.execute("insert into t values (4, '2026-11-24', 'new')")
    queue.tick()
    job.drain()
    first, second = deletes(queue)
    assert target.rows("select id, gone from t order by id") == [
        (1, first),
        (2, second),
        (3, second),
        (4, None),
    ]


@pytest.mark.usefixtures("way")
def test_a_delete_of_a_row_that_is_not_there_is_ignored(queue: Queue, target: Database) -> None:
    """As it is where rows are removed."""
    job = archive(queue, target)
    job.drain()
    target.execute("delete from t where id = 1")
    job.source.execute("delete from t where id = 1")
    queue.tick()
    assert job.drain()["outcomes"]["delete,ignored"] == 1
    assert target.column("select id from t order by id") == [2, 3]


def test_the_column_must_be_there(queue: Queue, target: Database) -> None:
    """The error says which key names it."""
    job = archive(queue, target)
    target.execute("alter table t drop column gone")
    with pytest.raises(SetupError, match=r"table public\.t has no column gone, which deleted_at names"):
        job.drain()


@pytest.mark.parametrize("mode", ["append_only_parent", "ignore"])
def test_no_delete_is_lost_where_the_column_is_lacking(queue: Queue, target: Database, mode: str) -> None:
    """In a partition of its own, or with on_new_column = ignore: the job stops."""
    keys: dict[str, object] = {"on_new_column": "ignore"}
    if mode != "ignore":
        keys = {"part_kind": "alone", "part_field": "_EVTIME"}
    job = archive(queue, target, **keys)
    target.execute("alter table t drop column gone")
    job.drain(deleted_at="")
    if mode != "ignore":
        target.execute("alter table t add column gone timestamptz")
    job.source.execute("delete from t where id = 1")
    queue.tick()
    with pytest.raises(SetupError, match=r"has no column gone, which deleted_at names"):
        job.drain()


@pytest.mark.usefixtures("way")
def test_a_truncate_says_what_the_table_can_hold(queue: Queue, target: Database) -> None:
    """With on_new_column = ignore other columns are left out, there as everywhere."""
    job = archive(queue, target, on_new_column="ignore", fields="*, _OP:op")
    queue.attach_truncate("t", "logutriga")
    job.source.execute("truncate t")
    queue.tick()
    job.drain()
    assert target.column("select gone is not null from t") == [True] * 3


@pytest.mark.usefixtures("way")
def test_only_deleted_rows_make_way_for_a_new_key(queue: Queue, target: Database) -> None:
    """A row that is not deleted stays: the change is a bad event."""
    job = archive(queue, target)
    job.source.execute("delete from t where id = 3")
    queue.tick()
    job.drain()
    for old, new in ((1, 2), (2, 3)):
        change = (f"id={each}&day=2026-11-01&note=was{old}" for each in (new, old))
        job.source.execute("select pgq.insert_event('q', 'U:id', %s, 'public.t', %s, null, null)", *change)
    queue.tick()
    assert job.drain()["dead_letters"] == 1
    assert target.rows("select id, note, gone from t order by id") == [(1, "note 1", None), (3, "was2", None)]


def test_an_insert_without_a_key_finds_no_former_row(queue: Queue, target: Database) -> None:
    """Those of sqltriga name none: a row that comes back is a bad event."""
    job = archive(queue, target, "sqltriga")
    job.source.execute("delete from t where id = 1")
    queue.tick()
    job.drain()
    job.source.execute("insert into t values (1, '2026-11-24', 'new')")
    queue.tick()
    assert job.drain()["dead_letters"] == 1
    job.source.execute("update t set note = 'newer' where id = 1")
    queue.tick()
    assert job.drain()["dead_letters"] == 1
    assert target.rows("select note, gone is not null from t where id = 1") == [("note 1", True)]


@pytest.mark.usefixtures("way")
def test_changes_of_a_row_beside_its_former_self(queue: Queue, target: Database) -> None:
    """Without a unique index both are there, and only the living one changes."""
    job = archive(queue, target, "sqltriga")
    target.execute("alter table t drop constraint t_pkey")
    job.source.execute("delete from t where id = 1")
    queue.tick()
    job.source.execute("insert into t values (1, '2026-11-24', 'new')")
    job.source.execute("update t set note = 'newer' where id = 1")
    queue.tick()
    job.drain()
    found = target.rows("select note, gone is not null from t where id = 1 order by 2")
    assert found == [("newer", False), ("note 1", True)]
