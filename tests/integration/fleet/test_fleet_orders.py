"""A real fleet whose jobs obey orders: pausing and resuming by the living process."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.programs.fleet import Fleet, fleet


@pytest.fixture
def a_fleet(tmp_path: Path) -> Iterator[Fleet]:
    """A fleet with one running job that obeys orders, and files that it looks for."""
    with fleet(tmp_path, heartbeat_timeout=2, stop_timeout=0.5, kill_timeout=0.5) as made:
        files = {key: tmp_path / key for key in ("hold", "deaf", "broken")}
        made.write_job("orders", "holder", **files)
        made.start()
        made.wait_for("orders", state="running")
        yield made


def test_pause_and_resume_keep_the_process(a_fleet: Fleet) -> None:
    """The process does it itself, and what it says is the state; a start is refused meanwhile."""
    pid = a_fleet.job("orders")["pid"]
    assert a_fleet.said("pause", "orders") == (0, "changed: orders\n", "")
    assert a_fleet.wait_for("orders", state="paused", pid=pid)["reason"] == "its file is there"
    code, _out, fault = a_fleet.said("restart", "orders")
    assert (code, fault) == (1, "cannot restart orders: it is paused; resume lets it go on\n")
    assert a_fleet.said("resume", "orders") == (0, "changed: orders\n", "")
    a_fleet.wait_for("orders", state="running", pid=pid, reason="")
    assert not (a_fleet.directory / "hold").exists()


def test_a_pause_from_elsewhere_is_seen_and_ended_here(a_fleet: Fleet) -> None:
    """Whoever made the file, the job is paused until somebody says resume, over kills and reloads."""
    (a_fleet.directory / "hold").touch()
    a_fleet.wait_for("orders", state="paused")
    a_fleet.kill_worker("orders")
    a_fleet.wait_for("orders", state="paused", restarts=1)
    assert a_fleet.run("reload", "orders").returncode == 0
    a_fleet.wait_for("orders", state="paused", restarts=2)
    assert a_fleet.run("resume", "orders").returncode == 0
    a_fleet.wait_for("orders", state="running")
    assert a_fleet.log("orders").count("INFO asked for") == 2
    assert a_fleet.log("orders").count("INFO not asked for") == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_an_order_outlives_the_process_that_has_not_obeyed(a_fleet: Fleet, number: signal.Signals) -> None:
    """Killed or frozen: the next process gets it."""
    deaf = a_fleet.directory / "deaf"
    deaf.touch()
    assert a_fleet.run("pause", "orders").returncode == 0
    assert a_fleet.job("orders")["reason"] == "asked to pause"
    a_fleet.kill_worker("orders", number)
    job = a_fleet.wait_for("orders", state="running", restarts=1)
    assert job["reason"] == "asked to pause"
    deaf.unlink()
    a_fleet.wait_for("orders", state="paused", pid=job["pid"])


def test_a_blocked_job_is_paused_by_a_new_process(a_fleet: Fleet) -> None:
    """What blocks it does not keep it from telling others that it is paused."""
    (a_fleet.directory / "broken").touch()
    a_fleet.wait_for("orders", state="blocked", pid=None)
    assert a_fleet.run("pause", "orders").returncode == 0
    a_fleet.wait_for("orders", state="paused", pid=lambda pid: pid is not None)
    assert (a_fleet.directory / "hold").exists()
    a_fleet.stop()
    assert a_fleet.exit_code() == 0
