"""Jobs that load several tables: sections ``[table …]``."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from harness.several.threetables import Several
from tdsup.dispatcher.errors import SetupError


def test_each_table_has_its_own_settings(several: Several) -> None:
    """Of one batch: one is partitioned by day, one by month and with fewer columns, one is as it is."""
    sections = {
        "a": {"part_field": "day"},
        "b": {"part_field": "day", "part_method": "monthly", "fields": "id, day"},
        "more.c": {"dest_table": "other"},
    }
    several.target.execute("create table other (id int primary key, day date, note text)")
    several.run(
        "insert into a values (1, '2026-11-24', 'x'), (2, '2026-11-25', 'y')",
        "insert into b values (1, '2026-11-24', 'x')",
        "insert into more.c values (1, '2026-11-24', 'x')",
        "update a set note = 'z' where id = 1",
        "update more.c set note = 'z' where id = 1",
    )
    values = several.drain(sections)
    assert (values["events"], values["rows"], values["dead_letters"]) == (6, 6, 0)
    assert several.same("a")
    assert several.target.column("select note from a_2026_11_24") == ["z"]
    assert several.target.rows("select id, note from b_2026_11") == [(1, None)]
    assert several.rows("other") == several.source.rows("select * from more.c")
    assert several.rows("more.c") == []


def test_two_tables_whose_names_come_to_one(several: Several) -> None:
    """The rows of the second one are bad events: each was to have a table of its own."""
    several.source.execute("create schema more_c; create table more_c.d (id int primary key)")
    several.source.execute("create table more.c_d (id int primary key)")
    several.queue.attach("more_c.d")
    several.queue.attach("more.c_d")
    several.target.execute("create table more_c_d (id int primary key)")
    sections = {"*.*": {"dest_table": "%(schema)s_%(table)s"}}
    several.run("insert into more.c_d values (1)")
    assert several.drain(sections)["dead_letters"] == 0
    several.run("insert into more_c.d values (1)", "delete from more.c_d", "insert into more.c_d values (2)")
    assert several.drain(sections)["dead_letters"] == 1
    assert several.rows("more_c_d") == [(2,)]


def test_what_a_section_leaves_out_is_as_in_the_job(several: Several) -> None:
    """All but the table."""
    several.run("insert into a values (1, '2026-11-24')", "insert into b values (2, '2026-11-24')")
    several.drain({"a": {"part_method": "yearly"}, "b": {}}, part_field="day", part_method="monthly")
    assert several.target.column("select id from a_2026") == [1]
    assert several.target.column("select id from b_2026_11") == [2]


@pytest.mark.parametrize(
    ("keys", "rows", "dead", "passed"),
    [
        ({"unlisted_tables": "ignore"}, 1, 0, 2),
        ({"unlisted_tables": "error"}, 1, 2, 0),
        ({}, 1, 2, 0),
        ({"dest_table": "rest"}, 3, 0, 0),
        ({"dest_table": "rest", "unlisted_tables": "ignore"}, 1, 0, 2),
    ],
)
def test_events_of_tables_without_a_section(
    several: Several, keys: Mapping[str, object], rows: int, dead: int, passed: int
) -> None:
    """They are left out, are bad events, or go to the job's own table."""
    several.target.execute("create table rest (id int, day date, note text)")
    several.run("insert into a values (1)", "insert into b values (2)", "insert into more.c values (3)")
    values = several.drain({"a": {}}, **keys)
    assert (values["rows"], values["dead_letters"], values["passed_over"]) == (rows, dead, passed)
    assert several.same("a")
    assert several.target.column("select id from rest order by 1") == ([2, 3] if rows == 3 else [])
    if dead:
        reasons = several.target.column("select reason from tdsup.dead_letter order by 1")
        assert reasons[0] == "it is of more.c, for which there is no section (unlisted_tables)"


