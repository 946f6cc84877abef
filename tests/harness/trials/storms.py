"""Storms of signals."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from harness.programs.fleet import Fleet, fleet
from harness.waiting import wait_until

JOBS = ("a", "b", "c")

PAUSE = 0.0001
"""Seconds between two signals: pending ones of a kind are merged, so a burst would be only a few."""


def run(directory: Path, times: int) -> str:
    """Storms of signals leave the fleet intact, or stopped if that is what they ask for."""
    storms = (_harmless, _to_workers, _stop_workers, _stop)
    return "; ".join(storm(directory / storm.__name__, times) for storm in storms)


def _harmless(directory: Path, times: int) -> str:
    """SIGHUP and SIGCHLD to the master: reloads that change nothing; every process stays."""
    with _running(directory) as a_fleet:
        before = sorted(a_fleet.children())
        for number in itertools.islice(itertools.cycle((signal.SIGHUP, signal.SIGCHLD)), times):
            os.kill(a_fleet.pid_of_master, number)
            time.sleep(PAUSE)
        a_fleet.wait_all()
        assert sorted(a_fleet.children()) == before
        assert [job["restarts"] for job in a_fleet.status()["jobs"]] == [0] * len(JOBS)
        reloads = a_fleet.log().count("asked to reload by SIGHUP")
        assert reloads > 0
        _stop_cleanly(a_fleet)
        return f"{times} HUP and CHLD to the master: {reloads} reloads, every pid as before"


def _to_workers(directory: Path, times: int) -> str:
    """SIGHUP and SIGCHLD to the jobs' processes: they are replaced, one at a time, and in the end all run."""
    with _running(directory) as a_fleet:
        signalled = 0
        while signalled < times:
            # At some moments no job has a process.
            signalled += _shower(a_fleet, (signal.SIGHUP, signal.SIGCHLD), times - signalled)
        a_fleet.wait_all()
        assert len(a_fleet.children()) == len(JOBS) + 1
        replaced = sum(job["restarts"] for job in a_fleet.status()["jobs"])
        assert replaced > 0
        assert "a defect of tdsup" not in a_fleet.log()
        _stop_cleanly(a_fleet)
        return f"{signalled} HUP and CHLD to jobs: {replaced} replaced, all run"


def _stop_workers(directory: Path, times: int) -> str:
    """SIGINT and SIGTERM to the jobs' processes: all are stopped until told to start; the master is not."""
    signalled = rounds = 0
    with _running(directory) as a_fleet:
        while signalled < times:
            signalled += _shower(a_fleet, (signal.SIGINT, signal.SIGTERM), times)
            rounds += 1
            assert {job["state"] for job in a_fleet.status()["jobs"]} == {"stopped"}
            assert len(a_fleet.children()) == 1
            for name in JOBS:
                assert a_fleet.ask("reload", jobs=[name])["ok"]
        a_fleet.wait_all()
        assert [job["restarts"] for job in a_fleet.status()["jobs"]] == [0] * len(JOBS)
        _stop_cleanly(a_fleet)
        return f"{signalled} INT and TERM to jobs: {rounds} times all stopped"


def _stop(directory: Path, times: int) -> str:
    """SIGTERM and SIGINT to the master until after its end: it stops with exit status 0."""
    with _running(directory, behave="slow_end") as a_fleet:
        for number in itertools.islice(itertools.cycle((signal.SIGTERM, signal.SIGINT)), times):
            # The pid cannot be reused yet: nobody has asked for its exit status.
            os.kill(a_fleet.pid_of_master, number)
            time.sleep(PAUSE)
        wait_until(lambda: not a_fleet.processes(), "no process is left")
        assert a_fleet.exit_code() == 0
        assert a_fleet.stderr().endswith("the fleet has stopped\n")
        return f"{times} TERM and INT to the master: stopped, exit status 0"


@contextlib.contextmanager
def _running(directory: Path, behave: str = "work") -> Iterator[Fleet]:
    """A fleet whose jobs all run, and its web child."""
    with fleet(directory) as a_fleet:
        for name in JOBS:
            a_fleet.write_job(name, behave=behave)
        a_fleet.start()
        a_fleet.wait_all()
        wait_until(lambda: a_fleet.status()["web"], "the web child listens")
        yield a_fleet


def _shower(a_fleet: Fleet, numbers: tuple[signal.Signals, ...], times: int) -> int:
    """Send `times` signals to processes of jobs; returns how many were sent, fewer if no process is left."""
    chance = random.Random(1)  # noqa: S311 (a repeatable storm)
    sent = 0
    while sent < times:
        pids = [job["pid"] for job in a_fleet.status()["jobs"] if job["pid"]]
        if not pids:
            break
        for pid in pids:
            sent += _send(a_fleet, pid, [chance.choice(numbers) for _ in range(10)])
    return sent


def _send(a_fleet: Fleet, pid: int, numbers: list[signal.Signals]) -> int:
    """Send signals to a process of the fleet; returns how many it got before it ended."""
    sent = 0
    with contextlib.suppress(ProcessLookupError, FileNotFoundError):
        descriptor = os.pidfd_open(pid)
        try:
            # Another process may have the pid by now.
            if not Path(f"/proc/{pid}/cwd").samefile(a_fleet.directory):
                return 0
            for number in numbers:
                signal.pidfd_send_signal(descriptor, number)
                sent += 1
                time.sleep(PAUSE)
        finally:
            os.close(descriptor)
    return sent


def _stop_cleanly(a_fleet: Fleet) -> None:
    a_fleet.stop()
    assert a_fleet.exit_code() == 0
    assert a_fleet.processes() == []
