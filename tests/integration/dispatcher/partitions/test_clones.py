"""A child that is made like its parent has all that users of the parent expect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from harness.rows.check import examined
from harness.rows.job import Keys, drain, job_keys
from harness.servers.database import Database
from harness.servers.queue import Queue

PARENT = """
    create table other (id int primary key);
    insert into other values (1), (2);
    create table log (id int, what text);
    create table t (
        id int primary key, day date, note text default 'none' check (note <> 'bad'),
        ref int references other deferrable initially deferred, self int references t on delete set null,
        seen timestamptz
    ) with (fillfactor = 70, autovacuum_enabled = false);
    comment on table t is 'what''s in it';
    comment on column t.note is 'a note';
    alter table t alter note set storage external, alter note set statistics 500, replica identity full;
    create function see() returns trigger language plpgsql
        as 'begin new.seen := ''2026-01-01''; return new; end';
    create function keep() returns trigger language plpgsql
        as 'begin insert into log values (new.id, tg_op); return null; end';
    create function route() returns trigger language plpgsql
        as 'begin execute format(''insert into %I select $1.*'', ''x'') using new; return null; end';
    create trigger see before insert or update of note on t for each row when (new.id > 0)
        execute function see();
    create trigger " ON public.t " after insert on t for each row execute function keep();
    create trigger off after insert on t for each row execute function keep();
    alter table t disable trigger off;
    create trigger route before insert on t for each row execute function route();
    alter table t disable trigger route;
    alter table t enable row level security;
    create policy mine on t as restrictive for update to {reader} using (id > 0) with check (note <> 'x');
    create policy everybody on t using (true);
    grant select, update (note) on t to {reader};
    grant insert on t to {reader} with grant option;
    grant select (id) on t to public"""


@pytest.fixture
def roles(target: Database) -> Iterator[dict[str, str]]:
    """A reader, and an owner of tables."""
    number = target.value("select current_database()")
    made = {name: f"{name}_{number}" for name in ("reader", "owner")}
    for role in made.values():
        target.execute(f"create role {role}")
    yield made
    target.execute("; ".join(f"drop owned by {role} cascade; drop role {role}" for role in made.values()))


@pytest.fixture
def keys(source: Database, target: Database, queue: Queue, roles: dict[str, str]) -> Keys:
    """Keys of a job whose parent has everything."""
    target.execute(PARENT.replace("{reader}", roles["reader"]))
    target.execute(
        f"grant create on schema public to {roles['owner']}; alter table t owner to {roles['owner']}"
    )
    return job_keys(source, target, part_field="day", queue=queue.name)


FACTS = {
    "options": "select reloptions from pg_class where oid = {}",
    "owner": "select pg_get_userbyid(relowner) from pg_class where oid = {}",
    "comment": r"select split_part(obj_description({}), E'\ntdsup: rows from', 1), col_description({}, 3)",
    "replica identity": "select relreplident from pg_class where oid = {}",
    "row security": "select relrowsecurity, relforcerowsecurity from pg_class where oid = {}",
    "columns": "select attname, attstorage, attstattarget, attacl::text from pg_attribute "
    "where attrelid = {} and attnum > 0 order by attnum",
    "constraints": "select pg_get_constraintdef(oid) from pg_constraint where conrelid = {} order by 1",
    "triggers": "select pg_get_triggerdef(oid), tgenabled from pg_trigger "
    "where tgrelid = {} and not tgisinternal and tgname <> 'route' order by tgname",
    "policies": "select polname, polcmd, polpermissive, polroles, pg_get_expr(polqual, polrelid), "
    "pg_get_expr(polwithcheck, polrelid) from pg_policy where polrelid = {} order by 1",
    "grants": "select grantee::regrole::text, privilege_type, is_grantable from pg_class, aclexplode(relacl) "
    "where oid = {} order by 1, 2",
}


def facts(target: Database, table: str) -> dict[str, Any]:
    """What the catalog says of a table."""
    oid = f"'{table}'::regclass"
    found = {name: target.rows(query.replace("{}", oid)) for name, query in FACTS.items()}
    named = f" ON public.{table} FOR"
    found["triggers"] = [(text.replace(named, " ON T FOR"), enabled) for text, enabled in found["triggers"]]
    return found


def test_a_child_has_what_its_parent_has(queue: Queue, target: Database, keys: Keys) -> None:
    """Grants, foreign keys, triggers, row security, owner, comments, storage; no trigger that routes."""
    drain(**keys)
    rows = "id=1&day=2026-11-24&ref=1&note=x", "id=2&day=2026-11-24&ref=3&note=y", "id=3&day=2026-11-24"
    queue.send(*rows)
    assert drain(**keys)["dead_letters"] == 1
    assert facts(target, "t_2026_11_24") == facts(target, "t")
    assert target.rows("select id, seen::date::text from only t_2026_11_24 order by id") == [
        (1, "2026-01-01"),
        (3, "2026-01-01"),
    ]
    assert target.rows("table log") == [(1, "INSERT"), (3, "INSERT")]
    assert not target.value(
        "select exists (select from pg_trigger where tgrelid = 't_2026_11_24'::regclass and tgname = 'route')"
    )


def test_the_check_shows_the_statements(
    queue: Queue, target: Database, keys: Keys, roles: dict[str, str]
) -> None:
    """All of them, as they would be run."""
    drain(**keys)
    queue.send("id=1&day=2026-11-24")
    told = "\n".join(examined(keys)[0])
    for statement in (
        "add constraint t_ref_fkey FOREIGN KEY (ref) REFERENCES public.other(id)",
        "CREATE TRIGGER see BEFORE INSERT OR UPDATE OF note ON public.t_2026_11_24 FOR EACH ROW",
        f"grant INSERT on public.t_2026_11_24 to {roles['reader']} with grant option",
        f"alter table public.t_2026_11_24 owner to {roles['owner']}",
        "comment on table public.t_2026_11_24 is 'what''s in it'",
        "create policy mine on public.t_2026_11_24 as restrictive for update",
    ):
        assert statement in told
