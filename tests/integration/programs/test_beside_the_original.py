"""``table_dispatcher`` where a daemon of the original still runs: that takes no lock on its pid file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.programs.desk import Desk
from harness.programs.processes import alive
from harness.waiting import wait_until

ORIGINAL = """\
import sys
import skytools

class Sleeper(skytools.DBScript):
    def reload(self):
        super().reload()
        open("reloads", "a").write("x")

    def work(self):
        return 0

Sleeper("sleeper", sys.argv[1:]).start()
"""
"""A script of the original's library, which has the original's switches, daemon and pid file."""


def original(directory: Path, *switches: str) -> int:
    """Run it on the job's file; returns its exit status. The library's warnings are not ours."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(
        [sys.executable, "-c", ORIGINAL, *switches, "conf.d/orders.ini"],
        cwd=directory,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=20,
        check=False,
    ).returncode


@pytest.fixture
def old_pid(desk: Desk) -> Iterator[int]:
    """A daemon of the original, which has the job's pid file."""
    desk.write()
    assert original(desk.directory, "-d") == 0
    wait_until(lambda: desk.pid is not None, "its pid file is there")
    pid = desk.pid
    assert pid is not None
    yield pid
    if alive(pid):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("switch", ["-s", "-k"])
def test_the_original_is_stopped(desk: Desk, old_pid: int, switch: str) -> None:
    """It does not "not run": it ends, and then the job can start."""
    assert desk.ends(switch) == (0, "")
    wait_until(lambda: not alive(old_pid), "it ends")
    assert desk.daemon() != old_pid


def test_the_original_is_reloaded(desk: Desk, old_pid: int) -> None:
    """It reads its file again, lives on and keeps its pid file."""
    reloads = desk.directory / "reloads"
    wait_until(reloads.exists, "it has read its file")
    before = len(reloads.read_text())
    assert desk.ends("-r") == (0, "")
    wait_until(lambda: len(reloads.read_text()) > before, "it reads its file")
    assert (alive(old_pid), desk.pid) == (True, old_pid)


@pytest.mark.parametrize("switches", [("-d",), ()])
def test_no_job_starts_beside_the_original(desk: Desk, old_pid: int, switches: tuple[str, ...]) -> None:
    """The start is refused with its pid, and the pid file stays as it is."""
    reason = f"cannot start orders: it runs already with pid {old_pid} (pidfile orders.pid)\n"
    assert desk.ends(*switches) == (1, reason)
    assert (alive(old_pid), desk.pid) == (True, old_pid)


def test_a_fleet_waits_for_the_original_to_end(desk: Desk, old_pid: int) -> None:
    """The job says which process runs and leaves its pid file alone; it starts once that has ended."""
    desk.fleet.start()
    job = desk.fleet.wait_for("orders", state="backoff", pid=None)
    assert job["reason"] == f"cannot start orders: it runs already with pid {old_pid} (pidfile orders.pid)"
    assert desk.pid == old_pid
    assert desk.ends("-s") == (0, "")
    job = desk.fleet.wait_for("orders", state="running")
    assert job["pid"] != old_pid


def test_a_later_process_with_the_originals_pid_is_let_be(desk: Desk) -> None:
    """It began after the file was written, so it did not write it: it lives on, and the job starts."""
    desk.write()
    left = desk.directory / "orders.pid"
    with subprocess.Popen(["sleep", "60"]) as other:
        try:
            left.write_text(str(other.pid), encoding="ascii")
            written = left.stat().st_mtime - 5
            os.utime(left, (written, written))
            assert desk.daemon() != other.pid
            assert other.poll() is None
        finally:
            other.kill()


def test_the_original_killed_leaves_no_lock(desk: Desk, old_pid: int) -> None:
    """A pid file whose process is dead, or a zombie, does not keep a job from starting."""
    os.kill(old_pid, signal.SIGKILL)
    wait_until(lambda: not alive(old_pid), "it is dead")
    assert desk.daemon() != old_pid
