"""Exactly one master."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tdsup.supervisor.control.lock import Lock, wait_free
from tdsup.supervisor.errors import AlreadyRunning


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fleet's directory is the working directory."""
    monkeypatch.chdir(tmp_path)


def test_the_second_is_told_the_pid_of_the_first(tmp_path: Path) -> None:
    """And gets the lock once the first has let go; the file stays."""
    path = str(tmp_path / "lock")
    lock = Lock(path)
    with pytest.raises(AlreadyRunning, match=f"another master \\(pid {os.getpid()}\\) already runs here"):
        Lock(path)
    lock.release()
    wait_free(path)
    Lock(path).release()
    assert Path(path).exists()


def test_a_lock_file_that_is_left_over_is_no_lock(tmp_path: Path) -> None:
    """A pid in it means nothing."""
    path = tmp_path / "lock"
    path.write_text("1\n", encoding="utf-8")
    Lock(str(path)).release()


def test_no_file_is_a_free_lock(tmp_path: Path) -> None:
    """There is nothing to wait for."""
    wait_free(str(tmp_path / "none"))


def test_a_lock_file_that_is_removed_lets_nobody_in(tmp_path: Path) -> None:
    """The directory is locked as well; the file is made anew, with the pid."""
    path = tmp_path / "lock"
    lock = Lock(str(path))
    path.unlink()
    with pytest.raises(AlreadyRunning, match="another master already runs here"):
        Lock(str(path))
    path.unlink()
    lock.renew()
    with pytest.raises(AlreadyRunning, match=f"pid {os.getpid()}"):
        Lock(str(path))
    lock.release()
    wait_free(str(path))
    Lock(str(path)).release()
