"""The key ``where``: a row is in the target while it matches."""

from __future__ import annotations

import pytest
from harness.rows.job import Keys, drain, job_keys
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.load.rows import RowLoader


@pytest.fixture
def keys(source: Database, target: Database, queue: Queue) -> Keys:
    """Keys of a job whose consumer is registered; its tables are called t."""
    source.execute("create table t (id int primary key, status text, amount text, note text)")
    target.execute("create table t (id int primary key, note text)")
    queue.attach("t")
    found = job_keys(source, target, fields="id, note", where="status in (new, paid) and amount > 0")
    drain(**found)
    return found


def test_a_row_comes_and_goes(source: Database, target: Database, queue: Queue, keys: Keys) -> None:
    """By columns that are not loaded: an update brings a row, keeps it up to date, and removes it."""
    source.execute("insert into t values (1, 'new', 1, 'a'), (2, 'old', 1, 'b'), (3, 'paid', null, 'c')")
    queue.tick()
    assert drain(**keys)["outcomes"] == {"insert,row": 1, "insert,ignored": 2}
    assert target.rows("select * from t") == [(1, "a")]
    # Comes, changes, stays away.
    source.execute("update t set status = 'paid', note = upper(note)")
    queue.tick()
    assert drain(**keys)["outcomes"] == {"update,row": 2, "update,ignored": 1}
    assert target.rows("select * from t order by id") == [(1, "A"), (2, "B")]
    source.execute("update t set amount = 0 where id > 1; delete from t where id < 3")
    queue.tick()
    values = drain(**keys)
    assert values["outcomes"] == {"update,row": 1, "update,ignored": 1, "delete,row": 1, "delete,ignored": 1}
    assert target.rows("select * from t") == []


@pytest.mark.parametrize("mode", ["append", "keep_all"])
def test_a_log_of_changes_has_those_that_match(
    source: Database, target: Database, queue: Queue, keys: Keys, mode: str
) -> None:
    """Where changes are added as rows, an update that does not match is ignored."""
    target.execute("alter table t drop constraint t_pkey")
    source.execute("insert into t values (1, 'new', 1, 'a'), (2, 'old', 1, 'b')")
    source.execute("update t set note = 'c'; update t set status = 'old', note = 'd'")
    queue.tick()
    assert drain(**keys, row_mode=mode)["outcomes"] == {
        "insert,row": 1,
        "insert,ignored": 1,
        "update,row": 1,
        "update,ignored": 3,
    }
    assert target.rows("select * from t order by note") == [(1, "a"), (1, "c")]


def test_what_cannot_be_told_is_a_dead_letter(target: Database, queue: Queue, keys: Keys) -> None:
    """A value that is no number, and a column that an event does not tell; a key tells enough to delete."""
    for type_, data in (
        ("I:id", "id=1&status=new&amount=much&note=secret"),
        ("I:id", "id=2&status=new&note=a"),
        ("I:id", "id=3&status=old&amount=much"),
        ("U", "note='a' where id='4'"),
        ("I:id", "id=5&status=new&amount=7&note=a"),
        ("D:id", "id=5"),
    ):
        queue.insert(type_, data, "public.t")
    queue.tick()
    assert drain(**keys)["outcomes"] == {
        "insert,row": 1,
        "insert,ignored": 1,
        "insert,dead_letter": 2,
        "update,dead_letter": 1,
        "delete,row": 1,
    }
    assert target.column("select reason from tdsup.dead_letter order by ev_id") == [
        "its column amount is no number, and where compares it with one",
        "it has no column amount, which where names",
        "it has no column status, which where names",
    ]


def test_rows_that_do_not_match_take_the_block_path(
    source: Database, target: Database, queue: Queue, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of them as well: none is read one by one."""
    taken = []
    monkeypatch.setattr(RowLoader, "take", lambda *event: taken.append(event))
    source.execute(
        "insert into t select g, case when g > 900 then 'new' end, 1 from generate_series(1, 1000) g"
    )
    queue.tick()
    assert drain(**keys)["outcomes"] == {"insert,row": 100, "insert,ignored": 900}
    source.execute("update t set status = 'gone' where id % 2 = 0")
    queue.tick()
    assert drain(**keys)["outcomes"] == {"update,row": 50, "update,ignored": 450}
    assert not taken
    assert target.value("select count(*) from t") == 50
