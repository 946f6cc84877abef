"""The original's consumers under Supervisor, one process each, for comparison."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from harness.paths import TESTS
from harness.programs.original import SECTION
from harness.programs.processes import alive, children
from harness.waiting import wait_until

STOP_WAIT = 60.0
"""Seconds within which all must be gone."""

# Supervisor's defaults, except that everything is in the directory. Jobs are numbered from 0.
_SETTINGS = """
[supervisord]
nodaemon = true
silent = true
logfile = {directory}/supervisord.log
pidfile = {directory}/supervisord.pid
childlogdir = {directory}/log

[program:original]
command = {python} -m harness.programs.original {directory}/conf.d/job%(process_num)03d.ini
process_name = %(program_name)s%(process_num)03d
numprocs = {jobs}
directory = {tests}
redirect_stderr = true
"""


class Supervised:
    """A directory with a file for each job, and perhaps a supervisord that runs them.

    Args:
        directory: where it lives; made if need be.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._jobs = 0
        self._master: subprocess.Popen[bytes] | None = None
        for name in ("conf.d", "log", "pid"):
            (directory / name).mkdir(parents=True, exist_ok=True)

    def write_job(self, **keys: object) -> None:
        """Write the file of the next job; keys that are not given keep the library's defaults."""
        own = {
            "logfile": self.directory / "log" / "%(job_name)s.log",
            "pidfile": self.directory / "pid" / "%(job_name)s.pid",
        }
        given = {key: str(value).replace("%", "%%") for key, value in keys.items()}
        lines = [f"{key} = {value}" for key, value in {**own, **given}.items()]
        path = self.directory / "conf.d" / f"job{self._jobs:03}.ini"
        path.write_text("\n".join([f"[{SECTION}]", *lines, ""]), encoding="utf-8")
        self._jobs += 1

    def start(self) -> None:
        """Start supervisord; returns at once."""
        settings = self.directory / "supervisord.conf"
        settings.write_text(
            _SETTINGS.format(directory=self.directory, python=sys.executable, jobs=self._jobs, tests=TESTS),
            encoding="utf-8",
        )
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        with (self.directory / "stderr").open("wb") as stderr:
            self._master = subprocess.Popen(
                [Path(sys.executable).with_name("supervisord"), "-c", settings],
                cwd=self.directory,
                env={**environment, "PYTHONUTF8": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Pid of supervisord."""
        assert self._master is not None, "not started"
        return self._master.pid

    def workers(self) -> list[int]:
        """Pids of the jobs that run."""
        return children(self.pid)

    def trouble(self) -> str:
        """The last output of supervisord and of some jobs, for error messages."""
        paths = [self.directory / "stderr", *sorted((self.directory / "log").iterdir())[:3]]
        return "\n".join(path.read_text(encoding="utf-8", errors="replace")[-2000:] for path in paths)

    def stop(self) -> None:
        """Let supervisord end all jobs and then itself."""
        if self._master is not None:
            self._master.terminate()
            self._master.wait(STOP_WAIT)
            self._master = None

    def clean_up(self) -> None:
        """Kill what is left."""
        if self._master is None:
            return
        jobs = self.workers()
        self._master.kill()
        self._master.wait(STOP_WAIT)
        for pid in jobs:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not any(map(alive, jobs)), "no job is left")


@contextlib.contextmanager
def supervised(directory: Path) -> Iterator[Supervised]:
    """Jobs under supervisord that leave no process behind."""
    made = Supervised(directory)
    try:
        yield made
    finally:
        made.clean_up()
