"""What a failed fork leaves behind."""

from __future__ import annotations

import errno
import os

import pytest
from tdsup.supervisor.master.process import Process


def test_a_failed_fork_leaks_no_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    """When no process is to be had, every descriptor that was opened for it is closed again."""

    def refuse() -> int:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(os, "fork", refuse)
    before = os.listdir("/proc/self/fd")  # noqa: PTH208 (names are all that is wanted)
    for _ in range(5):
        with pytest.raises(OSError, match="unavailable"):
            Process("none", lambda _channel: 0)
    assert os.listdir("/proc/self/fd") == before  # noqa: PTH208 (as above)
