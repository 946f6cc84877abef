"""A fleet needs no more rights than `tdsup grants` prints, and each of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from harness.attacks.leastrights import Sides, printed, sides
from harness.attacks.life import Life
from harness.attacks.traps import PATH, set_traps
from harness.paths import PGQ_EXT
from harness.programs.fleet import Fleet, fleet
from harness.rows.check import examined
from harness.rows.job import Keys, act, drain, job_keys
from harness.rows.orders import TEMPLATE
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.errors import SetupError

COLUMNS = "id int, day date, note varchar(5), kind int references app.kind default 1"

SHAPES: dict[str, tuple[str, Keys]] = {
    "children": (f"create table app.t ({COLUMNS}, primary key (id))", {"part_template": ""}),
    "native": (
        f"create table app.t ({COLUMNS}, primary key (id, day)) partition by range (day)",
        {"part_template": ""},
    ),
    "a template": (f"create table app.t ({COLUMNS})", {"part_template": " ".join(TEMPLATE.split())}),
    "new columns": (
        "create table app.t (id int primary key, note varchar(5))",
        {"part_field": "", "on_new_column": "add"},
    ),
}
"""What the target has, and keys of the job."""

KEYS: Keys = {"table_filter": "app.t", "event_types": "I, U, D, R", "loop_delay": 0.1}

ONE_TABLE: Keys = {"part_field": ""}
WITH_KEY = f"create table app.t ({COLUMNS}, primary key (id))"

PLACES = {"own": WITH_KEY, "pgq_ext": f"{WITH_KEY}; {PGQ_EXT.read_text(encoding='utf-8')}"}
"""What the target has, by where positions are kept."""


@pytest.fixture
def a_fleet(tmp_path: Path) -> Iterator[Fleet]:
    """A fleet that leaves no process behind."""
    with fleet(tmp_path) as made:
        yield made


@pytest.fixture
def both(source: Database, target: Database) -> Iterator[Sides]:
    """Both databases, and two roles."""
    with sides(source, target) as made:
        yield made


def job_file(**keys: str) -> str:
    """The text of a job's file."""
    return "\n".join(["[table_dispatcher]", *(f"{key} = {value}" for key, value in keys.items()), ""])


def a_job(both: Sides, fleet: Fleet, made: str, keys: Keys) -> Queue:
    """A table of each database in a schema of its own, and the file of a job of two roles without rights."""
    source, target = both.databases.values()
    source.execute("create schema app; create table app.t (id int primary key, day date, note text)")
    target.execute("create schema app; create table app.kind (id int primary key)")
    target.execute(f"insert into app.kind values (1); {made}")
    queue = Queue(source, "q")
    queue.create()
    for when in ("insert or update or delete on app.t for each row", "truncate on app.t for each statement"):
        source.execute(f"create trigger {when[:6]} after {when} execute function pgq.logutriga('q')")
    keys = {"pgq_queue_name": "q", "dest_table": "app.t", "part_field": "day", **KEYS, **keys}
    fleet.write_job("t", "table_dispatcher", job_name="t", **both.keys(), **keys)
    both.close()
    return queue


@pytest.mark.parametrize("shape", SHAPES)
def test_a_fleet_loads_on_what_is_printed(both: Sides, a_fleet: Fleet, shape: str) -> None:
    """It checks, registers, makes partitions and columns, loads changes, keeps and replays dead letters."""
    queue = a_job(both, a_fleet, *SHAPES[shape])
    both.grant(printed(a_fleet, "t"))
    life = Life(a_fleet, queue, both.target)
    assert "warning" not in life.says("check", "--connect")
    life.live()
    life.bury()
    assert "warning" not in life.says("check", "--connect")


@pytest.mark.parametrize("place", PLACES)
def test_people_need_no_more_than_the_fleet(both: Sides, a_fleet: Fleet, place: str) -> None:
    """Whatever they ask or do about a job: hold, take over, rewind, skip, retire, register, reset."""
    queue = a_job(both, a_fleet, PLACES[place], ONE_TABLE)
    both.grant(printed(a_fleet, "t"))
    life = Life(a_fleet, queue, both.target)
    a_fleet.start()
    life.end()


RIGHTS = """
    select format('%%s on %%s %%s', lower(privilege_type), kind, name) from (
        select 'database' as kind, quote_ident(datname) as name, datacl as acl
            from pg_database where datname = current_database()
        union all select 'schema', quote_ident(nspname), nspacl from pg_namespace
        union all select 'table', oid::regclass::text, relacl from pg_class
        union all select 'function', oid::regprocedure::text, proacl from pg_proc
    ) things, aclexplode(acl) where grantee = %s::regrole order by 1"""
