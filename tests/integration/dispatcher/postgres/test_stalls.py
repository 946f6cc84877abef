"""A target that stalls, and a worker that is stopped, lose no connection."""

from __future__ import annotations

import io
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from harness.programs.program import Program
from harness.rows.pipeline import Pipeline, Table
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.address import Address
from tdsup.dispatcher.postgres import connected

STALL = 60.0
"""Seconds; a cut would be noticed after 15."""

ROWS, PADDING = 40_000, 1000
"""More than a job and the buffers of its sockets hold: the source waits too."""

SCHEMA = """
create table held ();
create function wait() returns trigger language plpgsql as
    $$ begin perform 1 from public.held; return new; end $$;
create table long (id int, note text)
"""

WAIT = "create trigger wait before insert on {} for each row when (new.id = 5000) execute function wait()"

COPIES = (
    "select count(*) = %s from pg_stat_activity "
    "where datname = current_database() and state = 'active' and query ilike '%%copy%%' and wait_event{} = %s"
)


def _pipeline(name: str, source: Database, target: Database) -> Pipeline:
    """A job of some name; its COPY will wait for the lock on ``held``."""
    queue = Queue(source, name)
    queue.create()
    made = Pipeline(queue, target, Table(name), job_name=name, buffer_size="1 MiB", loop_delay=0.1)
    target.execute(WAIT.format(name))
    return made


def _copy(dsn: str) -> None:
    """One COPY, of more than the buffers of its sockets hold."""
    line = b"5000\t" + b"x" * PADDING + b"\n"
    with connected(Address("target", dsn), "long") as connection, connection, connection.cursor() as cursor:
        cursor.copy_expert("copy public.long from stdin", io.BytesIO(line * ROWS), 1 << 16)


def test_stalls_are_waited_for(
    tmp_path: Path, source: Database, target: Database, source_tcp: str, tcp: str
) -> None:
    """For 60 s a target waits for a lock in the middle of COPYs, and one of two jobs is stopped.

    Both load their batch at the first try, and a COPY that is too long to be sent before gets through.
    """
    target.execute(SCHEMA)
    target.execute(WAIT.format("long"))
    pipelines = {name: _pipeline(name, source, target) for name in ("stalled", "stopped")}
    by_tcp = {"src_db": source_tcp, "dst_db": tcp}
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        programs = {
            name: stack.enter_context(Program(tmp_path / name, **pipeline.keys(**by_tcp)))
            for name, pipeline in pipelines.items()
        }
        with target.another() as holder:
            holder.execute("begin; lock table held")
            copied = pool.submit(_copy, tcp)
            for name, pipeline in pipelines.items():
                programs[name].wait_says("registered consumer")
                pipeline.insert(ROWS, padding=PADDING)
            target.wait_for(COPIES.format("_type"), 3, "Lock")
            source.wait_for(COPIES.format(""), 2, "ClientWrite")
            programs["stopped"].send(signal.SIGSTOP)
            time.sleep(STALL)
        programs["stopped"].send(signal.SIGCONT)
        copied.result()
        for name, pipeline in pipelines.items():
            target.wait_for(f"select count(*) = {ROWS} from {name}")
            programs[name].stop()
            assert "trying again" not in programs[name].log
            assert (verdict := pipeline.verdict(name)).clean, verdict
