"""``table_dispatcher INI``: one job as one process."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.paths import TABLE_DISPATCHER
from harness.programs.fleet import Fleet
from harness.waiting import wait_until


class Single:
    """The program, run on one file."""

    def __init__(self, directory: Path) -> None:
        self.fleet = Fleet(directory)
        self.process: subprocess.Popen[str] | None = None

    def start(self, **keys: Any) -> subprocess.Popen[str]:
        """Start it on a file with these keys."""
        path = self.fleet.write_job("orders", **keys)
        self.process = subprocess.Popen(
            [TABLE_DISPATCHER, path.relative_to(self.fleet.directory)],
            cwd=self.fleet.directory,
            env=self.fleet.environment(),
            stderr=subprocess.PIPE,
            text=True,
        )
        return self.process

    def run(self, **keys: Any) -> tuple[int, str]:
        """Run it to its end; returns exit status and stderr."""
        process = self.start(**keys)
        stderr = process.communicate(timeout=20)[1]
        return process.returncode, stderr


@pytest.fixture
def single(tmp_path: Path) -> Iterator[Single]:
    """The program, not started."""
    made = Single(tmp_path)
    yield made
    if made.process is not None:
        made.process.kill()
        made.process.communicate()


def test_a_job_that_is_done_ends_with_0(single: Single) -> None:
    """It prints nothing."""
    assert single.run(behave="done") == (0, "")


def test_a_broken_file_is_one_line(single: Single) -> None:
    """And exit status 1; so is a missing log directory."""
    line = "cannot load conf.d/orders.ini: [sleeper] stepp: unknown key, did you mean step?\n"
    assert single.run(stepp=1) == (1, line)
    code, said = single.run(logfile="log/x.log")
    assert (code, said.count("\n")) == (1, 1)
    assert "[sleeper] logfile: must be in a directory that exists; log does not" in said


def test_a_missing_file_is_one_line(single: Single) -> None:
    """And exit status 1."""
    done = subprocess.run(
        [TABLE_DISPATCHER, "none.ini"],
        cwd=single.fleet.directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "cannot read none.ini: No such file or directory\n")


def test_a_failing_job_tells_why_and_with_what_status(single: Single) -> None:
    """As with the original, 1 for every error; one line, no traceback."""
    code, said = single.run(behave="setup")
    assert (code, said.count("\n")) == (1, 1)
    assert "ERROR cannot load orders: no table orders" in said
    code, said = single.run(behave="crash")
    assert (code, said.count("\n")) == (1, 1)


def test_sigint_ends_the_batch(single: Single) -> None:
    """Exit status 0; the job's own log has its lines too."""
    (single.fleet.directory / "log").mkdir()
    process = single.start(behave="write", line="hello", logfile="log/orders.log")
    wait_until(lambda: "hello" in single.fleet.log("orders"), "it works")
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0


@pytest.mark.parametrize("behave", ["stubborn", "long_call"])
def test_a_second_sigint_within_a_second_ends_it_at_once(single: Single, behave: str) -> None:
    """Even while the main thread is in a C call."""
    process = single.start(behave=behave)
    assert process.stderr is not None
    process.stderr.readline()
    process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(2) == 130


def test_sigterm_ends_it_at_once(single: Single) -> None:
    """Even in the middle of a C call; the exit status names the signal."""
    process = single.start(behave="long_call")
    assert process.stderr is not None
    process.stderr.readline()
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(2) == -signal.SIGTERM
