"""``tdsup check``: all faults of all files at once, and with ``--connect`` of the databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.programs.fleet import Fleet, fleet
from harness.rows.orders import Orders
from harness.servers.database import Database


@pytest.fixture
def a_fleet(tmp_path: Path) -> Iterator[Fleet]:
    """A directory without a master."""
    with fleet(tmp_path) as made:
        yield made


def test_all_faults_of_all_files_are_told_at_once(a_fleet: Fleet) -> None:
    """Those of one file, those between files, and warnings; nothing is started, the exit status is 1."""
    a_fleet.write_job("a", behav="x", after=-1)
    a_fleet.write_job("b", section="nothing")
    a_fleet.write_job("c", logfile="one.log", unused=1)
    a_fleet.write_job("d", logfile="one.log", pidfile="one.pid", queue="q")
    a_fleet.write_job("e", job_name="d")
    a_fleet.write_job("f", pidfile="one.pid", queue="q")
    done = a_fleet.run("check")
    folder = a_fleet.directory
    assert done.returncode == 1
    assert done.stdout == "2 of 6 jobs can run\n"
    lines = done.stderr.splitlines()
    assert [line.partition(": [")[0] for line in lines[:2]] == ["cannot load conf.d/a.ini"] * 2
    assert lines[2].startswith("cannot load conf.d/b.ini: [nothing] no job type is called nothing")
    assert lines[3:5] == [
        "conf.d/c.ini: [sleeper] unused: has no effect: it sleeps",
        "cannot load conf.d/e.ini: [sleeper] job_name: d is the name of the job in conf.d/d.ini already",
    ]
    shared = "cannot share between jobs: conf.d/"
    mine = "belongs to d (conf.d/d.ini) already"
    assert lines[5:] == [
        f"{shared}d.ini: [sleeper] logfile: the log {folder}/one.log belongs to c (conf.d/c.ini) already",
        f"{shared}f.ini: [sleeper] pidfile: the pid file {folder}/one.pid {mine}",
        f"{shared}f.ini: [sleeper] queue: the queue q {mine}",
    ]


def test_sound_files_are_told_so(a_fleet: Fleet) -> None:
    """With exit status 0; files that are named are checked alone, and a missing one is a fault."""
    a_fleet.write_job("a")
    a_fleet.write_job("b", behav="x")
    said = "1 of 1 jobs can run\nnot compared with the fleet's other files: tdsup check does that\n"
    done = a_fleet.run("check", "conf.d/a.ini")
    assert (done.returncode, done.stdout, done.stderr) == (0, said, "")
    done = a_fleet.run("check", "conf.d/a.ini", "conf.d/z.ini")
    assert (done.returncode, done.stdout) == (1, said)
    assert done.stderr == "cannot check conf.d/z.ini: no such file\n"


def test_a_connection_shows_what_files_cannot(a_fleet: Fleet, source: Database, target: Database) -> None:
    """Both databases are checked; a fault there is exit status 1, and nothing is changed."""
    orders = Orders(source, target, "orders")
    orders.write_job(a_fleet)
    done = a_fleet.run("check", "--connect")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("orders: source: ")
    assert done.stdout.endswith("\n1 of 1 jobs can run\n")
    assert "consumer orders is not registered; the job's first start registers it" in done.stdout
    target.execute("drop table orders")
    done = a_fleet.run("check", "--connect")
    assert done.returncode == 1
    assert "cannot run orders: target: " in done.stdout
    assert done.stdout.endswith("\n0 of 1 jobs can run\n")
    assert done.stderr == "cannot run orders: 1 fault, told above\n"
    assert source.value("select count(*) from pgq.get_consumer_info('orders')") == 0


def test_jobs_are_counted_once_their_databases_have_been_looked_at(
    a_fleet: Fleet, source: Database, target: Database
) -> None:
    """Of three, one is broken by its file and one by its target; the count is the last line."""
    Orders(source, target, "orders").write_job(a_fleet, sql_retry_max_time=60)
    Orders(source, target, "clicks").write_job(a_fleet, dest_table="nowhere")
    a_fleet.write_job("broken", behav="x")
    done = a_fleet.run("check")
    assert done.stdout.startswith("2 of 3 jobs can run\nwritten for table_dispatcher itself: orders; ")
    done = a_fleet.run("check", "--connect")
    assert done.returncode == 1
    first, *_, last = done.stdout.splitlines()
    assert first.startswith("written for table_dispatcher itself: orders; ")
    assert last == "1 of 3 jobs can run"