"""The rights of a role, as GRANT and REVOKE call them."""


NEEDLESS = "trigger on table app.t"
"""A right that shows that the test can tell."""


def all_that_a_job_does(both: Sides, keys: Keys) -> bool:
    """Whether a job could do all it should, from its beginning."""
    queue = Queue(both.source, "q")
    both.source.execute(
        "truncate app.t; "
        "select pgq.unregister_consumer(queue_name, consumer_name) from pgq.get_consumer_info()"
    )
    both.target.execute("truncate app.t, tdsup.completed_tick, tdsup.consumer, tdsup.dead_letter")
    queue.tick()
    notes, faults = examined(keys)
    if faults or any("keeps no owners" in note for note in notes):
        return False
    try:
        act("register", keys)
        both.source.execute("insert into app.t select g, '2026-11-01', 'x' from generate_series(1, 9) g")
        both.source.execute("update app.t set note = 'y' where id = 2; delete from app.t where id = 4")
        queue.send("id=x", table="app.t")
        done = drain(**keys)["dead_letters"] == 1 and "loaded 0 of 1" in act("replay", keys)
        both.source.execute("truncate app.t")
        queue.tick()
        drain(**keys)
        act("purge", keys, "all")
        for action in ("rewind", "reset", "unregister"):
            act(action, keys)
    except (SetupError, psycopg2.Error):
        return False
    return done


@pytest.mark.parametrize("side", ["source", "target"])
def test_each_right_is_needed(both: Sides, a_fleet: Fleet, side: str) -> None:
    """Without one of those printed, the check finds a fault, or the job or an action fails."""
    a_job(both, a_fleet, WITH_KEY, ONE_TABLE)
    both.grant(printed(a_fleet, "t"))
    role, database = both.role(side), both.databases[side]
    needs = {**KEYS, **both.keys(), "loop_delay": 0}
    keys = job_keys(both.source, both.target, queue="q", table="app.t", **needs)
    assert all_that_a_job_does(both, keys)
    database.execute(f"grant {NEEDLESS} to {role}")
    rights = database.column(RIGHTS, role)
    needless = []
    for right in rights:
        database.execute(f"revoke {right} from {role}")
        if all_that_a_job_does(both, keys):
            needless.append(right)
        database.execute(f"grant {right} to {role}")
    assert needless == [NEEDLESS]
    assert len(rights) > 15


@pytest.mark.usefixtures("without_pgqd")
def test_who_runs_what_is_printed_runs_nothing_else(both: Sides, a_fleet: Fleet) -> None:
    """A superuser who pastes it is safe from operators and functions that somebody has put into public."""
    a_job(both, a_fleet, *SHAPES["children"])
    for database in (both.source, both.target):
        set_traps(database)
        name = database.value("select current_database()")
        database.execute(f"alter database {name} set search_path = {PATH}")
    both.grant(printed(a_fleet, "t"))


NAMES = {
    "queue": "q'; drop table app.t; --",
    "quotes": "q$do0$ $$ \\' \"",
}
"""Names that would end what they are written in."""


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_names_are_text(both: Sides, a_fleet: Fleet, name: str) -> None:
    """What a job's file calls a queue does not end a literal or a block."""
    a_job(both, a_fleet, WITH_KEY, {"part_field": "", "pgq_queue_name": name})
    both.grant(printed(a_fleet, "t"))
    assert both.target.value("select to_regclass('app.t') is not null")


def test_a_name_ends_no_comment(a_fleet: Fleet) -> None:
    """A line's end in the name of a database, after which SQL would follow, is refused."""
    keys = {"pgq_queue_name": "q", "dest_table": "t", "dst_db": "dbname=t user=w"}
    a_fleet.write_text("t", job_file(**keys, src_db="dbname='s\n  drop table t; --' user=r"))
    code, said, fault = a_fleet.said("grants", "conf.d/t.ini")
    assert (code, said) == (1, "")
    assert fault.endswith("a name must have printable characters only\n")


@pytest.mark.parametrize(
    ("dsn", "reason"),
    [
        ("dbname=s user=public", "cannot grant rights to user public of src_db: that is everybody"),
        ("service=shop", "cannot tell the role of src_db: a service may name it; add user=… to src_db"),
    ],
)
def test_a_role_that_is_none(a_fleet: Fleet, dsn: str, reason: str) -> None:
    """Nothing is printed that would give rights to everybody, or to nobody knows whom."""
    a_fleet.write_text(
        "t", job_file(pgq_queue_name="q", dest_table="t", src_db=dsn, dst_db="dbname=t user=w")
    )
    code, said, fault = a_fleet.said("grants", "conf.d/t.ini")
    assert (code, said) == (1, "")
    assert fault.startswith(reason)