def test_the_most_exact_section_counts(several: Several) -> None:
    """A name before a pattern, of two patterns the longer one; names may be put together."""
    several.target.execute(
        "create table x_a (like a including all); create table short_b (like a including all); "
        "create table long_c (like a including all)"
    )
    several.run("insert into a values (1)", "insert into b values (2)", "insert into more.c values (3)")
    several.drain({
        "a": {"dest_table": "x_%(table)s"},
        "*.*": {"dest_table": "short_%(table)s"},
        "more.?": {"dest_table": "public.long_%(table)s"},
    })  # fmt: skip
    assert several.target.column("select id from x_a") == [1]
    assert several.target.column("select id from short_b") == [2]
    assert several.target.column("select id from long_c") == [3]


def test_each_table_has_given_columns_of_its_own(several: Several) -> None:
    """What one section tells of changes is not in the rows of others; a pattern tells the table."""
    several.target.execute(
        "create table log (op text, change bigint, tx bigint, region text, tab text, id int); "
        "alter table a add at timestamptz, add region text"
    )
    several.run(
        "insert into a values (1, '2026-11-24')",
        "insert into b values (2, '2026-11-24')",
        "insert into more.c values (3, '2026-11-24'); delete from more.c",
    )
    log = "_OP:op, _EVID:change, _TXID:tx, _TABLE:tab, id"
    sections = {
        "*.*": {"dest_table": "log", "fields": log, "row_mode": "append"},
        "a": {"fields": "*, _EVTIME:at", "part_field": ""},
    }
    assert several.drain(sections, constants="region: eu")["rows"] == 4
    events = several.source.value("select pgq.current_event_table(%s)", several.queue.name)
    wanted = several.source.rows(
        "select left(ev_type, 1), ev_id, ev_txid, 'eu', ev_extra1, substr(ev_data, 4, 1)::int "
        f"from {events} where ev_extra1 <> 'public.a' order by ev_id"
    )
    assert several.target.rows("select * from log order by change") == wanted
    assert several.target.rows("select id, note, at, region from a") == several.source.rows(
        f"select 1, null, ev_time, 'eu' from {events} where ev_extra1 = 'public.a'"
    )


def test_the_source_hands_over_what_a_pattern_stands_for(several: Several) -> None:
    """With its partitions, whatever these are called; nothing else."""
    for database in (several.source, several.target):
        database.execute("create table more.p (id int, day date) partition by list (id)")
    several.source.execute("create table p_1 partition of more.p default")
    several.target.execute("create table more.p_1 partition of more.p default")
    several.queue.attach("more.p")
    several.run("insert into a values (1)", "insert into more.c values (2)", "insert into more.p values (3)")
    values = several.drain({"more.*": {}}, unlisted_tables="ignore")
    assert (values["events"], values["passed_over"], values["rows"]) == (2, 1, 2)
    assert several.same("more.c", "more.p")


def test_a_truncate_empties_its_own_table(several: Several) -> None:
    """Those of the others stay; where several tables share one of the target it is a dead letter."""
    several.queue.attach_truncate("a")
    several.queue.attach_truncate("b")
    several.run("insert into a values (1)", "insert into b values (2)", "truncate a")
    assert several.drain({"a": {}, "b": {}})["rows"] == 3
    assert several.same("a", "b")
    several.run("truncate b")
    assert several.drain({"?": {"dest_table": "b"}})["dead_letters"] == 1
    assert several.target.column("select id from b") == [2]


def test_auto_remembers_its_choice_for_each_table(several: Several) -> None:
    """One is changed, one is a log; an index that comes later does not change that unseen."""
    several.target.execute("alter table b drop constraint b_pkey")
    changes = (
        "insert into a values (1); update a set note = 'x'; insert into b values (1); update b set note = 'x'"
    )
    several.run(changes)
    several.drain({"a": {}, "b": {}})
    assert several.same("a")
    assert several.target.value("select count(*) from b") == 2
    memory = several.target.value("select row_mode from tdsup.consumer")
    assert list(memory["tables"]) == ["public.a", "public.b"]
    several.target.execute("truncate b; alter table b add primary key (id)")
    several.run("update b set note = 'y'")
    with pytest.raises(SetupError, match="row_mode = auto chose append and would choose plain now"):
        several.drain({"a": {}, "b": {}})
