"""Inserts, updates and deletes of real triggers, in every format, make the target equal to the source."""

from __future__ import annotations

import pytest
from harness.rows.job import drain, job_keys
from harness.rows.mirror import TRIGGERS, Mirror
from harness.servers.database import Database
from harness.servers.queue import Queue


def test_changes_of_one_batch_are_applied_in_order(mirror: Mirror) -> None:
    """Inserts, updates and deletes of the same rows in one batch end up as in the source."""
    mirror.source.execute(r"""
        insert into t
            select g, 'a''b\c', date '2026-11-01' + g % 3, 'first', 1.50 from generate_series(1, 30) g;
        update t set txt = 'it''s \N' || chr(10) || chr(9) || '€', n = null where id % 2 = 0;
        update t set txt = 'again' where id % 4 = 0;
        delete from t where id % 5 = 0;
        insert into t select g, 'a''b\c', '2026-11-05', 'back', 2 from generate_series(5, 30, 5) g;
        update t set n = n + 1 where id % 3 = 0;
        delete from t where id = 30;
    """)
    values = mirror.drain()
    assert mirror.agree()
    assert (values["dead_letters"], values["ignored"]) == (0, 0)
    assert values["rows"] == values["events"] == 30 + 15 + 7 + 6 + 6 + 10 + 1


def test_changes_of_later_batches_find_their_rows(mirror: Mirror) -> None:
    """Even if they now belong to another partition: a row moves with its date."""
    mirror.source.execute(
        "insert into t select g, '', date '2026-11-01' + g % 3, 'first', 1 from generate_series(1, 30) g"
    )
    mirror.drain()
    mirror.source.execute("""
        update t set day = day + 1, txt = 'moved' where id <= 10;
        update t set txt = 'stayed' where id > 20;
        delete from t where id in (1, 15, 25);
    """)
    values = mirror.drain()
    assert mirror.agree()
    assert values["rows"] == 10 + 10 + 3


def test_a_hot_row_takes_its_last_state(mirror: Mirror) -> None:
    """However often a batch changes it."""
    mirror.source.execute("insert into t values (1, 'x', '2026-11-01', 'first', 0)")
    mirror.drain()
    for _ in range(20):
        mirror.source.execute("update t set n = n + 1")
    values = mirror.drain()
    assert mirror.agree()
    assert values["rows"] == 20


def test_a_change_of_a_row_that_is_not_there(mirror: Mirror) -> None:
    """A whole row is added, a delete has nothing to do."""
    mirror.source.execute("insert into t select g, '', '2026-11-01', 'x', 1 from generate_series(1, 3) g")
    mirror.drain()
    mirror.target.execute("delete from t where id in (1, 2)")
    mirror.source.execute("update t set txt = 'new' where id = 1; delete from t where id = 2")
    values = mirror.drain()
    assert mirror.agree()
    assert (values["rows"], values["ignored"], values["dead_letters"]) == (1, 1, 0)


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_without_old_rows(source: Database, target: Database, trigger: str) -> None:
    """Updates and deletes are applied as far as their text allows; the rest become dead letters."""
    mirror = Mirror(source, target, trigger)
    source.execute("insert into t select g, '', '2026-11-01', 'x', 1 from generate_series(1, 9) g")
    mirror.drain()
    source.execute("""
        update t set txt = 'new' where id < 3;
        delete from t where id in (4, 5);
        insert into t values (5, '', '2026-11-02', 'again', 7);
    """)
    mirror.drain()
    assert mirror.agree()
    source.execute("update t set day = '2026-11-03' where id = 1")
    values = mirror.drain()
    if trigger == "sqltriga":
        assert values["dead_letters"] == 1
        reason = target.value("select reason from tdsup.dead_letter")
        assert reason.startswith("it changes day, which names the partition, and does not hold the whole row")
    else:
        assert mirror.agree()


def test_columns_that_only_the_target_has_survive_an_update(source: Database, target: Database) -> None:
    """An update changes the columns of the event, and no other."""
    mirror = Mirror(source, target, "logutriga")
    target.execute("alter table t add loaded timestamptz default now()")
    mirror.drain()
    source.execute("insert into t values (1, '', '2026-11-01', 'x', 1)")
    mirror.drain()
    loaded = target.value("select loaded from t")
    source.execute("update t set txt = 'y'")
    mirror.drain()
    assert target.rows("select txt, loaded from t") == [("y", loaded)]


def test_keep_all_makes_every_state_a_row(source: Database, target: Database) -> None:
    """A change log: each insert and update is a row, deletes and truncates leave it alone."""
    mirror = Mirror(source, target, "logutriga")
    keys = {"row_mode": "keep_all", "part_template": "create table _DEST_TABLE () inherits (t)"}
    mirror.drain(**keys)
    source.execute(
        "insert into t values (1, '', '2026-11-01', 'x', 1); update t set txt = 'y'; delete from t"
    )
    values = mirror.drain(**keys)
    assert target.column("select txt from t order by txt") == ["x", "y"]
    assert (values["events"], values["rows"], values["ignored"]) == (3, 2, 1)


