"""A real fleet of fake jobs: its logs, rotated and followed."""

from __future__ import annotations

import os
import signal
import subprocess

from harness.programs.fleet import Fleet
from harness.waiting import PATIENCE, wait_until


def test_logs_are_rotated_when_asked(a_fleet: Fleet) -> None:
    """All, by command or signal, or some; each goes on in a new file."""
    assert a_fleet.said("rotate", "orders") == (0, "rotated: orders\n", "")
    folder = a_fleet.directory / "log"
    a_fleet.write_job("says", behave="write", line="hello", times=1)
    a_fleet.run("reload")
    a_fleet.wait_for("says", state="running")
    os.kill(a_fleet.pid, signal.SIGUSR1)
    wait_until((folder / "says.log.1").exists, "the job's log is rotated")
    assert "hello" in (folder / "says.log.1").read_text()
    assert (folder / "says.log").read_text() == ""
    assert (folder / "tdsup.log.1").exists()
    assert a_fleet.job("says")["state"] == "running"
    names = "rotated: tdsup clicks orders orders_eu says tdsup-web\n"
    assert a_fleet.said("rotate") == (0, names, "")


def test_a_job_without_its_pid_file_has_its_log(a_fleet: Fleet) -> None:
    """The log is opened first: what the process says on its way down is found there."""
    a_fleet.write_job("says", pidfile="conf.d")
    a_fleet.run("reload")
    # The next try begins soon, so its reason is that of the same answer.
    job = a_fleet.wait_for("says", state="backoff")
    assert job["reason"] == "cannot load conf.d/says.ini: [sleeper] pidfile: Is a directory: conf.d"
    assert a_fleet.said("logs", "says") == (0, "", "")


def test_logs_are_followed_over_rotations(a_fleet: Fleet) -> None:
    """No line is missed or shown twice; without -f the last lines are shown and that is all."""
    with subprocess.Popen(
        a_fleet.command("logs", "-f", "-n", "1"),
        env=a_fleet.environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as follower:
        assert follower.stdout is not None
        try:
            seen = [next(follower.stdout)]
            for _ in range(3):
                a_fleet.run("restart", "clicks")
                a_fleet.wait_for("clicks", state="running")
                a_fleet.run("rotate")
            a_fleet.write_job("last")
            a_fleet.run("reload")
            while "last: starting" not in seen[-1] and "last: running" not in seen[-1]:
                seen.append(next(follower.stdout))
        finally:
            follower.send_signal(signal.SIGINT)
        assert follower.wait(PATIENCE) == 0
    folder = a_fleet.directory / "log"
    written = "".join(
        (folder / f"tdsup.log{suffix}").read_text()
        for suffix in (".3", ".2", ".1", "")
        if (folder / f"tdsup.log{suffix}").exists()
    )
    assert "".join(seen) in written
    assert len([line for line in seen if "asks: restart" in line]) == 3
    a_fleet.wait_for("last", state="running")
    assert a_fleet.run("logs", "-n", "2").stdout == "".join(a_fleet.log().splitlines(keepends=True)[-2:])
    assert a_fleet.said("logs", "nope") == (1, "", "cannot show the log of nope: no job has that name\n")


def test_the_log_of_a_job_is_there_though_its_file_is_broken(a_fleet: Fleet) -> None:
    """While the fleet runs; without it the file's fault is shown."""
    a_fleet.write_job("orders", behav="x")
    assert a_fleet.run("logs", "orders").returncode == 0
    a_fleet.stop()
    done = a_fleet.run("logs", "orders")
    assert (done.returncode, done.stderr.partition(": [")[0]) == (78, "cannot load conf.d/orders.ini")


def test_a_job_that_never_ran_has_no_log_yet(a_fleet: Fleet) -> None:
    """A person who looks for one learns where to look instead."""
    a_fleet.write_job("new", behav="x")
    a_fleet.run("reload")
    why = "new has not written to it yet; tdsup status says how it fares"
    assert a_fleet.said("logs", "new") == (1, "", f"cannot read log/new.log: {why}\n")
