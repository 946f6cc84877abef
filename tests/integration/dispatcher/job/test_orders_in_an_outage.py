"""An order that a job gets while it cannot reach a server."""

from __future__ import annotations

import time
from contextlib import closing

import psycopg2
from harness.rows.pipeline import Pipeline
from psycopg2.extensions import make_dsn
from tdsup.jobtype import Order


def test_a_pause_while_the_source_is_away(pipeline: Pipeline) -> None:
    """It hurries no try to reach the source, and is obeyed once that is back."""
    name = pipeline.source.value("select current_database()")
    beside = psycopg2.connect(make_dsn(pipeline.source.dsn, dbname="postgres"))
    with pipeline.running() as job, closing(beside), beside.cursor() as cursor:
        beside.autocommit = True
        job.wait_for("running")
        cursor.execute(f"alter database {name} allow_connections false")
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'tdsup job %'"
        )
        job.wait_for("retrying")
        job.context.give(Order.PAUSE)
        tries = len(job.context.reports)
        time.sleep(2)
        assert len(job.context.reports) - tries <= 5
        cursor.execute(f"alter database {name} allow_connections true")
        job.wait_for("paused")
