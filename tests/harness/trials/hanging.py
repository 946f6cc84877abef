"""`status` of a large fleet while many connections stay open."""

from __future__ import annotations

import contextlib
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from harness.measure.prober import Latencies, probed
from harness.measure.vitals import vitals
from harness.programs.fleet import Fleet, fleet
from harness.waiting import wait_until

JOBS = 200

HTTP = 30
"""Half-open requests to the web child."""

CONTROL = 1000
"""Connections to the control socket; every other one has sent half a line."""

PAUSE = 0.05
"""Seconds between an answer and the next request."""


def run(directory: Path, times: int, within: float = 0.02, jobs: int = JOBS) -> str:
    """99 of 100 requests for `status` are answered within `within` seconds.

    The fleet's jobs report once a second, and the connections stay open all the time.
    """
    with fleet(directory) as a_fleet:
        for number in range(jobs):
            a_fleet.write_job(f"job{number}", tick=1)
        a_fleet.start()
        a_fleet.wait_all(timeout=120)
        wait_until(lambda: a_fleet.status()["web"], "the web child listens")
        alone, idle = _ask(a_fleet, times)
        with _hanging(a_fleet) as connections:
            hanging, busy = _ask(a_fleet, times)
            assert all(_is_open(connection) for connection in connections), "not all connections hung on"
        a_fleet.stop()
    told = (
        f"{jobs} jobs, status with {HTTP} HTTP and {CONTROL} control connections: {hanging}, "
        f"master {busy:.0%} of a core; without: {alone}, {idle:.0%}"
    )
    assert hanging.share(0.99) < within, told
    return told


def _ask(a_fleet: Fleet, times: int) -> tuple[Latencies, float]:
    """Ask `times` times; returns how long answers took, and the master's share of a processor meanwhile."""
    master = a_fleet.pid
    before, begun = vitals(master).cpu, time.monotonic()
    with probed(a_fleet, "status", PAUSE) as latencies:
        time.sleep(times * PAUSE)
    return latencies, (vitals(master).cpu - before) / (time.monotonic() - begun)


@contextlib.contextmanager
def _hanging(a_fleet: Fleet) -> Iterator[list[socket.socket]]:
    """Open all connections and close them at the end; yields those to the control socket."""
    host, _, port = a_fleet.status()["web"].rpartition(":")
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with contextlib.ExitStack() as stack:
        for _ in range(HTTP):
            client = stack.enter_context(socket.create_connection((host, int(port))))
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n")
        control = [stack.enter_context(a_fleet.connect()) for _ in range(CONTROL)]
        for client in control[::2]:
            client.sendall(b'{"cmd":"sta')
        yield control


def _is_open(connection: socket.socket) -> bool:
    """Whether the other side has not closed it."""
    try:
        return connection.recv(1, socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return True