def test_event_types_choose(source: Database, target: Database) -> None:
    """An archive can take updates and keep what the source deletes."""
    mirror = Mirror(source, target, "logutriga")
    mirror.drain(event_types="I, U")
    source.execute(
        "insert into t values (1, '', '2026-11-01', 'x', 1); update t set txt = 'y'; delete from t"
    )
    source.execute("truncate t")
    values = mirror.drain(event_types="I, U")
    assert target.column("select txt from t") == ["y"]
    assert (values["events"], values["rows"], values["ignored"]) == (4, 2, 2)


def test_a_bad_change_does_not_take_a_good_one_along(source: Database, target: Database) -> None:
    """Only the last state of a row needs to fit; if it does not, the last one that does stays."""
    mirror = Mirror(source, target, "logutriga")
    target.execute("alter table t add check (n < 10)")
    mirror.drain()
    source.execute("insert into t values (1, '', '2026-11-01', 'first', 1)")
    source.execute("update t set n = 50; update t set n = 5")
    values = mirror.drain()
    assert mirror.agree()
    assert (values["events"], values["rows"], values["dead_letters"]) == (3, 3, 0)
    source.execute("update t set n = 6; update t set txt = 'good'; update t set n = 60; update t set n = 70")
    values = mirror.drain()
    assert (values["events"], values["rows"], values["dead_letters"]) == (4, 2, 2)
    assert target.rows("select n, txt from t") == [(6, "good")]


def test_identity_columns_take_the_source_s_values(source: Database, target: Database) -> None:
    """Also where the target would always generate them; a generated column computes its own."""
    mirror = Mirror(source, target, "sqltriga", "backup")
    target.execute(
        "drop table t; create table t (id int generated always as identity, k2 text, day date, txt text, "
        "n numeric generated always as (1) stored, primary key (id, k2))"
    )
    changes = {"part_template": "", "on_new_column": "ignore"}
    source.execute("insert into t select g, '', '2026-11-01', 'x', 1 from generate_series(1, 3) g")
    mirror.drain(**changes)
    source.execute("update t set txt = 'y' where id = 1; update t set day = '2026-11-02' where id = 2")
    source.execute("delete from t where id = 3; insert into t values (9, '', '2026-11-01', 'z', 1)")
    mirror.drain(**changes)
    assert mirror.agree()


def test_a_touch_without_a_change_is_ignored(source: Database, target: Database) -> None:
    """An update by sqltriga that names its key only asks for nothing."""
    mirror = Mirror(source, target, "sqltriga")
    source.execute("insert into t values (1, '', '2026-11-01', 'x', 1)")
    source.execute("update t set txt = txt")
    values = mirror.drain()
    assert mirror.agree()
    assert values["events"] == values["rows"] + values["ignored"]


def test_one_row_that_comes_and_goes(source: Database, target: Database, queue: Queue) -> None:
    """However often in one batch, the server's table of locks suffices."""
    target.execute("create table t (id int primary key, txt text)")
    keys = job_keys(source, target)
    drain(**keys)
    locks = target.value(
        "select current_setting('max_locks_per_transaction')::int * current_setting('max_connections')::int"
    )
    source.execute(
        "select pgq.insert_event('q', case g %% 2 when 0 then 'I:id' else 'D:id' end, "
        "'id=1&txt=a', 'public.t', null, null, null) from generate_series(0, %s) g",
        locks,
    )
    queue.tick()
    values = drain(**keys)
    assert (values["rows"], values["dead_letters"]) == (locks + 1, 0)
    assert target.column("select id from t") == [1]


def test_rows_that_refer_to_each_other_change_as_in_the_source(
    source: Database, target: Database, queue: Queue
) -> None:
    """A key of the table on itself does not make good changes dead letters."""
    for database in (source, target):
        database.execute("create table t (id int primary key, up int references t)")
    queue.attach("t")
    keys = job_keys(source, target)
    drain(**keys)
    source.execute("insert into t values (1, null), (2, 1), (3, null)")
    queue.tick()
    drain(**keys)
    source.execute("update t set up = null where id = 2; delete from t where id = 1")
    source.execute("insert into t values (4, null); update t set up = 4 where id = 3")
    queue.tick()
    assert drain(**keys)["dead_letters"] == 0
    assert target.rows("select * from t order by id") == source.rows("select * from t order by id")


@pytest.mark.parametrize("source_of_time", ["_EVTIME", "_BATCHTIME"])
def test_keep_latest_by_other_times_removes_what_is_there(
    source: Database, target: Database, source_of_time: str
) -> None:
    """A delete tells the partition by its own time, or by that of its batch."""
    mirror = Mirror(source, target, "logutriga")
    keys = {"row_mode": "keep_latest", "part_field": source_of_time, "part_method": "yearly"}
    source.execute("insert into t values (1, '', '2026-11-01', 'x', 1), (2, '', '2026-11-01', 'y', 1)")
    mirror.drain(**keys)
    source.execute("delete from t where id = 2")
    values = mirror.drain(**keys)
    assert target.column("select txt from t") == ["x"]
    assert (values["dead_letters"], values["ignored"]) == (0, 0)
