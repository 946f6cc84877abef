"""Where and when something was measured, without host names."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from datetime import date
from importlib.metadata import version
from importlib.util import find_spec

import psycopg2
from tdsup.sandbox import Cluster, Sandbox


class NotDurable(Exception):
    """A server does not wait for its disk."""


def described(box: Sandbox, packages: Iterable[str]) -> str:
    """One line: day, cores, system, and versions of the Python packages involved."""
    release = platform.freedesktop_os_release()
    system = f"{release['ID'].capitalize()} {release.get('VERSION_ID', '')}".strip()
    others = "".join(f", {package} {version(package)}{_note(package)}" for package in packages)
    return (
        f"{date.today()}: {len(os.sched_getaffinity(0))} cores, {system}, "
        f"PostgreSQL {int(_show(box.source, 'server_version_num')) // 10_000}, "
        f"Python {platform.python_version()}{others}"
    )


def _note(package: str) -> str:
    """Whether skytools has its compiled module; without it, it takes twice as long."""
    if package != "skytools":
        return ""
    return " (compiled)" if find_spec("skytools._cquoting") else " (pure Python)"


def check_durable(box: Sandbox) -> None:
    """Raise unless both servers wait for their disks, as servers in production do.

    Raises:
        NotDurable: one does not.
    """
    for cluster in (box.source, box.target):
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            if (value := _show(cluster, setting)) != "on":
                raise NotDurable(f"cannot measure: {setting} is {value}")


def log_for_subscriptions(box: Sandbox) -> None:
    """Let the source's WAL tell what logical replication needs."""
    connection = psycopg2.connect(box.source.dsn("postgres"))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("alter system set wal_level = logical")
    connection.close()
    box.source.restart()


def _show(cluster: Cluster, setting: str) -> str:
    connection = psycopg2.connect(cluster.dsn("postgres"))
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"show {setting}")
            (value,) = cursor.fetchone() or ("",)
    finally:
        connection.close()
    return str(value)
