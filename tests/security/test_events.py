"""Whoever may insert events fills the target's tables, and can do nothing else there."""

from __future__ import annotations

from typing import Any

import pytest
from harness.rows.job import Keys, act, drain, job_keys
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.errors import SetupError

pytestmark = pytest.mark.usefixtures("without_pgqd")

BY_DAY: dict[str, Any] = {"part_field": "day"}


@pytest.fixture
def keys(source: Database, target: Database, queue: Queue) -> dict[str, Any]:
    """A job that has begun; `queue` is there."""
    target.execute("create table t (id int primary key, day date, note text)")
    keys = job_keys(source, target)
    drain(**keys)
    return keys


def reasons(target: Database) -> list[str]:
    """Why events are dead letters, in their order."""
    return target.column("select reason from tdsup.dead_letter order by ev_id")


INJECTED = "id'); create table stolen (); select ('"
"""A key that becomes SQL where it is written into a literal."""

TEMPLATES = {
    "a literal": "create table _DEST_TABLE () inherits (_PARENT); comment on table _DEST_TABLE is '_PKEY'",
    "an execute": "create table _DEST_TABLE () inherits (_PARENT);"
    "do $$begin execute 'alter table _DEST_TABLE add primary key (_PKEY)'; end$$",
    "an argument": "create table _DEST_TABLE () inherits (_PARENT); select length('_PKEY')",
    "a name": "create table _DEST_TABLE () inherits (_PARENT); create index on _DEST_TABLE (_PKEY)",
}


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("key", [INJECTED, 'id"', "$$; drop table t", "ID", "other", ""])
def test_a_key_that_is_no_column_reaches_no_template(
    target: Database, queue: Queue, keys: dict[str, Any], name: str, key: str
) -> None:
    """Its event is a dead letter; those before and after it go into the table."""
    template = TEMPLATES[name]
    queue.send("id=1&day=2026-11-01", type_=f"I:{key}")
    queue.send("id=2&day=2026-11-02")
    values = drain(**keys, **BY_DAY, part_template=template, merge_events=0)
    assert (values["rows"], values["dead_letters"]) == (1, 1)
    assert target.value("select to_regclass('stolen') is null and to_regclass('t_2026_11_01') is null")
    (reason,) = reasons(target)
    assert reason.startswith("part_template says _PKEY, and ")


def test_the_key_of_a_table_without_parent_reaches_no_template(
    source: Database, target: Database, queue: Queue
) -> None:
    """Nothing tells a column from SQL; that is no event's fault, so the job is blocked."""
    template = "create table t (id int, primary key (_PKEY))"
    keys = job_keys(source, target, row_mode="plain", part_template=template)
    drain(**keys)
    queue.send("id=1")
    with pytest.raises(SetupError, match=r"part_template says _PKEY, and there is no public\.t that has"):
        drain(**keys)
    assert target.value("select to_regclass('t') is null")


def test_a_key_of_the_source_reaches_no_template(source: Database, target: Database, queue: Queue) -> None:
    """Nor does the name of a column there, where the choice of the row mode tries the template."""
    injected = 'id"); create table stolen (); --'
    quoted = injected.replace('"', '""')
    source.execute(f'create table t ("{quoted}" int primary key, day date)')
    queue.attach("t")
    target.execute("create table t (id int primary key, day date)")
    template = "create table _DEST_TABLE () inherits (_PARENT); select '_PKEY'"
    keys = job_keys(source, target, part_template=template, on_new_column="ignore", **BY_DAY)
    drain(**keys)
    source.execute("insert into t values (1, '2026-11-01')")
    queue.tick()
    assert drain(**keys)["dead_letters"] == 1
    assert target.value("select to_regclass('stolen') is null and to_regclass('t_2026_11_01') is null")


def test_a_bad_key_does_not_spoil_the_partition(target: Database, queue: Queue, keys: dict[str, Any]) -> None:
    """The next event of the same columns makes it, and then both have a place."""
    template = "create table _DEST_TABLE (primary key (_PKEY)) inherits (_PARENT)"
    queue.send("id=1&day=2026-11-01", type_="I:nothing", tick=False)
    queue.send("id=2&day=2026-11-01")
    assert drain(**keys, **BY_DAY, part_template=template)["rows"] == 2


@pytest.mark.parametrize("depth", [400, 990, 200_000])
@pytest.mark.parametrize("pair", ["[]", "{}"])
@pytest.mark.parametrize("type_", ["public.t", '{"op":"INSERT","pkey":["id"]}'])
def test_json_of_any_depth(
    source: Database, target: Database, queue: Queue, depth: int, pair: str, type_: str
) -> None:
    """It is a row or a dead letter; the job goes on."""
    target.execute("create table t (id int primary key, day date, note json[])")
    keys = job_keys(source, target)
    drain(**keys)
    inside = {"[]": "[" * depth + "]" * depth, "{}": '{"a":' * depth + "1" + "}" * depth}[pair]
    queue.send(f'{{"id": 1, "note": [{inside}]}}', type_=type_, tick=False)
    queue.send('{"id": 2}', type_=type_)
    values = drain(**keys)
    assert values["rows"] + values["dead_letters"] == 2
    assert target.value("select count(*) from t where id = 2") == 1


