"""Servers for tests that start databases by the thousand, and the database that those are copies of."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from tdsup.sandbox import Sandbox

from harness.servers.database import Database
from harness.servers.versions import programs

TEMPLATE = "fresh"
"""The name of that database on each server."""

MEMORY = Path("/dev/shm")  # noqa: S108 (a sandbox makes a private folder in it)
"""A folder of files in memory, where a database is copied in a tenth of the time."""

ROOM = 8 << 30
"""Bytes that must be free there."""


@contextlib.contextmanager
def quick_sandbox(versions: str | None) -> Iterator[Sandbox]:
    """A sandbox with a template on both servers, which do not wait for the disk.

    Args:
        versions: of source and target, as in ``14-18``; None: those that are installed.
    """
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    of_source, of_target = programs(versions) if versions else (None, None)
    with Sandbox(of_source, of_target, MEMORY if has_room else None) as made:
        _make_quick(made)
        yield made


def _make_quick(sandbox: Sandbox) -> None:
    """Make the template, and switch off what only a power failure would miss.

    What a killed server has written stays.
    """
    for cluster in (sandbox.source, sandbox.target):
        cluster.create_database(TEMPLATE)
        with contextlib.closing(Database(cluster.dsn("postgres"))) as database:
            # Nobody, pgqd neither, may be connected to it when it is copied.
            database.execute(f"alter database {TEMPLATE} is_template true allow_connections false")
            database.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", TEMPLATE
            )
            database.execute("alter system set fsync = off")
            database.execute("alter system set full_page_writes = off")
            database.execute("select pg_reload_conf()")


def copy(database: Database, name: str) -> None:
    """Make a database like the template.

    Args:
        database: any other of the server.
        name: of the new one.
    """
    # Before version 15 there was no other way.
    files = " strategy file_copy" if int(database.value("show server_version_num")) >= 150_000 else ""
    database.execute(f"create database {name} template {TEMPLATE}{files}")
