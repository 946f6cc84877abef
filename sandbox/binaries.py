"""The programs a sandbox runs, in the versions that are installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .errors import SandboxError

SERVER_DIRECTORIES = (
    "/usr/lib/postgresql/*/bin",  # Debian
    "/usr/pgsql-*/bin",  # the PostgreSQL project's RPMs
    "/usr/local/pgsql/bin",  # a source build
    "/opt/homebrew/opt/postgresql@*/bin",
)
"""Globs of directories with servers, in addition to PATH."""

_VERSION = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Binaries:
    """Paths of the programs, and how their server gets PgQ.

    Attributes:
        pgq: statements that bring PgQ into a database.
    """

    initdb: Path
    postgres: Path
    pgqd: Path
    pgq: str = "create extension pgq"


def find(path: str | None = None, servers: Iterable[str] = SERVER_DIRECTORIES) -> Binaries:
    """Find pgqd and the newest server that has the extension pgq.

    Args:
        path: directories to search, in the form of PATH; None for PATH itself.
        servers: globs of further directories with servers.

    Raises:
        SandboxError: something is missing; the message names it and its Debian package.
    """
    missing = []
    pgqd = shutil.which("pgqd", path=path)
    if pgqd is None:
        missing.append("pgqd (Debian package pgqd)")
    installed = sorted(_servers(path, servers), key=_version, reverse=True)
    usable = [directory for directory in installed if _has_pgq(directory)]
    if not installed:
        missing.append(
            "a PostgreSQL server with the extension pgq "
            "(Debian packages postgresql and postgresql-VERSION-pgq3)"
        )
    elif not usable:
        version = _version(installed[0])
        missing.append(
            f"the extension pgq for PostgreSQL {version} (Debian package postgresql-{version}-pgq3)"
        )
    if missing or pgqd is None:
        raise SandboxError(f"cannot start a sandbox: missing {' and '.join(missing)}")
    return Binaries(usable[0] / "initdb", usable[0] / "postgres", Path(pgqd))


def _servers(path: str | None, globs: Iterable[str]) -> set[Path]:
    """Directories with a server, links resolved."""
    program = shutil.which("postgres", path=path)
    found = [Path(program).resolve().parent] if program else []
    for pattern in globs:
        root = Path(Path(pattern).anchor)
        found += [directory.resolve() for directory in root.glob(str(Path(pattern).relative_to(root)))]
    return {
        directory
        for directory in found
        if (directory / "initdb").exists() and (directory / "postgres").exists()
    }


def _version(directory: Path) -> int:
    """Major version of the server in a directory."""
    text = subprocess.run(
        [directory / "postgres", "--version"], capture_output=True, text=True, check=False
    ).stdout
    match = _VERSION.search(text)
    return int(match[1]) if match else 0


def _has_pgq(directory: Path) -> bool:
    """Whether the server in a directory has the extension pgq."""
    pg_config = directory / "pg_config"
    if pg_config.exists():
        done = subprocess.run([pg_config, "--sharedir"], capture_output=True, text=True, check=False)
        share = Path(done.stdout.strip())
    else:
        # Debian has one pg_config for all versions, in the package with the headers.
        share = Path("/usr/share/postgresql") / str(_version(directory))
    return (share / "extension" / "pgq.control").exists()
