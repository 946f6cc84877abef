"""Nobody who may create objects in a schema runs code as the job's role by what he calls them."""

from __future__ import annotations

from typing import Any

import pytest
from harness.attacks.traps import PATH, set_traps
from harness.paths import PGQ_EXT
from harness.rows.check import examined
from harness.rows.job import Keys
from harness.rows.pipeline import Pipeline, Table
from harness.servers.database import Database
from harness.servers.queue import Queue

pytestmark = pytest.mark.usefixtures("without_pgqd")

BY_DAY: dict[str, Any] = {"part_field": "day"}
NATIVE = "create table t (id int, day date, note text, primary key (id, day)) partition by range (day)"
VIEW = "create table real (id int primary key, day date, note text); create view t as select * from real"

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "one table": ("", {}),
    "children": ("", BY_DAY),
    "native partitions": (NATIVE, BY_DAY),
    "a template": (
        "",
        {**BY_DAY, "part_template": "create table _DEST_TABLE (primary key (_PKEY)) inherits (_PARENT)"},
    ),
    "pgq_ext": (PGQ_EXT.read_text(), {}),
    "new columns": ("create table t (id int primary key, day date)", {"on_new_column": "add"}),
    "a view": (VIEW, {"row_mode": "append"}),
}
"""What the target has before, and keys of the job."""


def looking_first(database: Database, path: str) -> str:
    """The connection string for sessions with a search path."""
    return f"{database.dsn} options='-c search_path={path.replace(' ', '')}'"


@pytest.mark.parametrize("case", CASES)
def test_traps_in_schema_public(source: Database, target: Database, queue: Queue, case: str) -> None:
    """Operators, functions and types there are not ours, even if the path names public before pg_catalog."""
    made, keys = CASES[case]
    target.execute(made or "select")
    pipeline = Pipeline(queue, target, Table(parent="" if " t " in made else None), **keys)
    queue.attach_truncate("t")
    assert min(set_traps(source), set_traps(target)) > 500
    trapped: Keys = {"src_db": looking_first(source, PATH), "dst_db": looking_first(target, PATH)}
    pipeline.act("register", **trapped)
    source.execute("insert into t select g, date '2026-11-01' + g % 3 from generate_series(1, 9) g")
    source.execute("update t set day = '2026-11-09' where id = 2")
    source.execute("update t set note = 'new' where id = 3; delete from t where id = 4")
    queue.send("id=no&day=2026-11-02")
    assert examined(pipeline.keys(**trapped))[1] == []
    assert pipeline.drain(**trapped)["dead_letters"] > 0
    for action in ("list", "replay", "consumers", "schema", "rewind"):
        pipeline.act(action, **trapped)
    source.execute("insert into t values (21, '2026-11-02')")
    queue.tick()
    pipeline.drain(**trapped)
    assert target.value("select count(*) from t where id = 21") == 1
    pipeline.act("purge", "all", **trapped)
    pipeline.act("retire", **trapped)


UNQUALIFIED = """
    create schema app;
    create table app.seen (id int, what text);
    create function app.limit() returns int language sql as $$select 10$$;
    create function app.fine(text) returns bool language plpgsql as $$
        begin return length($1) < "limit"(); end$$;
    create domain app.word as text check (app.fine(value));
    create function app.grade() returns text language plpgsql as $$
        begin insert into seen values (0, 'default'); return 'one'; end$$;
    create function app.note() returns trigger language plpgsql as $$
        begin insert into seen values (new.id, tg_name); return null; end$$;
    create table app.t (id int primary key, day date, note app.word, grade text default app.grade());
    create trigger at_once after insert or update on app.t for each row execute function app.note();
    create constraint trigger later after insert on app.t
        deferrable initially deferred for each row execute function app.note()"""

AUDIT = """
    create function app.audit() returns event_trigger language plpgsql as $$
        begin insert into seen values (0, tg_tag); end$$;
    create event trigger audit on ddl_command_end when tag in ('CREATE TABLE', 'ALTER TABLE')
        execute function app.audit()"""

PARTS: dict[str, dict[str, Any]] = {
    "one table": {},
    "children": BY_DAY,
    "a template": {**BY_DAY, "part_template": "create table _DEST_TABLE (like t including all)"},
}


@pytest.mark.parametrize("case", PARTS)
def test_code_of_users_finds_what_it_names(
    source: Database, target: Database, queue: Queue, case: str
) -> None:
    """Triggers (deferred ones, and on DDL), defaults, checks and templates use the database's path."""
    target.execute(UNQUALIFIED)
    keys = {"dest_table": "app.t", "on_new_column": "add", **PARTS[case]}
    pipeline = Pipeline(
        queue, target, Table("t", "id int primary key, day date, note text, more int", ""), **keys
    )
    on_path: Keys = {"dst_db": looking_first(target, "app")}
    pipeline.drain(**on_path)
    target.execute(AUDIT)
    source.execute("insert into t values (1, '2026-11-01', 'short'), (2, '2026-11-01', 'much too long')")
    source.execute("update t set note = 'new' where id = 1")
    queue.tick()
    assert pipeline.drain(**on_path)["dead_letters"] == 1
