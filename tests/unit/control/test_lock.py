"""Exactly one master."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tdsup.supervisor.control.lock import Lock, wait_free
from tdsup.supervisor.errors import AlreadyRunning


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
