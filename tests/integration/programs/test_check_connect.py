"""A look at both databases of a job: what it finds, what it shows, and that it changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from harness.database import Database
from harness.job import RunningJob, drain, settings_of
from harness.orders import Orders
from harness.pgq_ext import PGQ_EXT
from psycopg2.extensions import make_dsn
from tdsup.dispatcher.actions import ACTIONS
from tdsup.dispatcher.errors import SetupError

AWAY = "host=127.0.0.1 port=1 user=nobody password=hush dbname=x"
"""A server that is not there."""


@pytest.fixture
def orders(source: Database, target: Database) -> Orders:
    """A table with its queue, of which a job called ``job`` is not yet a consumer."""
    return Orders(source, target)


def examined(keys: dict[str, object]) -> tuple[list[str], list[str]]:
    """Facts and faults that the check tells."""
    (action,) = (action for action in ACTIONS if action.name == "check")
    lines: list[str] = []
    summary = ""
    try:
        for line in action.run(settings_of(**keys), ()):
            lines.append(line)  # noqa: PERF402 (what comes before an error counts)
    except SetupError as error:
        summary = str(error)
    faults = [line for line in lines if line.startswith("cannot ")]
    facts = [line for line in lines if line not in faults]
    assert all(line.startswith("job: ") for line in facts)
    counted = re.fullmatch(r"cannot run job: (\d+) faults?, told above", summary)
    assert (int(counted[1]) if counted else 0) == len(faults), summary
    return facts, faults


def fine(keys: dict[str, object]) -> str:
    """The facts, where there are no faults."""
    facts, faults = examined(keys)
    assert faults == []
    return "\n".join(facts)


def faults_of(keys: dict[str, object]) -> list[str]:
    """The faults alone."""
    return examined(keys)[1]


def statements(text: str) -> str:
    """The SQL that was shown."""
    shown = re.findall(r"^job: events:     (.*)$", text, re.MULTILINE)
    assert shown, text
    return "\n".join(shown)


def register(orders: Orders, **changes: object) -> dict[str, object]:
    """Run the job on its empty queue; returns its keys."""
    keys = orders.keys(loop_delay=0, **changes)
    drain(**keys)
    return keys


# What is found.


def test_a_job_before_its_first_start(source: Database, target: Database, orders: Orders) -> None:
    """All is well; the consumer stays unregistered, and the target gets no schema."""
    text = fine(orders.keys())
    assert "PgQ 3" in text
    assert "triggers put changes of public.orders into it: insert, update, delete" in text
    assert "consumer job is not registered" in text
    assert "public.orders is a table" in text
    assert "public.orders has no partition yet" in text
    assert "kept in a new schema tdsup; there is none" in text
    assert source.value("select count(*) from pgq.get_consumer_info()") == 0
    assert target.value("select to_regnamespace('tdsup') is null")
    assert target.column("select relname from pg_class where relname like 'orders%%'") == ["orders"]


def test_a_job_that_has_worked(orders: Orders) -> None:
    """Its place is told, on both sides."""
    keys = register(orders)
    orders.insert(3)
    drain(**keys)
    text = fine(keys)
    assert re.search(r"consumer job is registered, is at tick (\d+), .* about 0 events behind", text)
    assert "kept in tdsup.completed_tick; it is the source's" in text
    assert "public.orders is a table with children" in text
    assert "public.orders_2026_11_03 is the newest partition, a table" in text
    assert "none is pending; the newest 3:" in text


SOURCE_FAULTS = {
    "no PgQ": (
        "drop extension pgq cascade",
        "there is no PgQ in schema pgq; run there: create extension pgq",
    ),
    "no queue": (
        "drop trigger orders_orders on orders; select pgq.drop_queue('orders')",
        "there is no queue orders; run there: select pgq.create_queue('orders')",
    ),
    "read-only": (
        "alter database {database} set default_transaction_read_only = on",
        "nothing can be changed there: default_transaction_read_only is on",
    ),
}


def test_a_target_of_a_version_without_tick_times(target: Database, orders: Orders) -> None:
    """Where positions have no room for times, a look finds them, and the job keeps them, as ever."""
    keys = register(orders)
    target.execute("alter table tdsup.completed_tick drop column last_tick_time")
    orders.insert(3)
    assert "the position is kept in tdsup.completed_tick" in fine(keys)
    drain(**keys)
    ticks = target.column("select last_tick_id from tdsup.completed_tick")
    assert ticks == [orders.queue.last_tick("job")]
    assert target.value("select count(*) from orders") == 3


@pytest.mark.parametrize(("statement", "fault"), SOURCE_FAULTS.values(), ids=SOURCE_FAULTS)
def test_faults_of_the_source(source: Database, orders: Orders, statement: str, fault: str) -> None:
    """They are told with their remedies, and the target is examined all the same."""
    source.execute(statement.format(database=source.value("select current_database()")))
    facts, faults = examined(orders.keys())
    assert faults == [f"cannot run job: source: {fault}"]
    assert "job: target: public.orders is a table" in facts


@pytest.mark.parametrize("which", ["source", "target"])
def test_a_server_away(orders: Orders, which: str) -> None:
    """The other one is examined; no password is shown."""
    key, other = {"source": ("src_db", "target"), "target": ("dst_db", "source")}[which]
    facts, faults = examined({**orders.keys(), key: AWAY})
    (fault,) = faults
    assert fault.startswith(f"cannot run job: {which}: cannot be reached: connection to server at")
    assert "hush" not in fault
    assert sum(f"job: {other}: " in fact for fact in facts) >= 3


def test_both_servers_away(orders: Orders) -> None:
    """Two faults."""
    assert len(faults_of({**orders.keys(), "src_db": AWAY, "dst_db": AWAY})) == 2


@pytest.mark.parametrize(
    ("statement", "warning"),
    [
        ("update pgq.queue set queue_ticker_paused = true", "its ticker is paused"),
        (
            "create or replace function pgq.ticker() returns bigint language sql as 'select 0::bigint'",
            "does its ticker run?",
        ),
    ],
)
def test_a_ticker_that_stands_still(source: Database, orders: Orders, statement: str, warning: str) -> None:
    """It is no fault of the job's, but worth a word."""
    assert "ticker" not in fine(orders.keys())
    source.execute(statement)
    source.execute("update pgq.tick set tick_time = now() - interval '3 days'")
    assert re.search(rf"is 3 days(?: 00:00:\d\d)? old; {re.escape(warning)}", fine(orders.keys()))


