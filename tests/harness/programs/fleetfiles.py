"""The directory of a fleet: its files, and commands on it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import yaml

from harness.paths import TDSUP, environment
from harness.waiting import PATIENCE

SLEEPER = "sleeper"
"""The fake job type of `jobtypes/fake_jobs.py`."""


class FleetFiles:
    """A directory with ``conf.d`` and ``tdsup.yaml``.

    Args:
        directory: created if needed.
        settings: keys of ``tdsup.yaml``. By default the web child takes a free port and waits are short.

    Attributes:
        program: the first words of every command.
    """

    def __init__(self, directory: Path, **settings: Any) -> None:
        self.directory = directory
        self.program = [str(TDSUP)]
        (directory / "conf.d").mkdir(parents=True, exist_ok=True)
        self.write_settings(**settings)

    def write_settings(self, **settings: Any) -> None:
        """Write ``tdsup.yaml``."""
        defaults = {"web": "127.0.0.1:0", "backoff_first": 0.05, "backoff_limit": 0.4}
        (self.directory / "tdsup.yaml").write_text(yaml.safe_dump(defaults | settings), encoding="utf-8")

    def write_job(self, name: str, section: str = SLEEPER, **keys: object) -> Path:
        """Write the file of a job; ``%`` in values is doubled."""
        lines = [f"[{section}]", *(f"{key} = {str(value).replace('%', '%%')}" for key, value in keys.items())]
        return self.write_text(name, "\n".join(lines) + "\n")

    def write_text(self, name: str, text: str) -> Path:
        """Write the file of a job, literally."""
        path = self.directory / "conf.d" / f"{name}.ini"
        path.write_text(text, encoding="utf-8")
        return path

    def log(self, name: str = "tdsup") -> str:
        """The log of a job, by default of the master; empty if there is none."""
        path = self.directory / "log" / f"{name}.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def environment(self) -> dict[str, str]:
        """Environment of every command."""
        return environment()

    def command(self, *arguments: str) -> list[str]:
        """The words of a ``tdsup`` command on this fleet."""
        return [*self.program, "-C", str(self.directory), *arguments]

    def run(self, *arguments: str, timeout: float = PATIENCE) -> subprocess.CompletedProcess[str]:
        """Run a ``tdsup`` command until it ends; the caller judges its exit status."""
        return subprocess.run(
            self.command(*arguments),
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def said(self, *arguments: str) -> tuple[int, str, str]:
        """Exit status, stdout and stderr of a ``tdsup`` command."""
        done = self.run(*arguments)
        return done.returncode, done.stdout, done.stderr
