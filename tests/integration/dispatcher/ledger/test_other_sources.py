"""A consumer of one source, and a job of another that has its names: the same queue, consumer and target."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from harness.rows.pipeline import Pipeline
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.errors import SetupError
from tdsup.sandbox import Cluster, Sandbox

SENTENCE = r"another source uses this name: database {} of cluster \d+, and this is {} of \d+; give it"


def database_in(cluster: Cluster, name: str) -> Iterator[Database]:
    """A database with PgQ."""
    cluster.create_database(name)
    database = Database(cluster.dsn(name))
    database.execute("create extension if not exists pgq")
    yield database
    database.close()
    cluster.drop_database(name)


@pytest.fixture(params=["another database", "another cluster"])
def elsewhere(sandbox: Sandbox, source: Database, request: pytest.FixtureRequest) -> Iterator[Database]:
    """A source that differs from the first by the database's name, or by the cluster alone."""
    name = source.value("select current_database()")
    if request.param == "another cluster":
        yield from database_in(sandbox.target, name)
    else:
        yield from database_in(sandbox.source, f"{name}x")


@pytest.fixture
def stranger(elsewhere: Database, pipeline: Pipeline) -> Database:
    """The other source, with a queue and rows of its own for the same table."""
    queue = Queue(elsewhere, "q")
    queue.create()
    queue.send("id=1&day=2026-11-01", "id=2&day=2026-11-02")
    assert pipeline.target.value("select count(*) from t") == 0
    return elsewhere


def sentence(pipeline: Pipeline, other: Database) -> str:
    """How the other source's job is blocked."""
    names = [each.value("select current_database()") for each in (pipeline.source, other)]
    return SENTENCE.format(*names)


def test_another_source_is_blocked_and_the_owner_goes_on(pipeline: Pipeline, stranger: Database) -> None:
    """It does not wait for its turn, registers nothing, and leaves no mark in the owner's row."""
    with pipeline.running() as job:
        pipeline.insert(5)
        job.wait_for("running", rows=5)
        with pytest.raises(SetupError, match=sentence(pipeline, stranger)):
            pipeline.drain(src_db=stranger.dsn)
        pipeline.insert(5)
        job.wait_for("running", rows=10)
    assert pipeline.target.value("select blocked is null and paused is null from tdsup.consumer")
    assert stranger.value("select count(*) from pgq.get_consumer_info()") == 0
    with pytest.raises(SetupError, match=sentence(pipeline, stranger)):
        pipeline.drain(src_db=stranger.dsn)
    pipeline.drain()
    pipeline.check()


def test_another_source_with_a_name_of_its_own(pipeline: Pipeline, stranger: Database) -> None:
    """As the sentence says: both load into one table."""
    changes = {"src_db": stranger.dsn, "pgq_consumer_id": "other"}
    pipeline.drain(**changes)
    Queue(stranger, "q").send("id=-1&day=2026-11-01")
    pipeline.drain(**changes)
    pipeline.insert(2)
    pipeline.drain()
    assert pipeline.target.column("select id from t order by id") == [-1, 1, 2]


def test_a_reset_says_that_the_source_has_moved(pipeline: Pipeline, stranger: Database) -> None:
    """Where its ticks are others: it goes on from where the new source stands, and the old one is refused."""
    pipeline.insert(5)
    pipeline.drain()
    stranger.execute("select pgq.register_consumer('q', 'job')")
    with pytest.raises(SetupError, match=r"cannot rewind .* (of another time|has no tick)"):
        pipeline.act("rewind", src_db=stranger.dsn)
    pipeline.act("reset", src_db=stranger.dsn)
    Queue(stranger, "q").send("id=-1&day=2026-11-01")
    pipeline.drain(src_db=stranger.dsn)
    assert pipeline.target.column("select id from t where id < 1") == [-1]
    with pytest.raises(SetupError, match="another source uses this name"):
        pipeline.drain()


@pytest.mark.usefixtures("without_pgqd")
def test_a_rewind_after_a_move(pipeline: Pipeline, sandbox: Sandbox) -> None:
    """The source's database has another name now, and all its ticks: a rewind writes the new one."""
    pipeline.insert(5)
    pipeline.drain()
    old = pipeline.source.value("select current_database()")
    pipeline.source.close()
    with closing(Database(sandbox.source.dsn("postgres"))) as server:
        server.execute(f"create database moved template {old}")
    moved = Database(sandbox.source.dsn("moved"))
    try:
        moved.execute("insert into t values (6, '2026-11-02', 'moved')")
        Queue(moved, "q").tick()
        with pytest.raises(SetupError, match=f"another source uses this name: database {old} of"):
            pipeline.drain(src_db=moved.dsn)
        (said,) = pipeline.act("rewind", src_db=moved.dsn)
        assert said.endswith("the target's position, already")
        pipeline.drain(src_db=moved.dsn)
        assert pipeline.target.column("select id from t order by id") == [1, 2, 3, 4, 5, 6]
    finally:
        moved.close()
        sandbox.source.drop_database("moved")
        pipeline.source.reconnect()
