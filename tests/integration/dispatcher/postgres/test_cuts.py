"""Both sides notice within 15 s that they are cut off from each other, whatever they do."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest
from harness.programs.program import Program
from harness.rows.pipeline import Pipeline, Table
from harness.servers.database import Database
from harness.servers.hosts import Host, Hosts
from harness.servers.queue import Queue
from tdsup.dispatcher.address import Address
from tdsup.dispatcher.errors import is_infrastructure
from tdsup.dispatcher.postgres import Connection, IdleConnections, connected
from tdsup.sandbox import Cluster, Sandbox

NOTICED = 15.0
"""Seconds within which a cut is noticed."""

GONE = "select not exists (select from pg_stat_activity where application_name = %s)"

IN_COPY = "select exists (select from pg_stat_activity where query ~* '^[^~]*copy .*rows.* from stdin')"

SCHEMA = """
create table t (line text);
create table stalling (line text);
create table held ();
create function ignore() returns trigger language plpgsql as $$ begin return null; end $$;
create function wait() returns trigger language plpgsql as $$ begin perform 1 from held; return null; end $$;
create trigger ignore before insert on t for each row execute function ignore();
create trigger wait before insert on stalling for each row execute function wait()
"""

LINE = b"x" * 1000 + b"\n"

Work = Callable[[Connection], None]


class _Endless(io.RawIOBase):
    """A file that gives lines for ever, and takes all there are."""

    def read(self, size: int = -1) -> bytes:
        return LINE * (size // len(LINE))

    def write(self, data: object) -> int:
        assert isinstance(data, bytes)
        return len(data)


def _copy(statement: str) -> Work:
    def work(connection: Connection) -> None:
        connection.cursor().copy_expert(statement, _Endless(), 1 << 16)

    return work


def _execute(statement: str) -> Work:
    return lambda connection: connection.cursor().execute(statement)


def _idle(connection: Connection) -> None:
    idle = IdleConnections(connection)
    while True:
        idle.check()
        time.sleep(0.1)


SLEEP = "select pg_sleep(100)"

STREAM = "copy (select repeat('x', 1000), generate_series(1, 1000000000)) to stdout"

WORKS: dict[str, tuple[str, Work]] = {
    "COPY into the target": ("target", _copy("copy public.t from stdin")),
    "COPY into a target that stalls": ("target", _copy("copy public.stalling from stdin")),
    "merge": ("target", _execute(SLEEP)),
    "merge that waits for a lock": ("target", _execute("select from public.held")),
    "target between batches": ("target", _idle),
    "COPY that has no rows yet": ("source", _copy(f"copy ({SLEEP}) to stdout")),
    "source between batches": ("source", _idle),
}
"""What a session may be in the middle of, and of which database it is one."""


@dataclass(frozen=True)
class Far:
    """A server on one host, and a client on another."""

    hosts: Hosts
    server: Host
    client: Host
    cluster: Cluster
    database: Database

    def connect(self, stack: ExitStack, which: str, name: str) -> Connection:
        """A connection of the client."""
        with self.client.inside():
            return stack.enter_context(connected(Address(which, self.dsn("d")), name))

    def dsn(self, database: str) -> str:
        """Connection string of a database of the server."""
        return self.server.dsn(self.cluster, database)

    def noticed(self, name: str, since: float) -> float:
        """Seconds after which the server has ended a session."""
        with closing(Database(self.database.dsn)) as database:
            database.wait_for(GONE, name, seconds=since + NOTICED - time.monotonic())
        return time.monotonic() - since


@pytest.fixture
def far(sandbox: Sandbox, hosts: Hosts) -> Iterator[Far]:
    """A server with the tables of SCHEMA."""
    server, client = hosts.add(), hosts.add()
    with server.cluster(sandbox, sandbox.source) as cluster:
        cluster.create_database("d")
        with closing(Database(cluster.dsn("d"))) as database:
            database.execute(SCHEMA)
            yield Far(hosts, server, client, cluster, database)


def _failed(work: Work, connection: Connection) -> float:
    """When some work failed, as it must, in such a way that it is tried again."""
    with pytest.raises(psycopg2.Error) as caught:
        work(connection)
    assert is_infrastructure(caught.value)
    assert connection.closed
    return time.monotonic()


def test_cuts_are_noticed(far: Far) -> None:
    """The client fails, and the server ends the session, within 15 s."""
    with ExitStack() as stack, ThreadPoolExecutor(2 * len(WORKS)) as pool:
        holder = stack.enter_context(far.database.another())
        holder.execute("begin; lock table held")
        failures = {
            name: pool.submit(_failed, work, far.connect(stack, which, name))
            for name, (which, work) in WORKS.items()
        }
        # All of them are in the middle of it.
        time.sleep(1)
        assert not [name for name, failure in failures.items() if failure.done()]
        since = time.monotonic()
        far.hosts.cut(far.client)
        ends = {name: pool.submit(far.noticed, name, since) for name in WORKS}
        assert all(seconds.result() < NOTICED for seconds in ends.values())
        late = {name: failure.result() - since for name, failure in failures.items()}
        assert max(late.values()) < NOTICED, late


def test_a_job_that_is_cut_off(far: Far, tmp_path: Path) -> None:
    """It says within 15 s which database it lost, in the midst of a batch; mended, it loads each row once."""
    far.cluster.create_database("e")
    with closing(Database(far.cluster.dsn("e"))) as target, ExitStack() as stack:
        queue = Queue(far.database, "q")
        queue.create()
        pipeline = Pipeline(queue, target, Table("rows"), job_name="job", loop_delay=0.1)
        with far.client.inside():
            given = {"src_db": far.dsn("d"), "dst_db": far.dsn("e")}
            program = stack.enter_context(Program(tmp_path, **pipeline.keys(**given)))
        program.wait_says("registered consumer")
        pipeline.insert(100_000, padding=500)
        target.wait_for(
            "select exists (select from pg_stat_activity where query ~* '^[^~]*copy.*rows.*from stdin')"
        )
        far.hosts.cut(far.client)
        program.wait_says("; trying again", NOTICED)
        assert re.search("lost the (source|target) database: .*; trying again", program.log)
        far.hosts.mend(far.client)
        target.wait_for("select count(*) = 100000 from rows", seconds=60)
        program.stop()
        pipeline.check()


def test_a_stream_from_the_source_is_ended_by_its_client(far: Far) -> None:
    """Its reader notices a cut; to the server that is a worker that is stopped, till it is told otherwise."""
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        connection = far.connect(stack, "source", "stream")
        pid = connection.session.info.backend_pid
        failure = pool.submit(_failed, _copy(STREAM), connection)
        time.sleep(1)
        since = time.monotonic()
        far.hosts.cut(far.client)
        assert failure.result() - since < NOTICED
        assert not far.database.value(GONE, "stream")
        assert far.database.value("select pg_terminate_backend(%s)", pid)
        far.database.wait_for(GONE, "stream", seconds=1)
