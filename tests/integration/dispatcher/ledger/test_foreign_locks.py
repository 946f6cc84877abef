"""Locks that anybody can hold: the job says who does, waits and goes on; it never hangs."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from harness.paths import PGQ_EXT
from harness.rows.pipeline import Pipeline
from harness.servers.database import Database
from harness.servers.queue import Queue
from psycopg2.extensions import make_dsn
from tdsup.dispatcher.postgres import lock_key


@pytest.fixture
def stranger(target: Database) -> Iterator[Database]:
    """A session of a role that may do nothing in the target but connect."""
    role = f"stranger_of_{target.value('select current_database()')}"
    target.execute(f"create role {role} login")
    session = Database(make_dsn(target.dsn, user=role, application_name="stranger"))
    yield session
    session.close()
    target.execute(f"drop role {role}")


def _hold(stranger: Database, *names: str) -> str:
    """Hold a lock; returns which session that is, as the job tells it."""
    stranger.execute("select pg_advisory_lock(%s)", lock_key(*names))
    return f"(backend {stranger.value('select pg_backend_pid()')}, local)"


@pytest.mark.parametrize("names", [("q", "job"), ("job",)])
def test_a_stranger_can_hold_the_lock_of_an_older_version(
    target: Database, queue: Queue, stranger: Database, names: tuple[str, ...]
) -> None:
    """With the second one too, that of pgq_ext: the job stands by, and goes on at once when it is free."""
    if names == ("job",):
        target.execute(PGQ_EXT.read_text())
    pipeline = Pipeline(queue, target)
    pipeline.drain()
    with pipeline.running() as job:
        job.wait_for("running")
        owner = target.value("select epoch from tdsup.consumer")
        holder = _hold(stranger, "position", *names)
        pipeline.insert(10)
        job.wait_for("standby", reason=f"works elsewhere: stranger, perhaps of an older version {holder}")
        assert target.value("select count(*) from t") == 0
        assert target.value("select epoch from tdsup.consumer") == owner
        assert target.value("select blocked is null and paused is null from tdsup.consumer")
        stranger.execute("select pg_advisory_unlock_all()")
        job.wait_for("running", rows=10)
    pipeline.check()


def test_a_job_stops_while_a_stranger_holds_the_lock(pipeline: Pipeline, stranger: Database) -> None:
    """Nothing of it waits for that lock."""
    _hold(stranger, "position", "q", "job")
    with pipeline.running() as job:
        job.wait_for("standby", reason="stranger, perhaps of an older version (backend ")
        began = time.monotonic()
        job.context.stop()
    assert time.monotonic() - began < 2


def test_the_lock_of_a_partition_is_waited_for_with_a_reason(
    target: Database, pipeline: Pipeline, stranger: Database
) -> None:
    """After ten seconds the job names the holder, gives way, and tries again until the partition is made."""
    holder = _hold(stranger, "table", "public", "t_2026_11_01")
    with pipeline.running() as job:
        job.wait_for("running")
        pipeline.insert(10, days=1)
        job.wait_for(
            "retrying",
            reason=f"table public.t_2026_11_01: stranger {holder} holds the lock on its creation",
        )
        stranger.execute("select pg_advisory_unlock_all()")
        job.wait_for("running", rows=10)
    pipeline.check()
