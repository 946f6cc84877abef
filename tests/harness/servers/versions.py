"""Servers of other versions than the installed one, with PgQ in its form without C."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tdsup.sandbox.binaries import Binaries, find

DEBIAN = 15
"""The version that Debian 12 installs, with the extension; no package has the extension for another one."""

PINNED = {14: "14.23.0-beta.17", 16: "16.14.0-beta.17", 17: "17.10.0-beta.17", 18: "18.4.0-beta.17"}
"""Versions of the npm package that brings a server, by major version."""

VERSIONS = tuple(sorted((*PINNED, DEBIAN)))

OLDEST, NEWEST = VERSIONS[0], VERSIONS[-1]

EXTREMES = (f"{OLDEST}-{NEWEST}", f"{NEWEST}-{OLDEST}")
"""Versions of source and target that every run of the tests tries."""

PAIRS = (*EXTREMES, *(f"{version}-{version}" for version in VERSIONS))
"""Versions of source and target that ``--servers every`` tries."""

PROCESSORS = {"x86_64": "x64", "aarch64": "arm64"}

CACHE = (
    Path("/var/cache") if os.geteuid() == 0 else Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
).expanduser() / "tdsup"
"""Where servers are kept, for all checkouts; also the account that root's servers run under reads it."""

# A package of PgQ brings it for every version.
_PL_ONLY = "/usr/share/postgresql/*/contrib/pgq_pl_only.sql"


def is_installed(version: int) -> bool:
    """Whether the server of a major version is there."""
    return version == DEBIAN or _directory(version).exists()


def install(version: int) -> None:
    """Install the server of a major version that is not there; needs npm.

    Raises:
        AssertionError: it cannot be installed.
    """
    package = f"{_package()}@{PINNED[version]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        # It gets its name when it is whole: others may look for it meanwhile.
        made = Path(name, "made")
        made.mkdir()
        _run("npm", "install", "--no-save", "--no-package-lock", "--prefix", str(made), package)
        _run(str(_postgres(made)), "--version")
        if not is_installed(version):
            made.rename(_directory(version))


def programs(servers: str) -> Iterator[Binaries]:
    """Those of source and target, whose versions are given as in ``14-18``."""
    return (binaries(int(version)) for version in servers.split("-"))


def binaries(version: int) -> Binaries:
    """The programs of a major version; it has PgQ's extension only if it is Debian's.

    Raises:
        AssertionError: it is not installed.
    """
    found = find()
    if version == DEBIAN:
        assert re.search(rf"/{version}/", str(found.postgres)), f"cannot find a server {version}: {found}"
        return found
    assert is_installed(version), (
        f"cannot find a server {version}: run .venv/bin/python script/servers.py --all"
    )
    postgres = _postgres(_directory(version))
    (*_, pl_only) = sorted(Path("/").glob(_PL_ONLY.lstrip("/")))
    return replace(
        found,
        initdb=postgres.with_name("initdb"),
        postgres=postgres,
        pgq=pl_only.read_text(encoding="utf-8"),
    )


def _package() -> str:
    return f"@embedded-postgres/linux-{PROCESSORS[platform.machine()]}"


def _directory(version: int) -> Path:
    return CACHE / f"postgresql-{PINNED[version]}"


def _postgres(directory: Path) -> Path:
    return directory / "node_modules" / _package() / "native/bin/postgres"


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"cannot run {' '.join(command)}: {done.stderr.strip()}"
