"""PgQue, whose reader may do less, and whose events know their transactions by another type."""

from __future__ import annotations

import select
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from harness.rows.check import examined
from harness.rows.job import Keys, act, drain, job_keys, settings_of
from harness.servers.database import Database
from harness.waiting import PATIENCE
from tdsup.dispatcher.pgq import tick_of
from tdsup.dispatcher.postgres import connected
from tdsup.dispatcher.watching import SourceWatch

PL_ONLY = next(Path("/usr/share/postgresql").glob("*/contrib/pgq_pl_only.sql"))

XID8 = {
    "        ev_txid             bigint          not null default txid_current(),": (
        "        ev_txid             xid8            not null default pg_current_xact_id(),"
    ),
    "    out ev_txid     bigint,": "    out ev_txid     xid8,",
    "ev.ev_txid": "ev.ev_txid::text::int8",
    "pgq.": "pgque.",
    "schema pgq": "schema pgque",
    "'pgq'": "'pgque'",
}
"""What makes PgQ without C like PgQue."""

ROLES = """
    revoke execute on all functions in schema pgque from public;
    grant usage on schema pgque to {reader};
    grant select on all tables in schema pgque to {reader};
    alter function pgque.get_batch_events(bigint) security definer set search_path = pgque, pg_catalog;
    grant execute on function pgque.version(), pgque.register_consumer(text, text),
        pgque.register_consumer_at(text, text, bigint), pgque.unregister_consumer(text, text),
        pgque.next_batch_custom(text, text, interval, int4, interval), pgque.get_batch_events(bigint),
        pgque.finish_batch(bigint) to {reader}"""
"""What a member of ``pgque_reader`` may do (PgQue, ``roles.sql``)."""

SEND = """
    create function pgque.send(queue text, payload jsonb) returns bigint language sql security definer
    as 'select pgque.insert_event(queue, ''default'', payload::text)'"""


NOTIFY = "perform pg_notify('pgque_' || i_queue_name, 'the tick');"

NOTIFYING = {
    "pgque.ticker(text)": "return currval(q.queue_tick_seq);",
    "pgque.ticker(text, bigint, timestamptz, bigint)": "return i_tick_id;",
}
"""Functions that make ticks, and their ends; before them, PgQue notifies."""


@pytest.fixture
def pgque(source: Database, target: Database, without_pgqd: None) -> Iterator[Keys]:
    """Keys of a job whose role on the source is a reader; pgqd would read what is dropped here."""
    del without_pgqd
    text = PL_ONLY.read_text(encoding="utf-8")
    for ours, theirs in XID8.items():
        assert ours in text
        text = text.replace(ours, theirs)
    source.execute("drop extension pgq cascade; drop schema if exists pgq cascade")
    source.execute(text)
    reader = "reader_" + source.value("select current_database()")
    source.execute(f"create role {reader} login; {ROLES.format(reader=reader)}; {SEND}")
    source.execute("select pgque.create_queue('q')")
    source.execute(f"grant select on all tables in schema pgque to {reader}")
    keys = job_keys(source, target, pgq_schema="pgque", part_field="day")
    yield {**keys, "src_db": source.dsn.replace("user=postgres", f"user={reader}")}
    source.execute(f"drop owned by {reader}; drop role {reader}")


def tick(source: Database) -> None:
    """Show what was inserted."""
    source.execute("select pgque.force_tick('q'); select pgque.ticker('q')")


@pytest.mark.parametrize("way", ["blocks", "rows"])
def test_a_reader_may_run_a_job(source: Database, target: Database, pgque: Keys, way: str) -> None:
    """It may not ask for a batch's query, and need not."""
    for database in (source, target):
        database.execute("create table t (id int primary key, day date, note text)")
    source.execute(
        "create trigger changes after insert or update or delete on t "
        "for each row execute function pgque.logutriga('q')"
    )
    drain(**pgque)
    source.execute("insert into t select g, '2026-11-24', 'x' from generate_series(1, 2000) g")
    if way == "rows":
        source.execute("update t set note = 'y' where id = 7; delete from t where id = 8")
    tick(source)
    assert drain(**pgque)["dead_letters"] == 0
    query = "select count(*), count(*) filter (where note = 'y'), min(day) from t"
    assert target.rows(query) == source.rows(query)


