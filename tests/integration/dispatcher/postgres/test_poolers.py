"""Poolers: those that keep sessions work, others are refused."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import psycopg2
import pytest
from harness.rows.pipeline import Pipeline
from harness.servers.database import Database
from harness.servers.pgbouncer import PgBouncer, pgbouncer
from harness.servers.queue import Queue
from psycopg2.extensions import parse_dsn
from tdsup.dispatcher.address import Address
from tdsup.dispatcher.errors import Outage, SetupError
from tdsup.dispatcher.postgres import connected
from tdsup.sandbox import Sandbox

REFUSED = (
    "cannot use the {} database: it is behind a pooler in transaction or statement mode, where no session is "
    "kept for a client; connect to the server itself, or set pool_mode = session for this database"
)

POOLS = [
    {},
    {"server_round_robin": 1},
    {"server_round_robin": 1, "default_pool_size": 2},
    {"default_pool_size": 1},
]
"""Settings that decide which session of the pool is given next, and how many there are."""


@contextlib.contextmanager
def _busy(pooler: PgBouncer, name: str, clients: int = 4) -> Iterator[None]:
    """Others use the same pool all the time."""
    ended = threading.Event()

    def use() -> None:
        with contextlib.closing(psycopg2.connect(pooler.dsn(name))) as connection:
            connection.autocommit = True
            while not ended.is_set():
                with connection.cursor() as cursor:
                    cursor.execute("select pg_sleep(random() / 1000)")

    threads = [threading.Thread(target=use) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _used(pooler: PgBouncer, name: str, which: str = "target") -> str:
    """What becomes of a connection: a name in the server's list, or why it is refused."""
    try:
        with connected(Address(which, pooler.dsn(name)), "me") as connection, connection.cursor() as cursor:
            cursor.execute("select current_setting('application_name')")
            (found,) = cursor.fetchone() or ("",)
            return str(found)
    except SetupError as error:
        return str(error)


def test_session_pooling_works(sandbox: Sandbox, name: str) -> None:
    """Whatever the pool is like, even if it has no second session to compare with."""
    for settings in POOLS:
        with pgbouncer(sandbox, sandbox.target, "session", **settings) as pooler:
            assert _used(pooler, name) == "me", settings


@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_other_modes_are_refused(mode: str, sandbox: Sandbox, name: str) -> None:
    """In one sentence that says what to do; at the source too, and each time."""
    for settings in POOLS:
        with pgbouncer(sandbox, sandbox.target, mode, **settings) as pooler:
            for which in ("source", "target"):
                assert _used(pooler, name, which) == REFUSED.format(which), settings


def test_a_pooler_that_cannot_be_judged(sandbox: Sandbox, name: str) -> None:
    """It has no place for the second connection that tells: the job tries again, and says why."""
    with (
        pgbouncer(sandbox, sandbox.target, "session", max_client_conn=1) as pooler,
        pytest.raises(Outage, match=r"cannot find out how the pooler of the target .*: .*no more"),
    ):
        _used(pooler, name)


def test_a_busy_pool_is_found_out(sandbox: Sandbox, name: str) -> None:
    """Others take and give back sessions meanwhile; a client that keeps its own is never refused for it."""
    for settings in POOLS[:2]:
        with pgbouncer(sandbox, sandbox.target, "transaction", **settings) as pooler, _busy(pooler, name):
            assert {_used(pooler, name) for _ in range(30)} == {REFUSED.format("target")}
        with pgbouncer(sandbox, sandbox.target, "session", **settings) as pooler, _busy(pooler, name):
            assert {_used(pooler, name) for _ in range(30)} == {"me"}


def test_sessions_of_others_are_left_alone(sandbox: Sandbox, name: str) -> None:
    """A refused connection has set nothing in a session that it shares."""
    with pgbouncer(sandbox, sandbox.target, "transaction", default_pool_size=1) as pooler:
        asked = "select current_setting('statement_timeout'), current_setting('idle_session_timeout')"
        with contextlib.closing(psycopg2.connect(pooler.dsn(name))) as other, other.cursor() as cursor:
            cursor.execute("set statement_timeout = '1h'; set idle_session_timeout = '2h'")
            other.commit()
            assert _used(pooler, name) == REFUSED.format("target")
            cursor.execute(asked)
            assert cursor.fetchone() == ("1h", "2h")


def test_a_name_that_was_handed_on_is_replaced(sandbox: Sandbox, target: Database, name: str) -> None:
    """A pooler that resets nothing hands on the session of the client before, with all its settings."""
    settings = {"server_reset_query": "", "default_pool_size": 1}
    with pgbouncer(sandbox, sandbox.target, "session", **settings) as pooler:
        with contextlib.closing(psycopg2.connect(pooler.dsn(name))) as other, other.cursor() as cursor:
            cursor.execute("select set_config('application_name', 'other', false), pg_backend_pid()")
            (_, pid) = cursor.fetchone() or ("", 0)
            cursor.execute("set statement_timeout = '1h'")
            other.commit()
        with (
            connected(Address("target", pooler.dsn(name)), "me") as connection,
            connection.cursor() as cursor,
        ):
            query = "select application_name from pg_stat_activity where pid = %s"
            assert target.column(query, pid) == ["me"]
            cursor.execute("select pg_backend_pid(), current_setting('statement_timeout')")
            assert cursor.fetchone() == (pid, "0")


def test_a_job_behind_poolers(sandbox: Sandbox, source: Database, target: Database, queue: Queue) -> None:
    """It loads its batches in session mode, nothing of a session is left prepared, and else it is blocked."""
    pipeline = Pipeline(queue, target, part_field="day")
    names = parse_dsn(source.dsn)["dbname"], parse_dsn(target.dsn)["dbname"]

    def keys(mode: str) -> dict[str, str]:
        poolers = [
            stack.enter_context(pgbouncer(sandbox, cluster, mode, server_reset_query=""))
            for cluster in (sandbox.source, sandbox.target)
        ]
        return dict(zip(("src_db", "dst_db"), map(PgBouncer.dsn, poolers, names), strict=True))

    with contextlib.ExitStack() as stack:
        by_session = keys("session")
        pipeline.drain(**by_session)
        for _ in range(3):
            pipeline.insert(100)
            pipeline.drain(**by_session)
            pipeline.check()
        for dsn in by_session.values():
            with contextlib.closing(psycopg2.connect(dsn)) as after, after.cursor() as cursor:
                cursor.execute("select name from pg_prepared_statements")
                assert cursor.fetchall() == []
        with pytest.raises(SetupError, match="pooler in transaction or statement mode"):
            pipeline.drain(**keys("transaction"))
