"""A real fleet in a directory of its own, for tests: ``tdsup start`` and everything that hangs on it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml

JOBTYPES = Path(__file__).parents[1] / "jobtypes"
"""Directory of the fake job types, for ``PYTHONPATH``."""

TESTS = str(Path(__file__).parents[2])
"""Directory of the harness itself."""

PATIENCE = 20.0
"""Seconds that anything may take on a slow machine."""

POLL = 0.02
"""Seconds between two looks."""

SLEEPER = "sleeper"
"""The fake job type of `jobtypes/fake_jobs.py`."""

Answer = TypeVar("Answer")


def wait_until(look: Callable[[], Answer], what: str, timeout: float = PATIENCE) -> Answer:
    """Look again and again until the answer is true; returns it.

    Raises:
        AssertionError: it did not become true in time; the message names what was awaited.
    """
    end = time.monotonic() + timeout
    while not (answer := look()):
        assert time.monotonic() < end, f"not within {timeout:g} s: {what}"
        time.sleep(POLL)
    return answer


def alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


def children(pid: int) -> list[int]:
    """Pids of the living children of a process."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
        return [int(child) for child in found if alive(int(child))]
    return []


class Fleet:
    """A directory with ``conf.d`` and ``tdsup.yaml``, and perhaps a master that runs it.

    Args:
        directory: where it lives; made if need be.
        settings: keys of ``tdsup.yaml``. By default the web child takes any free port and waits are short.

    Attributes:
        program: the first words of every command.
    """

    def __init__(self, directory: Path, **settings: Any) -> None:
        self.directory = directory
        self.program = [str(Path(sys.executable).with_name("tdsup"))]
        (directory / "conf.d").mkdir(parents=True, exist_ok=True)
        self._master: subprocess.Popen[bytes] | None = None
        self.write_settings(**settings)

    # Files.

    def write_settings(self, **settings: Any) -> None:
        """Write ``tdsup.yaml``."""
        defaults = {"web": "127.0.0.1:0", "backoff_first": 0.05, "backoff_limit": 0.4}
        (self.directory / "tdsup.yaml").write_text(yaml.safe_dump(defaults | settings), encoding="utf-8")

    def write_job(self, name: str, section: str = SLEEPER, **keys: object) -> Path:
        """Write the file of a job; ``%`` in values is doubled."""
        lines = [f"[{section}]", *(f"{key} = {str(value).replace('%', '%%')}" for key, value in keys.items())]
        return self.write_text(name, "\n".join(lines) + "\n")

    def write_text(self, name: str, text: str) -> Path:
        """Write the file of a job, word by word."""
        path = self.directory / "conf.d" / f"{name}.ini"
        path.write_text(text, encoding="utf-8")
        return path

    def log(self, name: str = "tdsup") -> str:
        """The log of a job, by default of the master; empty if there is none."""
        path = self.directory / "log" / f"{name}.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    # The command line.

    def environment(self) -> dict[str, str]:
        """Environment of every command: with the fake job types, warnings are errors."""
        paths = os.pathsep.join(filter(None, [str(JOBTYPES), TESTS, os.environ.get("PYTHONPATH", "")]))
        return {**os.environ, "PYTHONPATH": paths, "PYTHONWARNINGS": "error"}

    def command(self, *arguments: str) -> list[str]:
        """The words of a ``tdsup`` command on this fleet."""
        return [*self.program, "-C", str(self.directory), *arguments]

    def run(self, *arguments: str, timeout: float = PATIENCE) -> subprocess.CompletedProcess[str]:
        """Run a ``tdsup`` command to its end; a failure is the caller's to judge."""
        return subprocess.run(
            self.command(*arguments),
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    # The master.

    def launch(self) -> subprocess.Popen[bytes]:
        """Start the master in the foreground of a child process; returns at once."""
        if self._master is not None:
            self._master.wait(PATIENCE)
        with (self.directory / "stderr").open("wb") as stderr:
            self._master = subprocess.Popen(
                self.command("start"),
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )
        return self._master

    def start(self) -> None:
        """Start the master as `launch` does; returns when it answers."""
        master = self.launch()
        wait_until(lambda: master.poll() is not None or self.answers(), "the master answers")
        assert master.poll() is None, f"the master did not start: {self.stderr()}"

    def stderr(self) -> str:
        """What the master that `start` started has said on stderr."""
        return (self.directory / "stderr").read_text(encoding="utf-8")

    def answers(self) -> bool:
        """Whether a master answers."""
        with contextlib.suppress(OSError, ValueError):
            return bool(self.ask("version")["ok"])
        return False

    def ask(self, command: str, **arguments: object) -> dict[str, Any]:
        """Send one request over the control socket; returns the whole reply."""
        return self.send(json.dumps({"cmd": command, "args": arguments}).encode() + b"\n")

    def send(self, request: bytes, timeout: float = PATIENCE) -> dict[str, Any]:
        """Send bytes over the control socket; returns the one line that comes back."""
        with self.connect() as connection, connection.makefile("rb") as replies:
            connection.settimeout(timeout)
            connection.sendall(request)
            reply: dict[str, Any] = json.loads(replies.readline())
            return reply

    def connect(self) -> socket.socket:
        """A connection to the control socket."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        folder = os.open(self.directory, os.O_RDONLY)
        try:
            # By descriptor, for the path of a temporary directory may be too long for a socket.
            connection.connect(f"/proc/self/fd/{folder}/run/tdsup.sock")
        except OSError:
            connection.close()
            raise
        finally:
            os.close(folder)
        return connection

    def status(self) -> dict[str, Any]:
        """The answer of ``status``."""
        reply = self.ask("status")
        assert reply["ok"], reply
        data: dict[str, Any] = reply["data"]
        return data

    def job(self, name: str) -> dict[str, Any]:
        """One job of `status`.

        Raises:
            AssertionError: there is none of that name.
        """
        jobs = {job["name"]: job for job in self.status()["jobs"]}
        assert name in jobs, f"no job {name}, but {sorted(jobs)}"
        found: dict[str, Any] = jobs[name]
        return found

    @property
    def pid(self) -> int:
        """Pid of the master."""
        pid: int = self.status()["master"]["pid"]
        return pid

    @property
    def pid_of_master(self) -> int:
        """Pid of the process that `start` made, without asking it."""
        assert self._master is not None, "not started in the foreground"
        return self._master.pid

    def exit_code(self) -> int:
        """Exit status of the master that `start` made, once it has ended."""
        assert self._master is not None, "not started in the foreground"
        return self._master.wait(PATIENCE)

    def children(self) -> list[int]:
        """Pids of the master's children."""
        return children(self.pid)

    def wait_for(self, name: str, timeout: float = PATIENCE, **wanted: object) -> dict[str, Any]:
        """Wait until a job has these values in `status`; returns it. A callable is asked about the value."""

        def fits() -> dict[str, Any]:
            job = self.job(name)
            for key, value in wanted.items():
                if not (value(job[key]) if callable(value) else job[key] == value):
                    return {}
            return job

        try:
            return wait_until(fits, f"{name} has {wanted}", timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {self.job(name)}\n{self.log()}") from error

    def wait_all(self, state: str = "running", timeout: float = PATIENCE) -> None:
        """Wait until all jobs are in a state."""
        wait_until(
            lambda: all(job["state"] == state for job in self.status()["jobs"]), f"all {state}", timeout
        )

    def get(self, path: str, **headers: str) -> str:
        """Fetch a page of the web child."""
        address = wait_until(lambda: self.status()["web"], "the web child has an address")
        request = urllib.request.Request(f"http://{address}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:  # noqa: S310 (our own server)
            body: bytes = response.read()
            return body.decode()

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
        """Kill whatever is left, so that no test leaves a process to the next one."""
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self._master is not None:
            if self._master.poll() is None:
                self._master.kill()
            self._master.wait(PATIENCE)

    def _is_ours(self, pid: int) -> bool:
        """Whether a process works in this fleet's directory, as the master and all its children do."""
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/cwd").resolve() == self.directory.resolve()
        return False

    def processes(self) -> list[int]:
        """Pids of all living processes of this fleet."""
        pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        return [pid for pid in pids if alive(pid) and self._is_ours(pid)]


@contextlib.contextmanager
def fleet(directory: Path, **settings: Any) -> Iterator[Fleet]:
    """A fleet that leaves no process behind."""
    made = Fleet(directory, **settings)
    try:
        yield made
    finally:
        made.clean_up()
