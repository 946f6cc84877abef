"""What a running master answers."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import urllib.request
from typing import Any

from harness.programs.fleetfiles import FleetFiles
from harness.programs.processes import children
from harness.waiting import PATIENCE, wait_until


class FleetAnswers(FleetFiles):
    """A directory whose master can be asked, over its control socket and its web child."""

    def answers(self) -> bool:
        """Whether a master answers."""
        with contextlib.suppress(OSError, ValueError):
            return bool(self.ask("version")["ok"])
        return False

    def ask(self, command: str, **arguments: object) -> dict[str, Any]:
        """Send one request over the control socket; returns the whole reply."""
        return self.send(json.dumps({"cmd": command, "args": arguments}).encode() + b"\n")

    def send(self, request: bytes, timeout: float = PATIENCE) -> dict[str, Any]:
        """Send bytes over the control socket; returns the one line of the reply."""
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
            # By descriptor: the path of a temporary directory may be too long for a socket.
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

    def children(self) -> list[int]:
        """Pids of the master's children."""
        return children(self.pid)

    def wait_for(self, name: str, timeout: float = PATIENCE, **wanted: object) -> dict[str, Any]:
        """Wait until `status` shows these values of a job; returns the job. A callable judges the value."""

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
