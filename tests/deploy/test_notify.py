"""What a service manager is told: a socket of the test stands in for systemd's."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.programs.fleet import Fleet, fleet
from harness.waiting import PATIENCE, wait_until
from tdsup.supervisor.loop import Loop
from tdsup.supervisor.manager import Manager


class Ear:
    """The socket of a service manager."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.setblocking(False)
        self._heard: list[str] = []

    def heard(self) -> list[str]:
        """All lines so far."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._heard += self._socket.recv(4096).decode().splitlines()
        return self._heard

    def hears(self, line: str) -> None:
        """Wait for a line."""
        wait_until(lambda: line in self.heard(), f"{line} after {self._heard}")

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def ear(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ear]:
    """A service manager that wants to hear each 0.4 s that the service lives."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@tdsup-test-{os.getpid()}"
    made = Ear(name.replace("@", "\0"))
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    monkeypatch.setenv("WATCHDOG_USEC", "400000")
    yield made
    made.close()


@pytest.fixture
def served(ear: Ear, tmp_path: Path) -> Iterator[Fleet]:
    """A fleet that the manager has started."""
    with fleet(tmp_path / "fleet") as made:
        made.write_job("orders")
        made.write_job("broken", nonsense=1)
        made.start()
        ear.hears("READY=1")
        yield made


def test_a_service_manager_hears_of_a_whole_life(ear: Ear, served: Fleet) -> None:
    """Ready, what the jobs do, a reload from begin to end, and the stop, with the time that it may take."""
    ear.hears("STATUS=2 jobs: 1 running, 1 blocked")
    served.write_job("broken")
    assert served.run("reload", "--dry-run").returncode == 0
    assert "RELOADING=1" not in ear.heard()
    assert served.run("reload").returncode == 0
    ear.hears("STATUS=2 jobs: 2 running")
    os.kill(served.pid, signal.SIGHUP)
    wait_until(lambda: ear.heard().count("READY=1") == 3, "ready again, twice")
    heard = ear.heard()
    begun = heard.index("RELOADING=1")
    assert heard[begun + 1].startswith("MONOTONIC_USEC=")
    assert abs(int(heard[begun + 1].partition("=")[2]) / 1e6 - time.monotonic()) < PATIENCE
    assert "READY=1" in heard[begun:]
    os.kill(served.pid, signal.SIGTERM)
    assert served.exit_code() == 0
    # stop_timeout + kill_timeout, and a margin.
    heard = ear.heard()
    assert heard[heard.index("STOPPING=1") + 1] == "EXTEND_TIMEOUT_USEC=40000000"


def test_the_watchdog_is_fed_by_the_master_s_loop(ear: Ear, served: Fleet) -> None:
    """Twice as often as it asks; a master that stands still feeds it no more."""
    before = ear.heard().count("WATCHDOG=1")
    wait_until(lambda: ear.heard().count("WATCHDOG=1") >= before + 5, "the watchdog is fed")
    os.kill(served.pid_of_master, signal.SIGSTOP)
    try:
        ear.heard()
        time.sleep(0.1)
        fed = ear.heard().count("WATCHDOG=1")
        time.sleep(1)
        assert ear.heard().count("WATCHDOG=1") == fed
    finally:
        os.kill(served.pid_of_master, signal.SIGCONT)


def test_no_child_inherits_the_variables(ear: Ear) -> None:
    """What a job starts cannot speak for the service, nor can a watchdog of another process count for it."""
    os.environ["WATCHDOG_PID"] = "1"
    loop = Loop()
    manager = Manager(loop, lambda: "well", 1.5)
    assert not {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} & set(os.environ)
    manager.ready()
    manager.stopping()
    loop.close()
    assert ear.heard() == ["READY=1", "STATUS=well", "STOPPING=1", "EXTEND_TIMEOUT_USEC=1500000"]


def test_without_a_manager_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A manager that has gone is no reason to end, nor is a number that is none."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    monkeypatch.setenv("WATCHDOG_USEC", "soon")
    with fleet(tmp_path / "fleet") as made:
        made.write_job("orders")
        made.start()
        made.wait_for("orders", state="running")
        made.stop()
        assert made.exit_code() == 0
