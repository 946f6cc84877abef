"""Texts arrive as they were, whatever the encodings of the two databases are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from harness.rows.check import examined
from harness.rows.job import act, drain, job_keys
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.sandbox import Cluster, Sandbox

TEXTS = {
    "LATIN1": "Grüße, Ærø, ¼ ÿ",
    "WIN1252": "Grüße für 5 €, „so“ Žižek",
    "LATIN2": "Příliš žluťoučký kůň",
    "KOI8R": "Съешь ещё этих мягких",
    "EUC_JP": "日本語の文字、カタカナ～波ダッシュ",  # noqa: RUF001 (Python and PostgreSQL map it differently)
    "EUC_KR": "한국어 텍스트",
    "EUC_CN": "简体中文",
    "UTF8": "Grüße 日本 한국 ещё 😀",
}

TRIGGERS = ["logutriga", "jsontriga", "sqltriga"]


@contextmanager
def database(cluster: Cluster, encoding: str) -> Iterator[Database]:
    """A fresh database in an encoding."""
    cluster.create_database("encoded", encoding)
    made = Database(f"{cluster.dsn('encoded')} client_encoding=UTF8")
    try:
        yield made
    finally:
        made.close()
        cluster.drop_database("encoded")


@contextmanager
def pair(sandbox: Sandbox, its: str, into: str = "UTF8") -> Iterator[tuple[Database, Database, Queue]]:
    """A source and a target in some encodings, with a queue."""
    with database(sandbox.source, its) as source, database(sandbox.target, into) as target:
        queue = Queue(source, "q")
        queue.create()
        yield source, target, queue


def rows(target: Database, table: str = "t") -> list[tuple[Any, ...]]:
    """What has arrived."""
    return target.rows(f'select * from "{table}" order by id')


@pytest.mark.parametrize("trigger", TRIGGERS)
@pytest.mark.parametrize("encoding", TEXTS)
def test_texts_and_names_arrive(sandbox: Sandbox, encoding: str, trigger: str) -> None:
    """Inserts, updates by a key that is not ASCII, deletes; in columns whose names are not ASCII."""
    text = TEXTS[encoding]
    name = text.split()[0].strip(",")[:8]
    ddl = f'create table t (id text primary key, day date, "{name}" text)'
    with pair(sandbox, encoding) as (source, target, queue):
        source.execute(ddl)
        target.execute(ddl)
        queue.attach("t", function=trigger)
        keys = job_keys(source, target, part_field="day")
        drain(**keys)
        for number in range(3):
            source.execute("insert into t values (%s, '2026-11-01', %s)", f"{name}{number}", text)
        queue.tick()
        assert drain(**keys)["dead_letters"] == 0
        assert rows(target) == [(f"{name}{n}", *row[1:]) for n, row in enumerate(rows(source))]
        source.execute(f"update t set \"{name}\" = 'x' || %s where id = %s", text, f"{name}1")
        source.execute("delete from t where id = %s", f"{name}2")
        queue.tick()
        # sqltriga tells only what has changed, and so not which partition a row is in.
        drain(**keys)
        assert rows(target) == rows(source)


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_the_source_table_s_name(sandbox: Sandbox, trigger: str) -> None:
    """A filter and fields find names that are not ASCII."""
    ddl = 'create table "größe" (id int primary key, "maß" text, rest text)'
    with pair(sandbox, "LATIN1") as (source, target, queue):
        source.execute(ddl)
        target.execute('create table "größe" (id int primary key, "übrig" text)')
        source.execute(
            'create trigger q after insert or update on "größe" '
            f"for each row execute function pgq.{trigger}('q')"
        )
        keys = job_keys(source, target, table="größe", table_filter="größe", fields="id, maß:übrig")
        drain(**keys)
        source.execute("insert into \"größe\" values (1, 'fünf', 'x')")
        queue.tick()
        drain(**keys)
        assert rows(target, "größe") == [(1, "fünf")]
        notes, faults = examined(keys)
        assert faults == []
        assert any("goes to public.größe: id=1 maß=fünf" in note for note in notes)


@pytest.mark.parametrize("target_encoding", ["UTF8", "LATIN1"])
@pytest.mark.parametrize("data", ["id={}&note=%e9&", "id={}&note=\xe9"])
def test_bytes_that_are_no_characters(sandbox: Sandbox, target_encoding: str, data: str) -> None:
    """Of a database without encoding: a dead letter of their event, which keeps them; the rest is loaded."""
    with pair(sandbox, "SQL_ASCII", target_encoding) as (source, target, queue):
        target.execute("create table t (id int, note text)")
        keys = job_keys(source, target)
        drain(**keys)
        for number in range(20):
            raw = (data if number == 7 else "id={}&note=%c3%a9").format(number)
            source.execute(
                "select pgq.insert_event('q', 'I:id', convert_from(%s, 'SQL_ASCII'), 'public.t', "
                "null, null, null)",
                raw.encode("latin-1"),
            )
        queue.tick()
        assert drain(**keys)["dead_letters"] == 1
        assert target.value("select count(*) from t where note = 'é'") == 19
        reason = target.value("select reason from tdsup.dead_letter")
        assert "invalid byte sequence for encoding" in reason
        assert act("replay", keys)[-2] == "loaded 0 of 1"
        assert act("replay", {**keys, "encoding": "latin1"})[-1] == "loaded 1 of 1"
        assert target.value("select note from t where id = 7") == "é"


def test_the_key_encoding_says_what_bytes_mean(sandbox: Sandbox) -> None:
    """A database without encoding holds WIN1252; all of it arrives."""
    with pair(sandbox, "SQL_ASCII") as (source, target, queue):
        for one in (source, target):
            one.execute("create table t (id int primary key, note text)")
        queue.attach("t", function="jsontriga")
        keys = job_keys(source, target, encoding="WIN1252")
        drain(**keys)
        for number in range(5):
            source.execute(
                "insert into t values (%s, convert_from(%s, 'SQL_ASCII'))",
                number,
                TEXTS["WIN1252"].encode("cp1252"),
            )
        queue.tick()
        drain(**keys)
        assert rows(target) == [(number, TEXTS["WIN1252"]) for number in range(5)]


def test_two_databases_without_encoding(sandbox: Sandbox) -> None:
    """Bytes stay bytes."""
    with pair(sandbox, "SQL_ASCII", "SQL_ASCII") as (source, target, queue):
        target.execute("create table t (id int, note text)")
        keys = job_keys(source, target)
        drain(**keys)
        queue.send("id=1&note=%e9%ff%80")
        drain(**keys)
        assert target.value("select encode(note::bytea, 'hex') from t") == "e9ff80"


def test_replacement_characters_if_so_set(sandbox: Sandbox) -> None:
    """`encoding_errors = replace` loads what it can: bytes, NUL, and what the target's encoding lacks."""
    with pair(sandbox, "UTF8") as (source, target, queue):
        target.execute("create table t (id int, note text)")
        keys = job_keys(source, target, encoding_errors="replace")
        drain(**keys)
        queue.send("id=1&note=a%e9b", "id=2&note=a%00b", "id=3&note=good", "id=4&note=%c3%a9")
        values = drain(**keys)
        assert rows(target) == [(1, "a\ufffdb"), (2, "a\ufffdb"), (3, "good"), (4, "é")]
        assert values["dead_letters"] == 0
    with pair(sandbox, "UTF8", "LATIN1") as (source, target, queue):
        target.execute("create table t (id int, note text)")
        keys = job_keys(source, target)
        drain(**keys)
        queue.send("id=1&note=%e2%82%ac", "id=2&note=%c3%a9")
        assert drain(**keys)["dead_letters"] == 1
        assert "has no equivalent in encoding" in target.value("select reason from tdsup.dead_letter")
        queue.send("id=3&note=%e2%82%ac")
        drain(**keys, encoding_errors="replace")
        assert rows(target) == [(2, "é"), (3, "?")]


