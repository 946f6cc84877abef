"""The contract, as our two job types keep it."""

from __future__ import annotations

import pytest
from harness.rows.job import settings_of
from tdsup.dispatcher.job import TABLE_DISPATCHER
from tdsup.dispatcher.ticking.pgqticker import PGQ_TICKER
from tdsup.dispatcher.ticking.tickersettings import TickerSettings
from tdsup.jobtype import STATUS_NUMBERS, JobType

JOB_TYPE: JobType = TABLE_DISPATCHER
"""For mypy: it is a job type in every particular."""

TICKER: JobType = PGQ_TICKER
"""So is this."""


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("host=shop dbname=d", "dbname=d  host='shop'", True),
        ("host=shop dbname=d", "postgresql://shop/d", True),
        ("host=shop dbname=d", "host=shop dbname=e", False),
    ],
)
def test_jobs_of_one_source_say_so(one: str, other: str, same: bool) -> None:
    """However its connection string is written."""
    sources = [
        JOB_TYPE.sources(settings_of(src_db=dsn, dst_db="dbname=t", queue_name="q", dest_table="t"))
        for dsn in (one, other)
    ]
    assert (sources[0] == sources[1]) is same


def test_table_dispatcher_has_every_number_that_status_shows() -> None:
    """No column of it is always 0, and what ends with the process is not 0 without one."""
    kinds = {metric.name: metric.kind for metric in JOB_TYPE.metrics}
    for number in STATUS_NUMBERS:
        assert (kinds[number.name] == "gauge") == (number.unknown is None)


def test_what_a_job_leaves_behind_is_ended_by_one_statement() -> None:
    """Names of queue and consumer are data in it, and no password is shown."""
    line = JOB_TYPE.leaving(
        settings_of(
            src_db="host=db1 dbname=shop password=hunter2",
            dst_db="dbname=t",
            queue_name="it's",
            consumer_name="a\\b",
            dest_table="t",
        )
    )
    assert line == (
        "consumer a\\b of queue it's in database shop at db1: nobody reads it any more, and the queue keeps "
        "its events; run there: select pgq.unregister_consumer('it''s', E'a\\\\b')"
    )


def test_what_a_ticker_claims_shows_no_password() -> None:
    """It claims the ticks of its database, and leaves nothing behind."""
    settings = TickerSettings.model_validate({"job_name": "x", "db": "host=db1 dbname=shop password=hunter2"})
    claim = "the ticker of PgQ in schema pgq of database shop at db1"
    assert (TICKER.claims(settings), TICKER.leaving(settings)) == ({"db": claim}, "")
