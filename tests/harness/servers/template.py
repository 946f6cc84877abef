"""The database that those of tests are copies of."""

from __future__ import annotations

import contextlib

from tdsup.sandbox import Sandbox

from harness.servers.database import Database

TEMPLATE = "fresh"
"""Its name on each server."""


def make_quick(sandbox: Sandbox) -> None:
    """Make the template on both servers, and let them not wait for the disk.

    What a killed server has written stays: only a power failure would tell the difference.
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