def test_a_dead_letter_shows_its_characters(sandbox: Sandbox) -> None:
    """And keeps its bytes, so that it can be loaded later."""
    with pair(sandbox, "LATIN1") as (source, target, queue):
        source.execute("create table t (id int primary key, note text)")
        target.execute("create table t (id int primary key, note text check (note <> 'für'))")
        queue.attach("t", function="jsontriga")
        keys = job_keys(source, target)
        drain(**keys)
        source.execute("insert into t values (1, 'für')")
        queue.tick()
        assert drain(**keys)["dead_letters"] == 1
        assert "für" in target.value("select ev_data from tdsup.dead_letter")
        target.execute("alter table t drop constraint t_note_check")
        assert act("replay", keys)[-1] == "loaded 1 of 1"
        assert rows(target) == [(1, "für")]


def test_an_encoding_that_there_is_not(queue: Queue, target: Database) -> None:
    """It is refused with examples."""
    with pytest.raises(ValueError, match="must be an encoding of a PostgreSQL database"):
        drain(**job_keys(queue.source, target, encoding="sjis"))


@pytest.mark.parametrize(
    ("its", "into", "sent", "held"),
    [
        ("LATIN1", "UTF8", "Süd", "Süd"),
        ("UTF8", "SQL_ASCII", "Süd", "Süd"),
        ("SQL_ASCII", "SQL_ASCII", "Süd", "Süd"),
        ("UTF8", "LATIN1", "Süd 日", "Süd ?"),
        # Python's codec lacks it.
        ("UTF8", "EUC_JP", "①", "①"),
    ],
)
def test_values_that_choose_a_partition(sandbox: Sandbox, its: str, into: str, sent: str, held: str) -> None:
    """The list partition of a value is that of what the target holds of it; a new one is made, too."""
    with pair(sandbox, its, into) as (source, target, queue):
        target.execute(
            "create table t (id int, region text, day date, primary key (id, region, day))"
            " partition by list (region)"
        )
        target.execute(f"create table south partition of t for values in ('{held}') partition by range (day)")
        keys = job_keys(
            source,
            target,
            part_field="day",
            part_by="region, day",
            encoding_errors="replace",
            bad_events="stop",
        )
        drain(**keys)
        queue.send(f"id=0&day=2026-11-24&region={sent}", f"id=1&day=2026-11-24&region={sent} new")
        drain(**keys)
        assert rows(target)[0][:2] == (0, held)
        assert rows(target)[1][:2] == (1, f"{held} new")
        assert target.column("select id from south") == [0]
