"""A fleet of real jobs after a failover, and what the command line tells of its databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.programs.fleet import Fleet, fleet
from harness.rows.orders import Orders
from harness.servers.backups import dump, restore
from harness.servers.database import Database


@pytest.fixture
def tables(source: Database, target: Database) -> list[Orders]:
    """Two tables with their queues."""
    return [Orders(source, target, name) for name in ("orders", "clicks")]


@pytest.fixture
def jobs(tmp_path: Path, tables: list[Orders]) -> Iterator[Fleet]:
    """A fleet of two jobs at work, each with a table loaded."""
    with fleet(tmp_path) as made:
        for table in tables:
            table.write_job(made)
        made.start()
        made.wait_all()
        load(tables)
        yield made


def load(tables: list[Orders]) -> None:
    """Insert rows into each table, and wait until they are loaded."""
    for table in tables:
        table.insert(20)
        table.wait_loaded()
        table.wait_finished()


def test_a_fleet_is_rewound_after_a_failover(
    tmp_path: Path, target: Database, tables: list[Orders], jobs: Fleet
) -> None:
    """By one command for all: a dry run tells, the real one mends and starts what was blocked."""
    saved = dump(target, tmp_path / "dump")
    load(tables)
    jobs.stop()
    restore(target, saved)
    jobs.start()
    for table in tables:
        table.insert(20)
        reason = jobs.wait_for(table.name, state="blocked")["reason"]
        assert "Lost position: batch " in reason
        assert f"the target is behind, as if it had been restored; tdsup rewind {table.name} " in reason
    code, said, faults = jobs.said("rewind", "*", "--dry-run")
    assert (code, said.count("would rewind consumer "), faults) == (0, 2, "")
    assert {jobs.job(table.name)["state"] for table in tables} == {"blocked"}
    code, said, faults = jobs.said("rewind", "*")
    assert (code, said.count("rewound consumer "), faults) == (0, 2, "")
    assert said.splitlines()[-1] == "started: clicks orders"
    for table in tables:
        table.wait_loaded()
        assert table.verdict().clean, table.verdict()
        jobs.wait_for(table.name, state="running", rows=60)


def test_a_job_that_works_is_not_rewound(jobs: Fleet) -> None:
    """It is named, with who works, and the exit status says that not all went well."""
    code, said, fault = jobs.said("rewind", "orders")
    assert (code, said) == (1, "")
    assert "cannot rewind consumer orders on queue orders: it works at this moment: host " in fault
    assert jobs.job("orders")["state"] == "running"


def test_consumers_and_who_reads_them(source: Database, jobs: Fleet) -> None:
    """Those of the fleet by their jobs, and those that nobody of it reads."""
    source.execute("select pgq.register_consumer('orders', 'forgotten')")
    code, said, faults = jobs.said("consumers")
    assert (code, faults) == (0, "")
    head, titles, *lines = said.splitlines()
    assert head.startswith(f"database {source.value('select current_database()')} at ")
    assert titles.split() == "QUEUE CONSUMER LAG EVENTS BEHIND LAST ASKED READ BY".split()
    readers = {tuple(line.split()[:2]): line.split("ago")[-1].strip() for line in lines}
    assert readers == {
        ("clicks", "clicks"): "clicks",
        ("orders", "forgotten"): "nobody of this fleet",
        ("orders", "orders"): "orders",
    }


def test_the_schema_of_a_fleet(target: Database, jobs: Fleet) -> None:
    """Once for the database that both jobs load; the SQL is complete as it is printed."""
    name = target.value("select current_database()")
    code, said, faults = jobs.said("schema")
    assert (code, faults, said.count("\n")) == (0, "", 1)
    assert said.startswith(f"database {name} at ")
    assert said.endswith("schema tdsup: version 2; this program makes version 2\n")
    jobs.stop()
    target.execute("drop table tdsup.consumer, tdsup.schema_version")
    code, said, faults = jobs.said("schema", "--sql")
    assert (code, faults) == (0, "")
    target.execute(said)
    assert jobs.said("schema")[1].endswith("version 2; this program makes version 2\n")


def test_a_retired_job_and_its_return(source: Database, tables: list[Orders], jobs: Fleet) -> None:
    """It is stopped and its consumer is gone; started again it goes on from its position."""
    code, said, faults = jobs.said("retire", "orders")
    assert (code, faults) == (0, "")
    assert said.startswith("unregistered consumer orders on queue orders; its position, tick ")
    jobs.wait_for("orders", state="stopped")
    assert source.column("select consumer_name from pgq.get_consumer_info()") == ["clicks"]
    tables[0].insert(20)
    assert jobs.said("start-job", "orders")[0] == 0
    tables[0].wait_loaded()
    assert tables[0].verdict().clean
    assert jobs.wait_for("orders", state="running")["rows"] == 40


def test_a_skipped_batch(target: Database, tables: list[Orders], jobs: Fleet) -> None:
    """A job that its batch has blocked goes on after it; the events are dead letters, and counted."""
    tables[0].write_job(jobs, bad_events="stop")
    assert jobs.said("reload")[0] == 0
    tables[0].queue.send("id=%zz&day=2026-11-01", table="public.orders")
    jobs.wait_for("orders", state="blocked")
    code, said, faults = jobs.said("skip", "orders")
    assert (code, faults) == (0, "")
    assert said.endswith(": its 1 events are dead letters\nstarted: orders\n")
    tables[0].insert(5)
    tables[0].wait_loaded()
    jobs.wait_for("orders", state="running", rows=25, dead_letters=1)
    assert target.column("select reason from tdsup.dead_letter") == ["skipped by a person, with its batch"]


def test_start_is_told_in_the_status(tables: list[Orders], jobs: Fleet) -> None:
    """While it stands in the file."""
    tables[1].write_job(jobs, start="registered")
    assert jobs.said("reload")[0] == 0
    reason = "remove start = registered from its file: after a restore it would count again"
    jobs.wait_for("clicks", state="running", reason=reason)
    assert reason in jobs.said("status")[1]
