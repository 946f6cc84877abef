"""Connections that never end do not keep others from the web child."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.programs import web as harness
from harness.programs.web import WebChild, a_job, web_child
from harness.waiting import wait_until

HASTY = "from tdsup.supervisor.web.httpconnection import Connection; Connection.patience = 1\n"
"""Makes the web child's patience short enough for a test."""

MOST = 300
"""Most descriptors that a web child with all its connections has."""

HALF = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
ENDLESS = b"POST /jobs/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebChild]:
    """A web child."""
    with web_child(tmp_path) as made:
        made.master.jobs = [a_job("orders")]
        yield made


@pytest.fixture
def hasty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebChild]:
    """A web child that waits a second."""
    monkeypatch.setattr(harness, "CHILD", HASTY + harness.CHILD)
    with web_child(tmp_path) as made:
        yield made


def test_a_thousand_half_requests_do_not_block_a_scrape(web: WebChild) -> None:
    """Live clients find room: the connections that have been silent for longest are dropped."""
    with contextlib.ExitStack() as stack:
        for _ in range(1000):
            half = stack.enter_context(web.connect())
            # It may have been dropped.
            with contextlib.suppress(ConnectionError):
                half.sendall(HALF)
        assert web.fetch("/healthz").text == "ok\n"
        wait_until(lambda: web.descriptors() < MOST, "the connections are few")


def test_a_living_connection_outlives_dead_ones(web: WebChild) -> None:
    """A client that has just had an answer is not the first to be dropped."""
    with contextlib.ExitStack() as stack:
        alive = stack.enter_context(web.connect())
        for _ in range(4):
            for _ in range(100):
                stack.enter_context(web.connect())
            alive.sendall(HALF + b"\r\n")
            answer = b""
            while not answer.endswith(b"ok\n"):
                received = alive.recv(65536)
                assert received, "it was dropped"
                answer += received


@pytest.mark.parametrize("begun", [b"", HALF, ENDLESS])
def test_half_a_request_is_given_up(hasty: WebChild, begun: bytes) -> None:
    """No request, half a head, or a body that does not come: the connection is closed."""
    with hasty.connect() as half:
        half.sendall(begun)
        assert wait_until(lambda: _ended(half), "the connection ends")


def test_dribbling_does_not_help(hasty: WebChild) -> None:
    """A byte now and then does not count as a sign of life."""
    with hasty.connect() as half:
        half.sendall(HALF + b"X: ")

        def dribble() -> bool:
            with contextlib.suppress(ConnectionError):
                half.sendall(b"x")
            return _ended(half)

        assert wait_until(dribble, "the connection ends")


def test_whoever_takes_no_answer_is_given_up(hasty: WebChild) -> None:
    """An answer that is larger than the buffers and is not read is not kept for ever."""
    # A few large jobs: an answer about many takes as long as this web child waits.
    hasty.master.jobs = [a_job(f"job{number}", reason="x" * 150_000) for number in range(80)]
    wait_until(lambda: hasty.fetch("/status.json").data["jobs"], "the jobs are known")
    before = hasty.descriptors()
    with hasty.connect() as lazy:
        lazy.sendall(b"GET /status.json HTTP/1.1\r\nHost: x\r\n\r\n")
        assert lazy.recv(10)
        wait_until(lambda: hasty.descriptors() <= before, "the connection is given up")
        assert hasty.fetch("/healthz").text == "ok\n"


def _ended(connection: socket.socket) -> bool:
    """Whether the other side has closed it; reads what comes."""
    connection.settimeout(0.02)
    try:
        return not connection.recv(65536)
    except TimeoutError:
        return False
    except ConnectionError:
        return True
