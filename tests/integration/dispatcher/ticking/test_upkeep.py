"""Maintenance: it is PgQ's own list, what fails leaves the rest to be done, and no tick waits for it."""

from __future__ import annotations

import logging

import pytest
from harness.servers.database import Database
from harness.servers.queue import Queue
from harness.servers.tickers import RunningTicker
from harness.waiting import wait_until

pytestmark = pytest.mark.usefixtures("queue")


def ask_for(source: Database, *functions: str) -> None:
    """Let the queue ask for functions of its own in each round."""
    source.execute("update pgq.queue set queue_extra_maint = %s", list(functions))


def test_functions_of_a_queue_are_called_and_repeated(source: Database) -> None:
    """With the queue's name, by the path that the database has for its users, and again while they say so."""
    source.execute(
        "create table calls (queue text);"
        "create function public.work(queue text) returns int language plpgsql as "
        "$$begin insert into calls values (queue); return (select (count(*) = 1)::int from calls); end$$"
    )
    ask_for(source, "public.work")
    with RunningTicker(source, maint_period=3600):
        source.wait_for("select count(*) = 2 from calls")
    assert source.column("select distinct queue from calls") == ["q"]


def test_what_fails_is_told_once_and_stops_nothing_else(
    source: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither ticks nor rotations; the status has it until it works again."""
    source.execute("select pgq.set_queue_config('q', 'rotation_period', '0')")
    ask_for(source, "public.missing", "public.there")
    source.execute("create table calls (queue text)")
    source.execute(
        "create function public.there(queue text) returns int language sql as "
        "$$insert into public.calls values (queue); select 0$$"
    )
    with caplog.at_level(logging.INFO), RunningTicker(source) as ticker:
        ticker.wait_for("running", "public.missing of q fails: function public.missing(unknown) does not")
        source.wait_for("select count(*) >= 3 from calls")
        ticker.wait_until_value("rotations", 2)
        source.execute("create function public.missing(queue text) returns int language sql as $$select 0$$")
        wait_until(lambda: ticker.newest is not None and not ticker.newest.reason, "nothing fails")
    lines = [line for line in caplog.messages if "public.missing" in line]
    assert [line.partition(" (")[0] for line in lines] == [
        "ticker: public.missing of q fails: function public.missing(unknown) does not exist",
        "ticker: public.missing of q works again",
    ]


def test_names_from_the_database_are_names(source: Database) -> None:
    """However they are written, they run nothing but a function of that name."""
    source.execute("create table kept (id int)")
    ask_for(source, "public.x(); drop table kept; --", 'public.y"; drop table kept; --')
    with RunningTicker(source) as ticker:
        ticker.wait_for("running", "drop table kept; --")
    assert source.value("select to_regclass('kept') is not null")


def test_tables_are_vacuumed_that_pgq_names(source: Database) -> None:
    """Where autovacuum is off, PgQ names its own; here, one with an odd name."""
    source.execute(
        'create table public."Odd name" (id int);'
        "create or replace function pgq.maint_tables_to_vacuum() returns setof text language sql as "
        "$$select 'public.Odd name'$$"
    )
    with RunningTicker(source):
        source.wait_for("select vacuum_count > 0 from pg_stat_user_tables where relname = 'Odd name'")


def test_a_pgq_that_has_no_list_is_maintained(source: Database, queue: Queue) -> None:
    """As pgqd does it: each queue's first step, then the second one."""
    source.execute(
        "alter extension pgq drop function pgq.maint_operations(); drop function pgq.maint_operations()"
    )
    source.execute("select pgq.set_queue_config('q', 'rotation_period', '0')")
    with RunningTicker(source) as ticker:
        ticker.wait_until_value("rotations", 4)
    assert queue.name == "q"


def test_ticks_do_not_wait_for_maintenance(source: Database, queue: Queue) -> None:
    """While somebody holds what a rotation needs, for as long as he likes; it can be stopped meanwhile."""
    source.execute("select pgq.set_queue_config('q', 'rotation_period', '0')")
    waits = (
        "exists (select from pg_stat_activity where wait_event_type = 'Lock' and query like '%rotate%' "
        "and datname = current_database())"
    )
    with source.another() as other:
        with RunningTicker(source) as ticker:
            ticker.wait_until_value("rotations", 1)
            other.execute("begin; select from pgq.queue for share")
            source.wait_for(f"select {waits}")
            before = ticker.value("ticks")
            queue.insert("I:id", "id=1")
            queue.insert("I:id", "id=2")
            ticker.wait_until_value("ticks", before + 1)
            assert source.value(f"select {waits}")
        # It has ended although the other still holds the lock, and its statement with it.
        source.wait_for(f"select not {waits}")
        other.execute("rollback")
