"""The harness's hosts: they reach each other, until they are cut off in silence."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import ExitStack

import pytest
from harness.paths import TESTS
from harness.servers.hosts import NAMESPACES, PREFIX, Host, Hosts
from harness.waiting import PATIENCE

PORT = 7000

QUIET = 4.0
"""Seconds: longer than a host takes to find that a neighbour does not answer, where it asks."""

IP_RECVERR = 11
"""Let any complaint of the network be an error of the next call (ip(7))."""

Three = tuple[Host, Host, Host]

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def three(hosts: Hosts) -> Three:
    """Three hosts."""
    return hosts.add(), hosts.add(), hosts.add()


def _pair(stack: ExitStack, one: Host, other: Host) -> Ends:
    """Both ends of a connection between two hosts."""
    with one.inside():
        listener = stack.enter_context(socket.create_server((one.address, PORT)))
    with other.inside():
        client = stack.enter_context(socket.create_connection((one.address, PORT), PATIENCE))
    server = stack.enter_context(listener.accept()[0])
    for end in (server, client):
        end.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
    return server, client


def _send(ends: Ends) -> None:
    for end in ends:
        end.sendall(b"x")


def _hear(ends: Ends, seconds: float = PATIENCE) -> list[bytes]:
    """What arrives at both ends; nothing where nothing does in time."""
    heard = []
    for end in ends:
        end.settimeout(seconds)
        try:
            heard.append(end.recv(1))
        except TimeoutError:
            heard.append(b"")
    return heard


def test_a_cut_is_silent(hosts: Hosts, three: Three) -> None:
    """Two hosts that are cut off from each other hear nothing, not even an error; once it is mended, all.

    A third reaches both all the time.
    """
    first, second, third = three
    with ExitStack() as stack:
        ends = _pair(stack, first, second)
        others = [_pair(stack, second, third), _pair(stack, third, first)]
        hosts.cut(first, second)
        _send(ends)
        assert _hear(ends, QUIET) == [b"", b""]
        for pair in others:
            _send(pair)
            assert _hear(pair) == [b"x", b"x"]
        hosts.mend(first, second)
        assert _hear(ends) == [b"x", b"x"]


def test_a_host_is_cut_off_from_all(hosts: Hosts, three: Three) -> None:
    """Nobody reaches it, and it reaches nobody."""
    first, *others = three
    with ExitStack() as stack:
        pairs = [_pair(stack, other, first) for other in others]
        hosts.cut(first)
        for pair in pairs:
            _send(pair)
            assert _hear(pair, 0.2) == [b"", b""]
        with first.inside(), pytest.raises(TimeoutError):
            socket.create_connection((others[0].address, PORT), 0.5)
        hosts.mend(first)
        assert [_hear(pair) for pair in pairs] == [[b"x", b"x"], [b"x", b"x"]]


def test_what_a_killed_run_leaves_is_removed() -> None:
    """By the next run that has hosts; those of living runs stay."""
    code = (
        "import os, harness.servers.hosts as h; hosts = h.Hosts().__enter__(); hosts.add(); "
        "print(os.getpid(), flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    left = f"{PREFIX}{done.stdout.strip()}-*"
    assert len(list(NAMESPACES.glob(left))) == 2, done.stderr
    with Hosts() as living:
        living.add()
        assert not list(NAMESPACES.glob(left))
        with Hosts() as others:
            others.add()
        living.add()
