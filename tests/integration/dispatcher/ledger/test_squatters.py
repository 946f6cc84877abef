"""What another role has put where the ledger is: none of it runs with our rights."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from harness.paths import PGQ_EXT
from harness.rows.orders import Orders
from harness.servers.database import Database
from psycopg2.extensions import make_dsn
from tdsup.dispatcher.errors import SetupError
from tdsup.dispatcher.postgres import queries

LEDGER = "\n".join(
    map(queries.text, ("make_schema", "make_positions", "make_dead_letters", "make_consumers"))
)

MARK = """
    create table public.mark (); grant all on public.mark to public;
    create function public.mark() returns trigger language plpgsql as
        'begin insert into public.mark default values; return new; end'"""
"""A function that leaves a mark."""

TRIGGER = "create trigger mark before insert or update on {} for each row execute function public.mark()"

PGQ = PGQ_EXT.read_text(encoding="utf-8")

SQUATS = {
    "schema tdsup": "create schema tdsup authorization squatter",
    "table tdsup.consumer": f"{LEDGER}; alter table tdsup.consumer owner to squatter; "
    + TRIGGER.format("tdsup.consumer"),
    "function public.mark()": f"{LEDGER}; alter function public.mark() owner to squatter; "
    + TRIGGER.format("tdsup.completed_tick"),
    "function tdsup.f()": f"{LEDGER}; create function tdsup.f() returns int language sql as 'select 1'; "
    "alter function tdsup.f() owner to squatter",
    "schema pgq_ext": "create schema pgq_ext authorization squatter; "
    "create function pgq_ext.set_last_tick(text, bigint) returns int language sql as 'select 1'",
    "function pgq_ext.set_last_tick(text,bigint)": f"{PGQ}; "
    "alter function pgq_ext.set_last_tick(text, bigint) owner to squatter",
    "table pgq_ext.completed_tick": f"{PGQ}; alter table pgq_ext.completed_tick owner to squatter; "
    + TRIGGER.format("pgq_ext.completed_tick"),
}
"""How each comes to be, by what the message calls it."""


@pytest.fixture
def squatter(target: Database) -> Iterator[str]:
    """Another role of the target."""
    target.execute("create role squatter login")
    yield "squatter"
    target.execute("drop owned by squatter cascade; drop role squatter")


@pytest.mark.parametrize("action", ["list", "replay", "purge"])
@pytest.mark.usefixtures("squatter")
def test_a_squatters_trigger_on_dead_letters_does_not_run(
    target: Database, orders: Orders, action: str
) -> None:
    """Whoever looks at dead letters or removes them is told of it instead."""
    target.execute(
        f"{MARK}; {LEDGER}; insert into tdsup.dead_letter (queue_name, consumer_name, reason, ev_id) "
        "values ('orders', 'job', 'bad', 1); alter function public.mark() owner to squatter; "
        "create trigger mark before delete on tdsup.dead_letter for each row execute function public.mark()"
    )
    with pytest.raises(
        SetupError, match=r"function public.mark\(\) in the target database belongs to role squatter"
    ):
        orders.act(action, *["all"] * (action == "purge"))
    assert target.value("select count(*) from mark") == 0


@pytest.mark.parametrize(("named", "squat"), SQUATS.items(), ids=SQUATS)
@pytest.mark.usefixtures("squatter")
def test_nothing_of_a_squatter_runs(target: Database, orders: Orders, named: str, squat: str) -> None:
    """The job is blocked before it writes, and so are actions; the message names owner and remedy."""
    target.execute(f"{MARK}; {squat}")
    thing = re.escape(named)
    remedy = f"{thing} in the target database belongs to role squatter, .* run there: alter {thing} owner to"
    with pytest.raises(SetupError, match=f"cannot use the ledger: {remedy}"):
        orders.drain()
    for action in ("register", "rewind", "reset", "unregister", "schema"):
        with pytest.raises(SetupError, match=remedy):
            orders.act(action)
    assert target.column("select 1 from public.mark") == []
    assert orders.source.value("select count(*) from pgq.get_consumer_info()") == 0


@pytest.mark.usefixtures("squatter")
def test_a_squatter_that_only_mentions_the_ledger_stops_nobody(target: Database, orders: Orders) -> None:
    """What a stranger makes elsewhere is no part of the schema that it names."""
    target.execute(
        f"{LEDGER}; create schema elsewhere authorization squatter; "
        "create function elsewhere.f(n regnamespace default 'tdsup'::regnamespace) returns int language sql "
        "as 'select 1'; alter function elsewhere.f(regnamespace) owner to squatter"
    )
    assert orders.act("schema")
    orders.drain()


@pytest.mark.parametrize("place", ["own", "pgq_ext"])
def test_the_owner_of_the_database_is_trusted(
    target: Database, orders: Orders, squatter: str, place: str
) -> None:
    """And a superuser: a role that owns nothing works on what either has made."""
    name = target.value("select current_database()")
    target.execute(f"create role app login; alter database {name} owner to squatter")
    try:
        target.execute(LEDGER)
        if place == "pgq_ext":
            target.execute(PGQ_EXT.read_text(encoding="utf-8"))
            target.execute("grant usage on schema pgq_ext to app; grant all on pgq_ext.completed_tick to app")
        target.execute(
            f"alter table tdsup.consumer owner to {squatter}; grant usage on schema tdsup to app; "
            "grant all on all tables in schema tdsup to app; grant all on orders to app"
        )
        keys = {
            "dst_db": make_dsn(target.dsn, user="app"),
            "part_field": "",
            "part_template": "",
            "job_name": "orders",
        }
        orders.drain(**keys)
        orders.insert(3)
        orders.drain(**keys)
        orders.check()
    finally:
        target.execute(f"alter database {name} owner to postgres; drop owned by app cascade; drop role app")