def test_what_grants_prints_suffices(source: Database, target: Database, pgque: Keys) -> None:
    """A role with just that loads: it reads events by the function that is for readers."""
    reader = "reader_" + source.value("select current_database()")
    source.execute(f"drop owned by {reader}")
    target.execute("create table t (id int, day date)")
    printed, _mark, _target = "\n".join(act("grants", pgque)).partition("-- The target: ")
    assert "batch_event_sql" not in printed
    source.execute(printed)
    drain(**pgque)
    source.execute("select pgque.insert_event('q', 'made', 'id=1&day=2026-11-24')")
    tick(source)
    drain(**pgque)
    assert target.value("select count(*) from t") == 1


def test_what_send_wrote_is_a_row(source: Database, target: Database, pgque: Keys) -> None:
    """A payload of JSON, with a type of its own."""
    target.execute("create table t (id int, day date, tags text[])")
    drain(**pgque)
    source.execute("""select pgque.send('q', '{"id": 1, "day": "2026-11-24", "tags": ["a", "b"]}')""")
    tick(source)
    drain(**pgque)
    assert target.rows("select id, day::text, tags from t") == [(1, "2026-11-24", ["a", "b"])]


def test_the_check_of_a_reader(source: Database, target: Database, pgque: Keys) -> None:
    """It finds no fault, shows pending events, and names the right that others lack."""
    target.execute("create table t (id int, day date)")
    drain(**pgque)
    source.execute("select pgque.insert_event('q', 'made', 'id=1&day=2026-11-24')")
    tick(source)
    notes, faults = examined(pgque)
    assert faults == []
    assert any("goes to public.t_2026_11_24" in note for note in notes)
    reader = "reader_" + source.value("select current_database()")
    source.execute(f"revoke execute on function pgque.get_batch_events(bigint) from {reader}")
    (fault,) = examined(pgque)[1]
    grant = f"grant execute on function pgque.get_batch_events(bigint) to {reader}"
    assert fault.endswith(f"may not run pgque.get_batch_events(bigint); run there: {grant}")
    source.execute(grant)
    assert examined(pgque)[1] == []


def test_a_backlog_of_a_reader_has_the_limit_of_its_ticks(
    source: Database, target: Database, pgque: Keys
) -> None:
    """As for a role that may ask for a batch's query."""
    target.execute("create table t (id int, day date)")
    drain(**pgque)
    for _ in range(4):
        source.execute(
            "select pgque.insert_event('q', 'I:id', 'id=x&day=2026-11-24', 'public.t', '', '', '')"
        )
        tick(source)
    assert drain(**pgque, bad_event_limit=1, pgq_batch_collect_events=4)["dead_letters"] == 4


class Host:
    """A host of a watcher, without jobs."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.noted: set[str] = set()

    def tell(self, news: Mapping[str, int]) -> None:
        """Keep the ticks."""
        self.told += map(tick_of, news.values())

    def note(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep the names of the jobs."""
        self.noted.update(values)


@pytest.mark.parametrize("notifies", [True, False])
def test_ticks_are_notified(source: Database, pgque: Keys, notifies: bool) -> None:
    """A watcher hears of each at once, and looks seldom; where nothing is notified, it looks often."""
    if notifies:
        for name, end in NOTIFYING.items():
            body = source.value("select pg_get_functiondef(%s::regprocedure)", name)
            assert body.count(end) == 1
            source.execute(body.replace(end, NOTIFY + end))
    settings = settings_of(**pgque, job_name="job", loop_delay=60)
    host = Host()
    with connected(settings.source, "test") as connection:
        watch = SourceWatch({"job": settings}, cast("Any", host), connection)
        pace = watch.look()
        assert pace > 1 if notifies else pace < 1
        assert host.noted == {"job"}
        for _ in range(3):
            tick(source)
            ready, _, _ = select.select([connection.session], [], [], PATIENCE if notifies else 0)
            assert bool(ready) is notifies
            watch.look()
            assert host.told[-1] == source.value("select max(tick_id) from pgque.tick")
            assert not connection.session.notifies
