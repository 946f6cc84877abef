"""Of several tickers one ticks at a time; what their roles need."""

from __future__ import annotations

import pytest
from harness.servers.database import Database
from harness.servers.tickers import RunningTicker, ticker_settings
from harness.waiting import wait_until
from tdsup.dispatcher.errors import SetupError
from tdsup.dispatcher.ticking.readiness import check

pytestmark = pytest.mark.usefixtures("queue")

LOCKS = (
    "select pid from pg_locks join pg_database d on d.oid = database "
    "where locktype = 'advisory' and granted and datname = current_database()"
)
"""Sessions that have an advisory lock in the source."""


def test_one_ticks_and_one_stands_by(source: Database) -> None:
    """It says for whom it waits, and takes over when that one's session ends."""
    with RunningTicker(source, job_name="one") as one:
        one.wait_for("running")
        with RunningTicker(source, job_name="two") as two:
            pid = source.value("select pid from pg_stat_activity where application_name = 'tdsup one'")
            two.wait_for("standby", f"another process ticks: host local, backend {pid} (tdsup one)")
            source.execute("select pg_terminate_backend(%s)", pid)
            source.wait_for(f"select count(*) = 1 from ({LOCKS}) locks where pid <> {pid}")
            one.wait_for("standby" if two.newest and two.newest.condition == "running" else "running")
    source.wait_for(f"select not exists ({LOCKS})")


def test_a_standby_ticks_once_the_first_one_has_stopped(source: Database) -> None:
    """And not before."""
    with RunningTicker(source, job_name="two") as two:
        two.wait_for("running")
        with RunningTicker(source, job_name="one") as one:
            one.wait_for("standby")
            assert one.value("ticks") == 0
            two.context.stop()
            one.wait_for("running")


def test_tickers_of_two_schemas_do_not_wait_for_each_other(source: Database) -> None:
    """PgQ and PgQue may be in one database."""
    source.execute("create schema pgque; create table pgque.queue (queue_switch_step1 bigint)")
    for function in ("ticker()", "maint_retry_events()", "maint_rotate_tables_step2()"):
        source.execute(f"create function pgque.{function} returns int language sql as 'select 0'")
    source.execute(
        "create function pgque.maint_rotate_tables_step1(text) returns int language sql as 'select 0'"
    )
    with RunningTicker(source) as one, RunningTicker(source, pgq_schema="pgque") as two:
        one.wait_for("running")
        two.wait_for("running")


def test_an_outage_is_told_and_outlived(source: Database) -> None:
    """A session that somebody ends is followed by another one."""
    with RunningTicker(source) as ticker:
        ticker.wait_for("running")
        source.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tdsup ticker'"
        )
        wait_until(
            lambda: any(report.condition == "retrying" for report in ticker.context.reports), "an outage"
        )
        (outage, *_others) = (each for each in ticker.context.reports if each.condition == "retrying")
        assert outage.reason.startswith("lost the source database: ")
        ticker.wait_for("running")


def test_an_error_of_pgq_is_retried(source: Database) -> None:
    """A queue that PgQ itself cannot tick may be mended at any time; until then its words are told."""
    source.execute("update pgq.tick set tick_snapshot = '999999999:999999999:'")
    with RunningTicker(source) as ticker:
        ticker.wait_for("retrying", "the source database failed: Invalid PgQ state")
        source.execute("update pgq.tick set tick_snapshot = txid_current_snapshot()")
        ticker.wait_for("running")


def test_a_member_of_pgq_admin_may_do_all_of_it(source: Database, admin: str) -> None:
    """It owns nothing: ticks, rotations and events to be tried again."""
    source.execute("select pgq.set_queue_config('q', 'rotation_period', '0')")
    with RunningTicker(source, db=admin) as ticker:
        ticker.wait_until_value("rotations", 4)
        found = ticker.wait_for("running")
    assert found.reason == ""
    assert list(check(ticker_settings(source, db=admin))) == [
        "ticker ticker:",
        "  it may tick; there are 1 queues to tick in schema pgq",
    ]


def test_a_role_without_rights_is_told_what_to_grant(source: Database, role: str) -> None:
    """By the check, and by the ticker, which does not try again."""
    dsn = source.dsn.replace("user=postgres", f"user='{role}'")
    words = r'role app role may not run pgq.ticker\(\), .*; run there: grant pgq_admin to "app role"'
    with pytest.raises(SetupError, match=words), RunningTicker(source, db=dsn) as ticker:
        ticker.wait_for("running")
    with pytest.raises(SetupError, match=words):
        list(check(ticker_settings(source, db=dsn)))


def test_a_database_without_pgq_is_told(source: Database) -> None:
    """With the remedy, if that is one statement."""
    source.execute("drop extension pgq cascade; drop schema if exists pgq cascade")
    with pytest.raises(SetupError, match="has no PgQ in schema pgq; run there: create extension pgq"):
        list(check(ticker_settings(source)))
    with pytest.raises(SetupError, match=r"has no PgQ in schema pgque$"):
        list(check(ticker_settings(source, pgq_schema="pgque")))
