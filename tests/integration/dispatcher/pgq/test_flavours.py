"""PgQ in all its forms: the extension, PL/pgSQL only, and under another schema as PgQue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.rows.job import Keys, act, drain, job_keys
from harness.rows.mirror import TRIGGERS
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.errors import SetupError
from tdsup.sandbox import Sandbox

PL_ONLY = next(Path("/usr/share/postgresql").glob("*/contrib/pgq_pl_only.sql"))
"""PgQ without C code, from Debian's package."""

SCHEMAS = {"pl only": "pgq", "PgQue": "pgque"}
"""PgQue is the same engine in its own schema; it has no package, so it is made from the other."""


def without_c(source: Database, schema: str) -> None:
    """Create the source's PgQ again without C code, in a schema."""
    source.execute("drop extension if exists pgq cascade; drop schema if exists pgq cascade")
    text = PL_ONLY.read_text(encoding="utf-8")
    source.execute(
        text.replace("pgq.", f"{schema}.")
        .replace("schema pgq", f"schema {schema}")
        .replace("'pgq'", f"'{schema}'")
    )


@pytest.fixture(params=SCHEMAS)
def schema(source: Database, request: pytest.FixtureRequest) -> str:
    """That of the source's PgQ without C."""
    schema = SCHEMAS[request.param]
    without_c(source, schema)
    return schema


def assert_checked(keys: Keys, *texts: str) -> None:
    """A check finds no fault, and shows these texts."""
    told = "\n".join(act("check", keys))
    assert not [text for text in texts if text not in told], told


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_changes_arrive(source: Database, target: Database, schema: str, trigger: str) -> None:
    """Every trigger's events, with quotes, backslashes and NULLs in them."""
    source.execute(f"select {schema}.create_queue('q')")
    ddl = "create table t (id int primary key, day date, note text)"
    for database in (source, target):
        database.execute(ddl)
    source.execute(
        "create trigger changes after insert or update or delete on t "
        f"for each row execute function {schema}.{trigger}('q')"
    )
    keys = job_keys(source, target, pgq_schema=schema, part_field="day")
    drain(**keys)
    assert_checked(keys, f"PgQ in schema {schema}", "the queue holds none")
    source.execute(
        r"insert into t values (1, '2026-11-24', 'it''s \ '), (2, '2026-11-25', null), (3, '2026-11-25', 'x')"
    )
    source.execute("update t set note = 'new' where id = 2; delete from t where id = 3")
    source.execute(f"select {schema}.force_tick('q'); select {schema}.ticker('q')")
    assert_checked(keys, ": delete of public.t", "consumer job is registered")
    values = drain(**keys)
    assert (values["events"], values["rows"], values["dead_letters"]) == (5, 5, 0)
    assert target.rows("select * from t order by id") == source.rows("select * from t order by id")
    assert target.value("select count(*) from t_2026_11_25") == 1


def test_updates_of_sqltriga_with_backup_arrive(source: Database, target: Database, schema: str) -> None:
    """Without C the old row is SQL too, of the changed columns only; a change of the day is a dead letter."""
    source.execute(f"select {schema}.create_queue('q')")
    ddl = "create table t (id text primary key, day date, note text)"
    for database in (source, target):
        database.execute(ddl)
    source.execute(
        "create trigger changes after insert or update or delete on t "
        f"for each row execute function {schema}.sqltriga('q', 'backup')"
    )
    keys = job_keys(source, target, pgq_schema=schema, part_field="day")
    drain(**keys)
    source.execute("insert into t values ('a', '2026-11-24', 'x'), ('b', '2026-11-24', 'x')")
    source.execute(
        "update t set note = 'it''s where' where id = 'a'; update t set note = note where id = 'b'"
    )
    source.execute("update t set note = null where id = 'a'; update t set day = '2026-11-25' where id = 'b'")
    source.execute(f"select {schema}.force_tick('q'); select {schema}.ticker('q')")
    values = drain(**keys)
    assert (values["events"], values["rows"], values["dead_letters"]) == (6, 4, 1)
    assert target.rows("select id, day::text, note from t order by id") == [
        ("a", "2026-11-24", None),
        ("b", "2026-11-24", "x"),
    ]
    (reason,) = target.column("select reason from tdsup.dead_letter")
    assert reason == (
        "it changes day, which names the partition, and does not hold the whole row; "
        "sqltriga of PgQ without C never does, logutriga and jsontriga do"
    )


@pytest.fixture
def latin1(sandbox: Sandbox) -> Iterator[Database]:
    """A source in LATIN1, whose PgQ has no C."""
    sandbox.source.create_database("latin1", "LATIN1")
    made = Database(f"{sandbox.source.dsn('latin1')} client_encoding=UTF8")
    try:
        without_c(made, "pgq")
        yield made
    finally:
        made.close()
        sandbox.source.drop_database("latin1")


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_texts_of_a_database_in_latin1_arrive(latin1: Database, target: Database, trigger: str) -> None:
    """Without C url-encoded texts are UTF-8, whatever the database's encoding; they stay what they are."""
    queue = Queue(latin1, "q")
    queue.create()
    for database in (latin1, target):
        database.execute("create table größe (id text primary key, maß text)")
    queue.attach("größe", function=trigger)
    keys = job_keys(latin1, target, table="größe", table_filter="größe")
    drain(**keys)
    latin1.execute("insert into größe values ('é', 'Grüße'), ('ü', 'x'), ('à', 'x')")
    latin1.execute("update größe set maß = 'Ærø' where id = 'ü'; delete from größe where id = 'à'")
    queue.tick()
    assert drain(**keys)["dead_letters"] == 0
    query = 'select * from größe order by id collate "C"'
    assert target.rows(query) == latin1.rows(query) == [("é", "Grüße"), ("ü", "Ærø")]
    assert_checked(keys, "newest")


def test_another_schema_is_named_when_it_is_missing(source: Database, target: Database) -> None:
    """And a schema's name is no way to run SQL."""
    keys = job_keys(source, target)
    with pytest.raises(SetupError, match="the source database has no PgQ in schema pgque"):
        drain(**keys, pgq_schema="pgque")
    with pytest.raises(ValueError, match="pgq_schema"):
        drain(**keys, pgq_schema="pgq; drop table t")
