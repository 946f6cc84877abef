"""A directory with a job's file, and ``table_dispatcher`` to run on it."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

from harness.paths import TABLE_DISPATCHER
from harness.programs.fleet import Fleet


class Desk:
    """A directory with a job's file, and the program to run on it."""

    def __init__(self, directory: Path) -> None:
        self.fleet = Fleet(directory)
        self.directory = directory

    def write(self, logfile: object = "orders.log", pidfile: object = "orders.pid", **keys: object) -> None:
        """Write the job's file, with a log and a pid file."""
        self.fleet.write_job("orders", "sleeper", logfile=logfile, pidfile=pidfile, **keys)

    def run(self, *switches: str) -> subprocess.CompletedProcess[str]:
        """Run the program on the file until it ends."""
        return subprocess.run(
            [TABLE_DISPATCHER, *switches, "conf.d/orders.ini"],
            cwd=self.directory,
            env=self.fleet.environment(),
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )

    def ends(self, *switches: str) -> tuple[int, str]:
        """The program's exit status and its output."""
        done = self.run(*switches)
        return done.returncode, done.stdout + done.stderr

    @property
    def log(self) -> str:
        """The job's log."""
        path = self.directory / "orders.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    @property
    def pid(self) -> int | None:
        """The number in the pid file."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            return int((self.directory / "orders.pid").read_text(encoding="ascii"))
        return None

    def daemon(self) -> int:
        """Start a daemon; returns its pid."""
        assert self.ends("-d") == (0, "")
        assert self.pid is not None
        return self.pid
