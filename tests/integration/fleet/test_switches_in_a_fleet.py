"""The switches of ``table_dispatcher`` on a job of a fleet, and commands that need no master."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.programs.desk import Desk
from harness.programs.fleet import fleet
from harness.waiting import wait_until


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Desk]:
    """A running fleet whose one job has a pid file."""
    with fleet(tmp_path) as a_fleet:
        made = Desk(tmp_path)
        made.write(behave="write", line="hello")
        a_fleet.start()
        a_fleet.wait_for("orders", state="running")
        made.fleet = a_fleet
        yield made


def test_r_reloads_a_job_of_a_fleet(busy: Desk) -> None:
    """Its process holds the pid file; the master validates the file, then replaces the process."""
    pid = busy.fleet.job("orders")["pid"]
    assert busy.pid == pid
    busy.write(behave="write", line="again")
    assert busy.ends("-r") == (0, "")
    job = busy.fleet.wait_for("orders", state="running", pid=lambda now: now != pid)
    wait_until(lambda: "again" in busy.log, "it has the new file")
    assert busy.pid == job["pid"]
    busy.write(stepp=1)
    os.kill(job["pid"], signal.SIGHUP)
    wait_until(lambda: "stepp: unknown key" in busy.fleet.log(), "it is refused")
    assert busy.fleet.job("orders")["pid"] == job["pid"]


@pytest.mark.parametrize("switch", ["-s", "-k"])
def test_s_and_k_stop_a_job_of_a_fleet(busy: Desk, switch: str) -> None:
    """The fleet does not start it again."""
    assert busy.ends(switch) == (0, "")
    job = busy.fleet.wait_for("orders", state="stopped", pid=None)
    assert "ended" in job["reason"]
    assert busy.pid is None


def test_a_second_process_is_refused_while_a_fleet_runs_the_job(busy: Desk) -> None:
    """By the pid file."""
    code, said = busy.ends("-d")
    assert (code, f"it runs already with pid {busy.pid}" in said) == (1, True)


def test_a_fleet_waits_for_a_daemon_to_end(desk: Desk) -> None:
    """The job says which process runs, and starts once that has ended."""
    desk.write()
    pid = desk.daemon()
    desk.fleet.start()
    job = desk.fleet.wait_for("orders", state="backoff", pid=None)
    assert job["reason"] == f"cannot start orders: it runs already with pid {pid} (pidfile orders.pid)"
    desk.run("-s")
    job = desk.fleet.wait_for("orders", state="running")
    assert job["pid"] != pid


def test_check_tells_all_faults_of_all_files(desk: Desk) -> None:
    """And all warnings; no fleet has to run."""
    desk.write(stepp=1, behav=2)
    desk.fleet.write_job("clicks", unused=1)
    desk.fleet.write_text("nix", "nothing\n")
    checked = desk.fleet.run("check")
    assert (checked.returncode, checked.stdout) == (1, "1 of 3 jobs can run\n")
    for line in (
        "[sleeper] stepp: unknown key",
        "[sleeper] behav: unknown key",
        "line 1: neither",
        "unused: has no effect",
    ):
        assert line in checked.stderr
    assert desk.fleet.run("check", "conf.d/clicks.ini").returncode == 0
    assert desk.fleet.run("check", "conf.d/none.ini").returncode == 1


def test_dead_letters_reach_the_job_type(desk: Desk) -> None:
    """By the job's name, with the ids; an unknown job or action is one line."""
    desk.write()
    done = desk.fleet.run("dead-letters", "orders", "replay", "1", "2")
    assert (done.returncode, done.stdout) == (0, "replay orders 1 2\n")
    for arguments, reason in (
        (("orders", "replay", "bad"), "cannot replay orders: it is bad\n"),
        (("orders", "purge"), "cannot purge orders: jobs of type sleeper have no such action\n"),
        (("nix", "list"), "cannot list dead letters of nix: no job has that name\n"),
        (
            ("order", "list"),
            "cannot list dead letters of order: no job has that name, did you mean orders?\n",
        ),
        (("orders", "show", "--all"), "cannot show dead letters of orders: --all is for purge alone\n"),
    ):
        done = desk.fleet.run("dead-letters", *arguments)
        assert (done.returncode, done.stderr) == (1, reason)


def test_a_kept_pause_outlasts_restarts(tmp_path: Path) -> None:
    """Of the fleet, well ended or killed, and a change of the file; a pause alone does not."""
    with fleet(tmp_path) as made:
        for name in ("orders", "clicks"):
            made.write_job(name)
        made.start()
        made.wait_all()
        assert made.said("pause", "--keep", "orders") == (0, "changed: orders\n", "")
        made.run("pause", "clicks")
        held = made.wait_for("orders", state="paused", kept=True)
        assert held["reason"].endswith("; kept over restarts")
        made.stop()
        made.start()
        made.wait_for("clicks", state="running", kept=False)
        made.wait_for("orders", state="paused", kept=True)
        assert "orders: stays paused, as pause --keep has asked" in made.log()
        made.kill_master()
        made.exit_code()
        made.write_job("orders", step=2)
        made.start()
        made.wait_for("orders", state="paused", kept=True)
        assert made.said("resume", "orders")[0] == 0
        made.wait_for("orders", state="running", kept=False)
        made.stop()
        made.start()
        made.wait_all()
