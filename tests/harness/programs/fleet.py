"""A real fleet in its own directory, for tests: ``tdsup start`` and the processes it starts."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.programs.fleetanswers import FleetAnswers
from harness.programs.processes import processes_in
from harness.waiting import PATIENCE, wait_until


class Fleet(FleetAnswers):
    """A fleet's directory, and its master once it is started; arguments are those of `FleetFiles`."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        super().__init__(directory, **settings)
        self._master: subprocess.Popen[bytes] | None = None

    def launch(self) -> subprocess.Popen[bytes]:
        """Start the master in the foreground of a child process; returns at once."""
        if self._master is not None:
            self._master.wait(PATIENCE)
        with (
            (self.directory / "stdout").open("wb") as stdout,
            (self.directory / "stderr").open("wb") as stderr,
        ):
            self._master = subprocess.Popen(
                self.command("start"),
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        return self._master

    def start(self) -> None:
        """Start the master as `launch` does; returns when it answers."""
        master = self.launch()
        wait_until(lambda: master.poll() is not None or self.answers(), "the master answers")
        assert master.poll() is None, f"the master did not start: {self.stderr()}"

    def stdout(self) -> str:
        """What the master and its children wrote to stdout."""
        return (self.directory / "stdout").read_text(encoding="utf-8")

    def stderr(self) -> str:
        """What the master wrote to stderr."""
        return (self.directory / "stderr").read_text(encoding="utf-8")

    @property
    def pid_of_master(self) -> int:
        """Pid of the process that `start` created, without asking it."""
        assert self._master is not None, "not started in the foreground"
        return self._master.pid

    def exit_code(self) -> int:
        """Wait until the master has ended; returns its exit status."""
        assert self._master is not None, "not started in the foreground"
        return self._master.wait(PATIENCE)

    def kill_worker(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to the process of a job; returns its pid."""
        pid: int = self.job(name)["pid"]
        os.kill(pid, number)
        return pid

    def kill_master(self) -> None:
        """Kill the master with -9."""
        os.kill(self.pid, signal.SIGKILL)

    def stop(self) -> None:
        """Stop the fleet by ``tdsup stop``, if it runs."""
        if self.answers():
            stopped = self.run("stop", timeout=60)
            assert stopped.returncode == 0, stopped.stderr
        if self._master is not None:
            self._master.wait(PATIENCE)

    def clean_up(self) -> None:
        """Kill what is left, so that no test leaves a process to the next one."""
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self._master is not None:
            if self._master.poll() is None:
                self._master.kill()
            self._master.wait(PATIENCE)

    def processes(self) -> list[int]:
        """Pids of all living processes of this fleet."""
        return processes_in(self.directory)


@contextlib.contextmanager
def fleet(directory: Path, **settings: Any) -> Iterator[Fleet]:
    """A fleet that leaves no process behind."""
    made = Fleet(directory, **settings)
    try:
        yield made
    finally:
        made.clean_up()