@pytest.mark.parametrize("native", [False, True])
def test_no_partition_is_made_for_a_slip_of_a_date(
    source: Database, target: Database, queue: Queue, *, native: bool
) -> None:
    """Neither before 1970 nor more than five years ahead."""
    target.execute("create table t (id int, day date)" + (" partition by range (day)" if native else ""))
    keys = job_keys(source, target, row_mode="append", **BY_DAY)
    drain(**keys)
    days = ["0100-01-01", "1969-12-31", "1970-01-01", "2026-11-01", "2099-01-01", "9999-01-01"]
    queue.send(*(f"id={number}&day={day}" for number, day in enumerate(days)))
    assert drain(**keys)["dead_letters"] == 4
    assert target.column("select day::text from t order by 1") == ["1970-01-01", "2026-11-01"]
    assert target.value("select count(*) from pg_inherits where inhparent = 't'::regclass") == 2
    first, *_, last = reasons(target)
    assert first == "there is no partition for 0100-01-01, and none is made before 1970-01-01 (part_past)"
    assert last.startswith("there is no partition for 9999-01-01, and none is made after ")


@pytest.mark.parametrize("native", [False, True])
def test_what_has_a_partition_goes_in(
    source: Database, target: Database, queue: Queue, *, native: bool
) -> None:
    """Of whatever time, and older ones are made where there is an older one; a default one takes the rest."""
    if native:
        target.execute(
            "create table t (id int, day date) partition by range (day);"
            "create table old partition of t for values from ('1900-01-01') to ('1900-01-02');"
            "create table rest partition of t default"
        )
    else:
        target.execute("create table t (id int, day date); create table t_1900_01_01 () inherits (t)")
    keys = job_keys(source, target, row_mode="append", **BY_DAY)
    drain(**keys)
    queue.send(*(f"id=1&day={day}" for day in ("1900-01-01", "1901-01-01", "1899-12-31", "2099-01-01")))
    assert drain(**keys)["dead_letters"] == (0 if native else 2)
    made = target.column("select inhrelid::regclass::text from pg_inherits where inhparent = 't'::regclass")
    assert "t_1901_01_01" in made
    assert not {"t_1899_12_31", "t_2099_01_01"} & set(made)


def test_the_file_may_say_otherwise(target: Database, queue: Queue, keys: dict[str, Any]) -> None:
    """An archive of old letters has partitions of its own time."""
    queue.send("id=1&day=1666-09-02", "id=2&day=2040-01-01", "id=3&day=1600-01-01")
    asked = {"part_past": "1650-01-01", "part_future": "20 years"}
    assert drain(**keys, **BY_DAY, **asked)["dead_letters"] == 1
    assert target.column("select id from t order by id") == [1, 2]


def test_a_batch_makes_a_limited_number_of_partitions(
    target: Database, queue: Queue, keys: dict[str, Any]
) -> None:
    """The rest are dead letters, over all passes of the batch; the next batch makes others."""
    days = target.column(
        "select d::date::text from generate_series(date '2020-01-01', '2020-01-20', '1 day') d"
    )
    queue.send(*(f"id={number}&day={day}" for number, day in enumerate(days)))
    values = drain(**keys, **BY_DAY, part_limit=5)
    assert (values["rows"], values["dead_letters"], values["partitions"]) == (5, 15, 5)
    assert "no more than 5 are made for a batch (part_limit)" in reasons(target)[0]
    act("replay", {**keys, **BY_DAY})
    assert target.value("select count(*) from t") == 20


def test_new_columns_are_few(target: Database, queue: Queue, keys: dict[str, Any]) -> None:
    """No more than a hundred for a batch, whichever events ask for them, and no table gets too wide."""
    queue.send(*(f"id={number}&new_{number}=1" for number in range(150)))
    values = drain(**keys, on_new_column="add", bad_event_limit=1000)
    width = "select count(*) from pg_attribute where attrelid = 't'::regclass and attnum > 0"
    assert (values["dead_letters"], target.value(width)) == (50, 103)
    target.execute("alter table t " + ", ".join(f"add column wide_{number} int" for number in range(890)))
    queue.send(*(f"id={number}&more_{number}=1" for number in range(200, 210)))
    assert drain(**keys, on_new_column="add")["dead_letters"] == 3
    assert "beyond 1000" in reasons(target)[-1]


