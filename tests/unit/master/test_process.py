"""A child's birth and death, with real processes."""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tdsup.supervisor.master.process import Process


def own_children() -> list[str]:
    """Pids of this process's children, also of those that are dead and not waited for."""
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()


def open_descriptors() -> list[str]:
    """The descriptors of this process."""
    return os.listdir("/proc/self/fd")  # noqa: PTH208 (names are all that is wanted)


def wait_dead(process: Process) -> int | None:
    """Wait for the death of a child; returns its exit code."""
    poller = select.poll()
    poller.register(process.pidfd, select.POLLIN)
    assert poller.poll(10_000), "it lives on"
    return process.exit_code()


def run_script(script: str) -> subprocess.CompletedProcess[str]:
    """Run some Python in a process of its own."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=20, check=False
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (lambda _channel: 0, 0),
        (lambda _channel: 78, 78),
        (lambda _channel: 1 // 0, 1),
        (lambda _channel: sys.exit(5), 1),
        (lambda _channel: os.kill(os.getpid(), signal.SIGKILL), -signal.SIGKILL),
        (lambda _channel: os.kill(os.getpid(), signal.SIGINT), -signal.SIGINT),
    ],
)
def test_a_death_is_seen_with_its_exit_code(body: Callable[[socket.socket], int], code: int) -> None:
    """Whether the child returns, raises or is killed; no descriptor is left."""
    before = open_descriptors()
    process = Process("child", body)
    assert wait_dead(process) == code
    process.close()
    assert open_descriptors() == before


def test_a_death_is_seen_though_a_grandchild_lives() -> None:
    """The grandchild holds all that the child had open; only the child's own death counts."""

    def body(_channel: socket.socket) -> int:
        if not os.fork():
            time.sleep(60)
        return 3

    process = Process("child", body)
    assert wait_dead(process) == 3
    os.killpg(process.pid, signal.SIGKILL)
    process.close()


def test_a_child_holds_only_its_channel_and_the_standard_streams() -> None:
    """Nothing of its siblings or of multiprocessing; its standard input is empty, for Python too."""
    sibling = Process("sibling", lambda _channel: time.sleep(60) or 0)  # type: ignore[func-returns-value]

    def body(channel: socket.socket) -> int:
        standing_open = {0, 1, 2, channel.fileno()}
        found = set(map(int, open_descriptors()))
        # One more lists them.
        assert standing_open < found
        assert len(found - standing_open) == 1
        assert not sys.stdin.read()
        return 42

    process = Process("child", body)
    assert wait_dead(process) == 42
    sibling.send(signal.SIGKILL)
    assert wait_dead(sibling) == -signal.SIGKILL
    for each in (process, sibling):
        each.close()


def test_a_failed_fork_leaks_no_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    """When no process can be made, every descriptor that was opened for it is closed again."""

    def refuse() -> int:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(os, "fork", refuse)
    before = open_descriptors()
    for _ in range(5):
        with pytest.raises(OSError, match="unavailable"):
            Process("none", lambda _channel: 0)
    assert open_descriptors() == before


def test_a_child_without_a_pidfd_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody could see its death; it leaves neither a process nor a descriptor."""

    def refuse(_pid: int) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "pidfd_open", refuse)
    before = open_descriptors(), own_children()
    with pytest.raises(OSError, match="Too many open files"):
        Process("none", lambda _channel: time.sleep(60) or 0)  # type: ignore[func-returns-value]
    assert (open_descriptors(), own_children()) == before


SIGNAL_IN_A_FORK = """
import os, select, signal
from tdsup.supervisor.master.process import Process

handled = []
signal.signal(signal.SIGTERM, lambda _number, _frame: os.write(2, f"handled in {os.getpid()};".encode()))
os.register_at_fork(
    before=lambda: os.kill(os.getpid(), signal.SIGTERM),
    after_in_child=lambda: os.kill(os.getpid(), signal.SIGTERM),
)
process = Process("child", lambda _channel: 0)
poller = select.poll()
poller.register(process.pidfd, select.POLLIN)
poller.poll(10_000)
print(os.getpid(), process.exit_code())
"""
"""A signal to the master just before the fork, and one to the child just after it."""


def test_a_signal_during_the_fork_never_runs_the_masters_handler_in_the_child() -> None:
    """The child dies of its own signal, by the default action; the master handles its own, once."""
    done = run_script(SIGNAL_IN_A_FORK)
    pid, code = done.stdout.split()
    assert (done.stderr, int(code)) == (f"handled in {pid};", -signal.SIGTERM)


DEATH_OF_THE_LOOP = """
import time
from tdsup.supervisor.cli.daemon import attach
from tdsup.supervisor.master.process import Process

def run(ready):
    process = Process("child", lambda _channel: time.sleep(60))
    print(process.pid, flush=True)
    raise RuntimeError("the loop is dead")

attach("the fleet", run)
"""


def test_a_master_ends_at_once_though_a_child_lives() -> None:
    """After an exception too; multiprocessing's exit handler would wait for the child."""
    begun = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", DEATH_OF_THE_LOOP],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as master:
        assert master.stdout is not None
        assert master.stderr is not None
        child = int(master.stdout.readline())
        try:
            assert master.wait(20) == 1
            assert time.monotonic() - begun < 10
            assert select.select([os.pidfd_open(child)], [], [], 0) == ([], [], [])
        finally:
            os.kill(child, signal.SIGKILL)
        assert "cannot run the fleet: RuntimeError: the loop is dead" in master.stderr.read()