def test_no_trigger(source: Database, orders: Orders) -> None:
    """A table that table_filter names and nobody feeds, a trigger that is disabled, and none at all."""
    source.execute("create table other (id int)")
    text = fine(orders.keys(table_filter="other"))
    assert "no enabled trigger puts changes of public.other into queue orders" in text
    source.execute("alter table orders disable trigger orders_orders")
    assert "no enabled trigger puts changes of public.orders into queue orders" in fine(orders.keys())
    source.execute("drop trigger orders_orders on orders")
    assert "no trigger puts changes into it" in fine(orders.keys())


TABLE_FAULTS: dict[str, tuple[dict[str, object], str]] = {
    "no table": (
        {"dest_table": "nope", "part_template": ""},
        "there is no table public.nope, and no part_template that would create tables",
    ),
    "no parent for the template": (
        {"dest_table": "nope"},
        "there is no table public.nope, which part_template refers to as _PARENT",
    ),
    "no schema": ({"dest_table": "s.nope"}, "there is no schema s; run there: create schema s"),
    "a sequence": (
        {"dest_table": "numbers", "part_field": ""},
        "public.numbers is nothing that rows can be put into",
    ),
    "a view to be cloned": (
        {"dest_table": "looking", "part_template": ""},
        "public.looking cannot be cloned for its partitions, and there is no part_template",
    ),
}


@pytest.mark.parametrize(("changes", "fault"), TABLE_FAULTS.values(), ids=TABLE_FAULTS)
def test_tables_that_rows_cannot_go_into(
    target: Database, orders: Orders, changes: dict[str, object], fault: str
) -> None:
    """Each is one fault, told once."""
    target.execute("create sequence numbers; create view looking as select * from orders")
    orders.insert(1)
    assert faults_of(orders.keys(**changes)) == [f"cannot run job: target: {fault}"]