def test_a_reason_is_short_and_printable(target: Database, queue: Queue, keys: dict[str, Any]) -> None:
    """Whatever names an event has; a terminal shows it and does nothing else."""
    names = "&".join(f"{'n' * 50}{number}=1" for number in range(1_500))
    queue.send(f"id=1&{names}", "id=2&%1b%5d0%3btitle%07%0a%c2%9b=1", "id=3&%e2%80%aeevil=1")
    drain(**keys)
    shown = reasons(target)
    assert len(shown) == 3
    assert all(reason.isprintable() and len(reason) < 1100 for reason in shown)
    assert shown[0].startswith("table public.t has no column nnn")
    assert r"\x1b]0;title\x07\n\x9b" in shown[1]
    assert r"\u202eevil" in shown[2]
    for line in (*act("list", keys), *act("show", keys, "1", "2", "3"), *act("replay", keys)):
        assert line.isprintable()


@pytest.mark.parametrize("policy", ["add", "ignore", "dead_letter"])
def test_an_event_with_more_columns_than_any_table(
    target: Database, queue: Queue, keys: dict[str, Any], policy: str
) -> None:
    """It is a dead letter with a short reason, and nothing of its names is kept."""
    queue.send("id=1&" + "&".join(f"n{number}=1" for number in range(20_000)), "id=2")
    values = drain(**keys, on_new_column=policy)
    assert (values["rows"], values["dead_letters"]) == (1, 1)
    assert reasons(target) == ["it has 20001 columns, and no table has more than 1600"]


@pytest.mark.parametrize("type_", ["R", '{"op":"TRUNCATE"}'])
def test_a_truncate_that_no_trigger_writes_empties_nothing(
    target: Database, queue: Queue, keys: dict[str, Any], type_: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever may insert events may send it; it is ignored, which the log says once."""
    queue.send("id=1")
    queue.send("", type_=type_)
    queue.send("", type_=type_)
    values = drain(**keys, merge_events=0)
    assert (values["rows"], values["ignored"], values["dead_letters"]) == (1, 2, 0)
    assert target.value("select count(*) from t") == 1
    assert caplog.text.count("truncates are ignored, as no trigger on truncate feeds queue q; ") == 1


@pytest.mark.parametrize("way", ["trigger", "file"])
def test_a_truncate_that_is_meant(
    source: Database, target: Database, queue: Queue, keys: dict[str, Any], way: str
) -> None:
    """A trigger on truncate, also one made since the job began, or event_types lets it in."""
    source.execute("create table t (id int primary key)")
    queue.attach("t")
    source.execute("insert into t values (1)")
    queue.tick()
    asked: Keys = {"event_types": "I, R"} if way == "file" else {}
    drain(**keys, **asked)
    if way == "trigger":
        queue.attach_truncate("t")
        source.execute("truncate t")
        queue.tick()
    else:
        queue.send("", type_="R")
    assert drain(**keys, **asked)["dead_letters"] == 0
    assert target.value("select count(*) from t") == 0


def test_the_job_remembers_no_more_than_it_can_use(
    target: Database, queue: Queue, keys: dict[str, Any]
) -> None:
    """Thousands of sources, shapes and headers are loaded like any others."""
    for number in range(3000):
        queue.insert("I:id", f"id={number}&x{number}=1", f"public.t{number}")
    queue.tick()
    assert drain(**keys, on_new_column="ignore")["rows"] == 3000
    assert target.value("select count(*) from t") == 3000


@pytest.mark.parametrize("dest_table", ["", "%(schema)s.%(table)s"])
def test_an_event_does_not_write_the_ledger(
    source: Database, target: Database, queue: Queue, dest_table: str
) -> None:
    """Where a pattern lets it name tables: not the positions of consumers, the catalog or PgQ's tables."""
    source.execute("create table t (id int primary key)")
    queue.attach("t")
    target.execute("create table t (id int primary key)")
    keys = {**job_keys(source, target), "tables": {"*.*": {"dest_table": dest_table} if dest_table else {}}}
    del keys["dest_table"]
    drain(**keys)
    source.execute("insert into t values (1)")
    queue.insert(
        "I:consumer_id", "queue_name=evil&consumer_name=evil&last_tick_id=77", "tdsup.completed_tick"
    )
    queue.insert("D:relname", "relname=t", "pg_catalog.pg_class")
    queue.insert("I:consumer_id", "consumer_id=evil", "pgq_ext.completed_tick")
    queue.tick()
    assert drain(**keys)["dead_letters"] == 3
    assert target.column("select id from t") == [1]
    assert target.column("select consumer_name from tdsup.completed_tick") == ["job"]
    assert reasons(target) == [
        f"it goes to {table}, and no rows are put into schema {table.partition('.')[0]}"
        for table in ("tdsup.completed_tick", "pg_catalog.pg_class", "pgq_ext.completed_tick")
    ]
