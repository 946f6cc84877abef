"""What a former owner has left on the source."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness.rows.pipeline import Pipeline
from harness.servers.database import Database
from psycopg2.extensions import make_dsn


@pytest.fixture
def reader(source: Database) -> Iterator[str]:
    """A connection string of a role that may read the queue, and may end no session but its own."""
    role = f"reader_of_{source.value('select current_database()')}"
    source.execute(f"create role {role} login; grant pgq_admin to {role}")
    yield make_dsn(source.dsn, user=role)
    source.execute(f"drop role {role}")


@pytest.mark.parametrize("may_end_it", [True, False])
def test_a_former_session(pipeline: Pipeline, reader: str, *, may_end_it: bool) -> None:
    """It is ended where the role may do that; where it may not, the job works all the same."""
    pipeline.drain()
    with pipeline.source.another() as former:
        former.execute("set application_name = 'tdsup job 0123456789abcdef'")
        pid = former.value("select pg_backend_pid()")
        pipeline.target.execute(
            "update tdsup.consumer set owner = '0123456789abcdef', host = 'far', target_pid = 1, "
            "target_start = now(), source_pid = %s, source_start = null",
            pid,
        )
        pipeline.insert(10)
        with pipeline.running(**({} if may_end_it else {"src_db": reader})) as job:
            job.wait_for("running", rows=10)
        there = "select count(*) from pg_stat_activity where pid = %s"
        assert pipeline.source.value(there, pid) == (not may_end_it)
    pipeline.check()