def test_a_template_that_needs_no_parent(orders: Orders) -> None:
    """Then none has to be there; what is shown has the source table's key."""
    template = "create table _DEST_TABLE (id int, day date, note text, primary key (_PKEY))"
    text = fine(orders.keys(dest_table="fresh", part_template=template))
    assert "there is no table public.fresh; part_template creates each of its partitions" in text
    assert "primary key (id))" in statements(text)
    text = fine(orders.keys(dest_table="fresh", part_template=template, part_field=""))
    assert "there is no table public.fresh; part_template creates it" in text
    assert "create table public.fresh (id int" in statements(text)


def test_a_lost_position(source: Database, target: Database, orders: Orders) -> None:
    """Before the job finds it, and with the command that repairs it."""
    keys = register(orders)
    orders.insert(1)
    drain(**keys)
    target.execute("update tdsup.completed_tick set last_tick_id = 4711")
    (fault,) = faults_of(keys)
    assert "Lost position: the source is at tick " in fault
    assert "the target at 4711" in fault
    target.execute(fault.partition("run there: ")[2])
    fine(keys)
    source.execute("select pgq.unregister_consumer('orders', 'job')")
    (fault,) = faults_of(keys)
    assert "of a consumer that is not registered; rewind sets the source to it, reset forgets it" in fault


def test_an_open_batch(source: Database, target: Database, orders: Orders) -> None:
    """The target may have it already: the job was killed before it closed it."""
    keys = register(orders)
    orders.insert(1)
    drain(**keys)
    orders.insert(1)
    source.execute("select pgq.next_batch('orders', 'job')")
    end = source.value("select next_tick from pgq.get_consumer_info('orders', 'job')")
    assert f"has a batch open up to tick {end}" in fine(keys)
    target.execute("update tdsup.completed_tick set last_tick_id = %s", end)
    assert "it is the end of the source's open batch" in fine(keys)


# Rights.


@pytest.fixture
def role(source: Database, target: Database) -> Iterator[str]:
    """A role without rights on both servers."""
    name = "app role"
    for database in (source, target):
        database.execute(f'create role "{name}" login')
    yield name
    for database in (source, target):
        database.execute(f'drop owned by "{name}" cascade; drop role "{name}"')


def as_role(orders: Orders, role: str, **changes: object) -> dict[str, object]:
    """Keys of a job of that role."""
    keys = orders.keys(loop_delay=0, **changes)
    return {**keys, **{key: make_dsn(str(keys[key]), user=role) for key in ("src_db", "dst_db")}}


def mend(source: Database, target: Database, fault: str) -> None:
    """Do what a fault asks for."""
    match = re.fullmatch(r"cannot run job: (\w+): .*run there: (.*)", fault)
    assert match, fault
    where, remedy = match.groups()
    {"source": source, "target": target}[where].execute(remedy)


@pytest.mark.parametrize("changes", [{}, {"part_template": ""}, {"part_field": "", "part_template": ""}])
def test_what_it_asks_for_is_enough(
    source: Database, target: Database, orders: Orders, role: str, changes: dict[str, object]
) -> None:
    """A role that got nothing but what the faults ask for loads rows of all kinds, and dead letters."""
    source.execute("revoke all on schema pgq from public; revoke all on all tables in schema pgq from public")
    keys = as_role(orders, role, **changes)
    for _ in range(9):
        faults = faults_of(keys)
        if not faults:
            break
        for fault in faults:
            mend(source, target, fault)
    fine(keys)
    drain(**keys)
    orders.insert(3)
    source.execute("update orders set note = 'new' where id = 1; delete from orders where id = 2")
    source.execute("update orders set day = '2026-12-24' where id = 3")
    orders.queue.insert("I:id", "id=%zz", "public.orders")
    orders.queue.tick()
    values = drain(**keys)
    assert (values["rows"], values["dead_letters"]) == (6, 1)
    assert target.rows("select * from orders order by id") == source.rows("select * from orders order by id")
    fine(keys)


PARTITIONS = "orders_2026_11_01, orders_2026_11_02, orders_2026_11_03"

