"""The sandbox is private, real, and gone afterwards."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest
from harness.programs.processes import alive
from harness.servers.database import Database
from harness.servers.queue import Queue
from harness.waiting import wait_until
from tdsup.sandbox import Sandbox, SandboxError
from tdsup.sandbox.binaries import find
from tdsup.sandbox.reaper import inside


def test_a_context_leaves_nothing() -> None:
    """After the context there is no process and no file."""
    with Sandbox() as box:
        pids = inside(box.directory)
        assert len(pids) > 10
    assert not box.directory.exists()
    assert not [pid for pid in pids if alive(pid)]


def test_a_killed_owner_leaves_nothing(tmp_path: Path) -> None:
    """Even kill -9 of the process that owns a sandbox leaves no process and no file."""
    output = tmp_path / "output"
    with output.open("wb") as file:
        owner = subprocess.Popen([sys.executable, "-m", "tdsup.sandbox"], stdout=file)
    wait_until(lambda: "Ctrl-C" in output.read_text(), "the sandbox is up", 60)
    directory = Path(output.read_text().partition("host=")[2].partition(" ")[0]).parent
    pids = inside(directory)
    assert len(pids) > 10
    owner.kill()
    owner.wait()
    wait_until(lambda: not directory.exists(), "the files are gone", 20)
    wait_until(lambda: not [pid for pid in pids if alive(pid)], "the processes are gone", 20)


def test_the_program_ends_by_signal(tmp_path: Path) -> None:
    """``python -m tdsup.sandbox`` prints how to connect, and SIGINT ends it in order."""
    output = tmp_path / "output"
    with output.open("wb") as file:
        owner = subprocess.Popen([sys.executable, "-m", "tdsup.sandbox"], stdout=file, stderr=file)
    wait_until(lambda: "Ctrl-C" in output.read_text(), "the sandbox is up", 60)
    lines = output.read_text().splitlines()
    psycopg2.connect(lines[0].partition("'")[2].rstrip("'")).close()
    owner.send_signal(signal.SIGINT)
    assert owner.wait(30) == 0
    assert len(output.read_text().splitlines()) == 3


def test_servers_are_durable() -> None:
    """Nothing that makes a server safe is switched off."""
    with Sandbox() as box:
        for cluster in (box.source, box.target):
            with contextlib.closing(Database(cluster.dsn("postgres"))) as database:
                for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                    assert database.value(f"show {setting}") == "on"


def test_servers_are_real_and_unprivileged(sandbox: Sandbox, source: Database, target: Database) -> None:
    """Nothing runs as root; source and target are two servers."""
    owners = {pwd.getpwuid(Path(f"/proc/{pid}").stat().st_uid).pw_name for pid in inside(sandbox.directory)}
    assert "root" not in owners
    identifier = "select system_identifier from pg_control_system()"
    assert source.value(identifier) != target.value(identifier)
    assert source.value("select extversion from pg_extension where extname = 'pgq'")
    assert not target.rows("select from pg_extension where extname = 'pgq'")


def test_loopback_asks_for_the_password(sandbox: Sandbox) -> None:
    """Loopback needs the generated password; the unix socket is in a private directory."""
    dsn = sandbox.target.tcp_dsn("postgres")
    psycopg2.connect(dsn).close()
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(f"{dsn} password=wrong passfile={os.devnull}")
    assert sandbox.directory.stat().st_mode & 0o077 == 0


def test_servers_are_killed_and_started_one_by_one() -> None:
    """A killed server recovers what was committed, and the other one does not notice."""
    with Sandbox() as box:
        names = {cluster: Database(cluster.dsn("postgres")) for cluster in (box.source, box.target)}
        source, target = names.values()
        source.execute("create table t as select 1 as id")
        began = target.value("select pg_postmaster_start_time()")
        box.source.kill()
        # psycopg2 does not always raise an OperationalError for it.
        with pytest.raises(psycopg2.DatabaseError):
            source.value("select 1")
        box.source.start()
        source.reconnect()
        assert source.column("select id from t") == [1]
        box.source.restart()
        source.reconnect()
        assert source.column("select id from t") == [1]
        assert target.value("select pg_postmaster_start_time()") == began
        source.close()
        target.close()


def test_the_ticker_finds_new_databases(source: Database) -> None:
    """The ticker ticks the queue of a database that was just created, by itself."""
    queue = Queue(source, "fresh")
    queue.create()
    queue.insert("type", "id=1")
    source.wait_for("select count(*) > 1 from pgq.tick", seconds=15)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    """The error names each missing program, and the package that has it."""
    with pytest.raises(
        SandboxError, match=r"missing pgqd .*package pgqd\) and a PostgreSQL server"
    ) as caught:
        find(path=str(tmp_path), servers=())
    assert "\n" not in str(caught.value)


def test_a_server_without_the_extension_is_named(tmp_path: Path) -> None:
    """The error names the package of PgQ for the server's version."""
    for name, text in (
        ("initdb", "exit 0"),
        ("postgres", "echo 'postgres (PostgreSQL) 99.1'"),
        ("pg_config", f"echo {tmp_path}"),
        ("pgqd", "exit 0"),
    ):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
    with pytest.raises(SandboxError, match=r"the extension pgq for PostgreSQL 99 \(.*postgresql-99-pgq3\)"):
        find(path=str(tmp_path), servers=())
