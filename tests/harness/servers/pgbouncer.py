"""PgBouncer before a server."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg2
from psycopg2.extensions import make_dsn
from tdsup.sandbox import Cluster, Sandbox
from tdsup.sandbox.account import unprivileged

from harness.waiting import PATIENCE, wait_until

PROGRAM = "/usr/sbin/pgbouncer"
"""Where Debian puts it; not everybody's PATH leads there."""

PORT = 6432
"""Only part of a socket's name: it listens on no network."""

_CONFIG = """
[databases]
* = host={cluster} port={port} user=postgres

[pgbouncer]
listen_port = 6432
unix_socket_dir = {directory}
auth_type = any
{settings}
"""


class PgBouncer:
    """A running pooler; it knows all databases of its cluster."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def dsn(self, database: str) -> str:
        """Connection string through the pooler."""
        return make_dsn(host=str(self._directory), port=PORT, user="postgres", dbname=database)

    def answers(self) -> bool:
        """Whether it takes connections."""
        with contextlib.suppress(psycopg2.OperationalError):
            psycopg2.connect(self.dsn("postgres")).close()
            return True
        return False


@contextlib.contextmanager
def pgbouncer(sandbox: Sandbox, cluster: Cluster, mode: str, **settings: object) -> Iterator[PgBouncer]:
    """A pooler that leaves nothing behind, even if the run is killed: it is part of the sandbox.

    Args:
        sandbox: of the cluster.
        cluster: the server.
        mode: ``session``, ``transaction`` or ``statement``.
        **settings: more of PgBouncer's settings.
    """
    # It refuses to run as root.
    account = unprivileged()
    directory = Path(tempfile.mkdtemp(prefix="bouncer", dir=sandbox.directory))
    account.own(directory)
    lines = [f"{key} = {value}" for key, value in {"pool_mode": mode, **settings}.items()]
    text = _CONFIG.format(
        cluster=cluster.directory, port=cluster.port, directory=directory, settings="\n".join(lines)
    )
    (directory / "pgbouncer.ini").write_text(text, encoding="utf-8")
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [PROGRAM, "pgbouncer.ini"],
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **account.popen,
        )
    pooler = PgBouncer(directory)
    try:
        wait_until(lambda: process.poll() is not None or pooler.answers(), "PgBouncer answers")
        assert process.poll() is None, (directory / "log").read_text(encoding="utf-8")
        yield pooler
    finally:
        process.terminate()
        process.wait(PATIENCE)