RIGHTS = {
    "insert on public.orders_2026_11_03": f"insert on {PARTITIONS} from",
    "update on public.orders_2026_11_03": f"update on {PARTITIONS} from",
    "select on public.orders_2026_11_03": f"select on {PARTITIONS} from",
    "delete on public.orders": "delete on orders from",
    "create on schema public": "create on schema public from",
    "usage on schema public": "usage on schema public from public,",
    "temporary on database": "temporary on database {database} from public,",
    "insert, update on tdsup.completed_tick": "insert, update on tdsup.completed_tick from",
    "insert on tdsup.dead_letter": "insert on tdsup.dead_letter from",
}
"""Each right with what takes it."""


@pytest.mark.parametrize(("missing", "revoked"), RIGHTS.items(), ids=RIGHTS)
def test_each_right_is_missed(
    source: Database, target: Database, orders: Orders, role: str, missing: str, revoked: str
) -> None:
    """And by itself: all others are there."""
    keys = register(orders)
    orders.insert(3)
    orders.queue.insert("I:id", "id=%zz", "public.orders")
    orders.queue.tick()
    drain(**keys)
    database = target.value("select current_database()")
    source.execute(f'grant pgq_reader to "{role}"')
    target.execute(
        f'alter table orders owner to "{role}"; grant create on schema public to "{role}"; '
        f'grant all on {PARTITIONS} to "{role}"; grant usage on schema tdsup to "{role}"; '
        f'grant all on all tables in schema tdsup to "{role}"'
    )
    keys = as_role(orders, role)
    fine(keys)
    target.execute(f'revoke {revoked.format(database=database)} "{role}"')
    (fault,) = faults_of(keys)
    assert f"run there: grant {missing}" in fault


@pytest.mark.parametrize(
    ("changes", "rights"),
    [
        ({"event_types": "I"}, "insert"),
        ({"event_types": "I, U"}, "insert, select, update"),
        ({"event_types": "D"}, "select, delete"),
        ({"event_types": "I, U", "part_field": "day"}, "select, delete"),
        ({"event_types": "D", "part_field": "day"}, "select, delete"),
        ({"row_mode": "keep_all"}, "insert"),
        ({"table_filter": "orders"}, "insert, select, update, delete"),
        ({"table_filter": "nobody"}, "insert, select, update, delete, truncate"),
    ],
)
def test_only_the_rights_that_the_job_needs(
    source: Database, orders: Orders, role: str, changes: dict[str, object], rights: str
) -> None:
    """They follow from what triggers send and what the job's file lets in."""
    source.execute(f'grant pgq_reader to "{role}"; create table nobody (id int)')
    faults = faults_of(as_role(orders, role, **{"part_field": "", **changes}))
    assert f'run there: grant {rights} on public.orders to "{role}"' in "\n".join(faults)


def test_a_view_takes_rows_through_a_staging_table(
    source: Database, target: Database, orders: Orders, role: str
) -> None:
    """Hence the role must be able to read it, and to make temporary tables."""
    target.execute("create view looking as select * from orders")
    target.execute(f'grant insert on looking to "{role}"; grant create on schema public to "{role}"')
    target.execute(f"revoke temporary on database {target.value('select current_database()')} from public")
    source.execute(f'grant pgq_reader to "{role}"')
    keys = as_role(orders, role, dest_table="looking", part_field="", bad_events="stop", event_types="I")
    faults = "\n".join(faults_of(keys))
    assert "grant select on public.looking" in faults
    assert "grant temporary on database" in faults


# What the first event would do.

PARENTS = {
    "a template": ({}, "create table orders (id int, day date, note text)"),
    "inheritance": ({"part_template": ""}, "create table orders (id int primary key, day date, note text)"),
    "partitions": (
        {"part_template": ""},
        "create table orders (id int, day date, note text) partition by range (day)",
    ),
    "months": (
        {"part_template": "", "part_method": "monthly"},
        "create table orders (id int, day date, note text) partition by range (day)",
    ),
    "moments, in the source's time zone": (
        {"part_template": "", "part_field": "_EVTIME"},
        "create table orders (id int, day timestamptz default now(), note text) partition by range (day)",
    ),
}
"""Keys of the job and what its ``dest_table`` is."""

TABLES = """
    select c.relname, pg_get_expr(c.relpartbound, c.oid), i.inhparent::regclass::text, x.indexdef
    from pg_class c
    left join pg_inherits i on i.inhrelid = c.oid
    left join pg_indexes x on x.tablename = c.relname
    where c.relkind = 'r' and c.relname like 'orders%%'
    order by 1"""
