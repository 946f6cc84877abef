"""A program that a job has run: its output, its end, and that it ends with who runs it."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tdsup.supervisor.worker.keeper import __file__ as KEEPER
from tdsup.supervisor.worker.program import run_program

LOGGER = logging.getLogger("job")


def run(*command: str, seconds: float = 30, stopping: Callable[[], bool] = lambda: False) -> str:
    """Run a program with one variable."""
    return run_program(command, {"WORD": "blue"}, seconds, LOGGER, stopping)


def test_its_output_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A line at a time, without passwords; its variables and arguments are as given, without a shell."""
    caplog.set_level(logging.INFO)
    assert run("sh", "-c", 'echo "$WORD $1"; echo password=secret >&2; printf last', "sh", "a;b $HOME") == ""
    assert caplog.messages == ["sh: blue a;b $HOME", "sh: password=********", "sh: last"]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (["false"], "false ended with exit status 1"),
        (["sh", "-c", "kill -9 $$"], "sh was killed by signal 9"),
        (["/nowhere/at/all"], "there is no program /nowhere/at/all"),
    ],
)
def test_how_it_failed(command: list[str], reason: str) -> None:
    """In words."""
    assert run(*command) == reason


def _is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def _wait_until_gone(file: Path) -> None:
    deadline = time.monotonic() + 20
    while not all(_is_gone(int(pid)) for pid in file.read_text(encoding="ascii").split()):
        assert time.monotonic() < deadline, "it lives"
        time.sleep(0.05)


TREE = 'sleep 300 & echo $! > "$1"; echo $$ >> "$1"; wait'


@pytest.mark.parametrize("why", ["it took too long (retention_program_limit)", "the job is to end"])
def test_it_is_killed_with_its_children(tmp_path: Path, why: str) -> None:
    """After its time, or once the job is to end."""
    pids = tmp_path / "pids"
    ends = "end" in why
    begun = time.monotonic()

    def stopping() -> bool:
        return ends and pids.exists() and pids.read_text(encoding="ascii").count("\n") == 2

    limit = 60.0 if ends else 2.0
    assert run("sh", "-c", TREE, "sh", str(pids), seconds=limit, stopping=stopping) == f"sh was killed: {why}"
    assert time.monotonic() - begun < 30
    _wait_until_gone(pids)


def test_it_ends_with_the_process(tmp_path: Path) -> None:
    """However that dies: its end of the pipe is closed."""
    pids = tmp_path / "pids"
    keeper = subprocess.Popen(
        [sys.executable, KEEPER, "sh", "-c", TREE, "sh", str(pids)], stdin=subprocess.PIPE
    )
    deadline = time.monotonic() + 20
    while not pids.exists() or pids.read_text(encoding="ascii").count("\n") < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert keeper.stdin is not None
    keeper.stdin.close()
    keeper.wait(20)
    _wait_until_gone(pids)
