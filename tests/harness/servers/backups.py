"""Backups, and what a person restores from them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tdsup.sandbox import Cluster

from harness.servers.database import Database


def dump(database: Database, path: Path) -> Path:
    """Dump a database; returns the path."""
    _run("pg_dump", "--format=custom", f"--file={path}", f"--dbname={database.dsn}")
    return path


def restore(database: Database, path: Path) -> None:
    """Bring all tables of a database back to a dump; those that came after it go."""
    database.execute(
        "do $$ declare name text; begin for name in "
        "select quote_ident(nspname) from pg_namespace where nspname in ('tdsup', 'pgq_ext', 'public') "
        "loop execute 'drop schema ' || name || ' cascade'; end loop; end $$; create schema public"
    )
    _run("pg_restore", "--exit-on-error", "--single-transaction", f"--dbname={database.dsn}", str(path))


class Copy:
    """The data directory of a whole cluster as it was, copied while the server was stopped.

    All sessions of the cluster end.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._saved = cluster.directory / "saved"
        cluster.stop()
        _run("cp", "-a", str(cluster.data), str(self._saved))
        cluster.start()

    def restore(self) -> None:
        """Bring the cluster back to that moment."""
        self._cluster.stop()
        shutil.rmtree(self._cluster.data)
        self._saved.rename(self._cluster.data)
        self._cluster.start()


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