"""All that tells one creation from another."""


@pytest.mark.parametrize(("changes", "ddl"), PARENTS.values(), ids=PARENTS)
@pytest.mark.parametrize("registered", [True, False], ids=["pending", "newest"])
def test_what_is_shown_is_what_the_job_runs(
    source: Database,
    target: Database,
    other_target: Database,
    orders: Orders,
    changes: dict[str, object],
    ddl: str,
    registered: bool,
) -> None:
    """The statements, run by hand, make the table that the job then makes."""
    source.execute(f"alter database {source.value('select current_database()')} set timezone = 'Asia/Tokyo'")
    for database in (target, other_target):
        database.execute(f"drop table if exists orders; {ddl}")
    keys = register(orders, fields="id, note" if "_EVTIME" in changes.values() else "*", **changes)
    orders.insert(1)
    if not registered:
        orders.queue.tick()
    shown = statements(fine(keys if registered else {**keys, "pgq_consumer_id": "new"}))
    with other_target.another() as other:
        other.execute(f"begin; {shown} commit")
    drain(**keys)
    made = target.rows(TABLES)
    assert len(made) == (2 if "partition by" not in ddl else 1)
    assert made == other_target.rows(TABLES)
    assert "which is there" in fine(keys if registered else {**keys, "pgq_consumer_id": "new"})


GERMAN = (
    "its partition value '24.11.2026' is in DateStyle German; "
    "only ISO is read: set DateStyle = ISO for the producer"
)


def test_the_next_events(source: Database, orders: Orders) -> None:
    """At most ten, in their order, with what becomes of each; a truncate would empty the table."""
    keys = register(orders, event_types="I, U, D, R", table_filter="orders")
    source.execute("insert into orders values (1, '2026-11-24', 'it''s = \x1b[1m')")
    source.execute("update orders set note = null where id = 1; delete from orders where id = 1")
    for type_, data in (
        ("I:id", "id=%zz"),
        ("I:id", "id=3&day=24.11.2026"),
        ("I:id", "id=4&day=2026-11-24&colour=red"),
        ("R", None),
        ("I:id", f"id=5&day=2026-11-24&note={'x' * 1000}"),
        ("I:id", "id=6&day=2026-11-24&note=NULL"),
    ):
        orders.queue.insert(type_, data, "public.orders")
    orders.queue.insert("I:id", f"id=7&day=2026-11-24&note={'x' * 2_000_000}", "public.orders")
    orders.queue.insert("I:id", "id=8&day=2026-11-24", "public.elsewhere")
    source.execute("insert into orders values (9, '2026-11-24', 'the tenth'), (10, '2026-11-24', 'too many')")
    text = fine(keys)
    place = "public.orders_2026_11_24"
    lines = [line for line in text.splitlines() if re.match(r"job: events: \d+: ", line)]
    shown = [re.sub(r"^job: events: \d+: ", "", line) for line in lines]
    goes = f"insert of public.orders goes to {place} (to be created): "
    dead = "I:id of public.orders becomes a dead letter: "
    assert shown == [
        f"{goes}id=1 day=2026-11-24 note=" + r'''"it's = \x1b[1m"''',
        f"update of public.orders goes to {place} (to be created): id=1 day=2026-11-24 note=NULL",
        f"delete of public.orders goes to {place}: id=1 day=2026-11-24 note=NULL",
        f"{dead}its data is not url-encoded: stray % at byte 3: 'id=%zz'",
        f"{dead}{GERMAN}: id=3 day=24.11.2026",
        f"{goes[:-3]}; public.orders has no column colour): id=4 day=2026-11-24 colour=red",
        "truncate of public.orders empties public.orders: ",
        f"{goes}id=5 day=2026-11-24 note={'x' * 29}…",
        f"{goes}id=6 day=2026-11-24 note='NULL'",
        f"{goes}id=9 day=2026-11-24 note='the tenth'",
    ]


def test_only_what_the_consumer_has_before_it(source: Database, orders: Orders) -> None:
    """That is what was not visible at its last tick, and no event that another consumer wants again."""
    keys = register(orders)
    with source.another() as slow:
        slow.execute("begin; insert into orders values (100, '2026-11-24', 'slow')")
        orders.insert(3)
        drain(**keys)
        slow.execute("commit")
    source.execute(
        "select pgq.insert_event_raw('orders', null, now(), 4711, 1, 'I:id', 'id=5', 'public.orders', "
        "null, null, null)"
    )
    text = fine(keys)
    assert "the next 1:" in text
    assert "id=100" in text
    orders.queue.tick()
    drain(**keys)
    assert "none is pending; the newest 4:" in fine(keys)


def test_events_that_stop_the_job_are_faults(orders: Orders) -> None:
    """If they are before it; others show what the queue holds."""
    keys = register(orders, bad_events="stop")
    bad = orders.queue.insert("I:id", "id=%zz", "public.orders")
    orders.queue.tick()
    reason = f"{bad}: I:id of public.orders stops the job: its data is not url-encoded: stray % at byte 3"
    (fault,) = faults_of(keys)
    assert fault == f"cannot run job: events: {reason}: 'id=%zz'"
    assert reason in fine({**keys, "pgq_consumer_id": "new"})


def test_events_that_block_the_job_are_faults(orders: Orders) -> None:
    """Whatever becomes of bad ones: no row at all can be loaded."""
    keys = register(orders, part_field="", fields="id, note:remark")
    orders.insert(1)
    (fault,) = faults_of(keys)
    assert "blocks the job: table public.orders has no column remark, which fields names: id=1 " in fault


def test_an_empty_queue(orders: Orders) -> None:
    """A row of today stands for the first event."""
    text = fine(orders.keys())
    assert re.search(r"a row of today goes to public.orders_\d{4}_\d\d_\d\d, which would be created", text)
    assert "the queue holds none" in text
    assert "primary key (id)" in statements(text)


# What is left as it was.

EVERYTHING = """
    select query_to_xml(format('select * from %s t order by t::text', c.oid::regclass), true, false, '')::text
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname in ('public', 'pgq', 'tdsup', 'pgq_ext') order by c.oid"""
"""The rows of all tables."""

RELATIONS = "select oid, relname, relnatts from pg_class where relkind <> 't' order by oid"


@pytest.mark.parametrize("place", ["own", "pgq_ext"])
@pytest.mark.parametrize("started", [False, True])
def test_nothing_is_changed(
    source: Database, target: Database, orders: Orders, place: str, started: bool
) -> None:
    """No table, no row of one, no position, no tick of the queue."""
    source.execute("update pgq.queue set queue_ticker_paused = true")
    if place == "pgq_ext":
        target.execute(PGQ_EXT.read_text(encoding="utf-8"))
    keys = register(orders) if started else orders.keys()
    source.execute("update pgq.queue set queue_ticker_paused = false")
    orders.insert(3)
    source.execute("update pgq.queue set queue_ticker_paused = true")
    before = [database.rows(query) for database in (source, target) for query in (EVERYTHING, RELATIONS)]
    assert f"kept in {'pgq_ext' if place == 'pgq_ext' else ''}" in fine(keys)
    after = [database.rows(query) for database in (source, target) for query in (EVERYTHING, RELATIONS)]
    assert after == before


def test_the_server_lets_it_change_nothing(target: Database, orders: Orders) -> None:
    """Whatever a function that it calls tries: the transaction is read-only."""
    target.execute(PGQ_EXT.read_text(encoding="utf-8"))
    target.execute(
        "create or replace function pgq_ext.get_last_tick(a_consumer text) returns bigint language plpgsql "
        "as $$ begin insert into pgq_ext.completed_tick values ('x', 'y', 1); return 1; end $$"
    )
    (fault,) = faults_of(orders.keys())
    assert "(25006)" in fault


def test_a_running_job(target: Database, orders: Orders) -> None:
    """Neither disturbs the other; no position is taken for a lost one, however it moves meanwhile."""
    with RunningJob(**orders.keys()) as job:
        job.wait_for("running")
        for number in range(1, 6):
            orders.insert(10)
            text = fine(orders.keys())
            assert "the consumer works now: tdsup job (backend " in text
            job.wait_for("running", rows=10 * number)
    assert target.value("select count(*) from orders") == 50
