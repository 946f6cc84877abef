"""A real fleet of fake jobs: the web child and its numbers."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import statistics
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.programs.fleet import Fleet, fleet
from harness.waiting import wait_until


@pytest.fixture
def a_fleet(tmp_path: Path) -> Iterator[Fleet]:
    """A running fleet of two jobs."""
    with fleet(tmp_path) as made:
        made.write_job("orders", queue="sourceq")
        made.write_job("clicks")
        made.start()
        made.wait_all()
        yield made


def value(text: str, series: str) -> float:
    """The value of a series in the text format."""
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    assert found, f"no {series} in\n{text}"
    return float(found[1])


def test_every_job_has_its_numbers(a_fleet: Fleet) -> None:
    """State, up, restarts by reason, and what the job type reports, by job, queue and table."""
    a_fleet.kill_worker("orders")
    a_fleet.wait_for("orders", restarts=1, events=lambda events: events > 3)
    text = a_fleet.get("/metrics")
    labels = '{job="orders",queue="sourceq",table="t"}'
    assert value(text, f"tdsup_job_events_total{labels}") > 3
    assert value(text, f"tdsup_job_depth{labels}") == 7
    assert 0 <= value(text, f"tdsup_job_lag_seconds{labels}") < 5
    assert value(text, 'tdsup_job_state{job="orders",state="running"}') == 1
    assert value(text, 'tdsup_job_state{job="orders",state="blocked"}') == 0
    assert value(text, 'tdsup_job_up{job="clicks"}') == 1
    assert value(text, 'tdsup_job_restarts_total{job="orders",reason="signal"}') == 1
    assert value(text, 'tdsup_job_restarts_total{job="clicks",reason="signal"}') == 0
    assert value(text, 'tdsup_build_info{version="0.1.0"}') == 1
    assert "pid=" not in text


def test_openmetrics_is_spoken_on_request(a_fleet: Fleet) -> None:
    """By the Accept header, as Prometheus sends it."""
    text = a_fleet.get("/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert text.endswith("# EOF\n")
    assert "# EOF" not in a_fleet.get("/metrics", Accept="text/plain")


def test_health_is_that_of_the_master(a_fleet: Fleet) -> None:
    """200 while the master answers, 503 while it does not."""
    assert a_fleet.get("/healthz") == "ok\n"
    address = a_fleet.status()["web"]
    assert address.startswith("127.0.0.1:")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        a_fleet.get("/nothing")
    path = a_fleet.directory / "run" / "tdsup.sock"
    path.rename(path.with_name("elsewhere"))
    try:
        code, body = fetch(address, "/healthz")
        assert (code, body) == (503, "cannot reach the master: No such file or directory\n")
    finally:
        path.with_name("elsewhere").rename(path)


def test_readiness_is_that_of_the_jobs(a_fleet: Fleet) -> None:
    """A disabled job is as it should be; a blocked one is not."""
    a_fleet.write_job("idle", disabled=1)
    a_fleet.run("reload")
    a_fleet.wait_for("idle", state="stopped")
    assert a_fleet.get("/readyz") == "ok\n"
    a_fleet.write_job("broken", behave="setup")
    a_fleet.run("reload")
    reason = a_fleet.wait_for("broken", state="blocked")["reason"]
    expected = (503, f"broken: blocked: {reason}\n")
    # The web child's answer may be a second old.
    wait_until(lambda: fetch(a_fleet.status()["web"], "/readyz") == expected, "the blocked job is told")


def fetch(address: str, path: str) -> tuple[int, str]:
    """Status and body of a page."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    return int(answer.split()[1]), answer.partition("\r\n\r\n")[2]


def test_half_open_http_does_not_slow_status(a_fleet: Fleet) -> None:
    """Neither the master nor another scrape notices thirty requests that never end."""
    host, _, port = wait_until(lambda: a_fleet.status()["web"], "the web child listens").rpartition(":")
    with contextlib.ExitStack() as stack:
        for _ in range(30):
            half = stack.enter_context(socket.create_connection((host, int(port))))
            half.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n")
        times = []
        for _ in range(50):
            begun = time.monotonic()
            a_fleet.status()
            times.append(time.monotonic() - begun)
        # The median, because a busy machine delays a few of them by itself.
        assert statistics.median(times) < 0.1
        assert "tdsup_job_up" in a_fleet.get("/metrics")


def test_the_web_child_comes_back(a_fleet: Fleet) -> None:
    """Its death is a backoff like any job's; the jobs keep their pids."""
    address = wait_until(lambda: a_fleet.status()["web"], "the web child listens")
    pid = a_fleet.job("orders")["pid"]
    web = [
        child for child in a_fleet.children() if b"tdsup: web" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]
    os.kill(web[0], signal.SIGKILL)
    wait_until(lambda: a_fleet.status()["web"] not in {None, address}, "the web child listens again")
    assert a_fleet.get("/healthz") == "ok\n"
    assert a_fleet.job("orders")["pid"] == pid


def test_a_port_in_use_stops_no_job(tmp_path: Path) -> None:
    """The fleet runs, `status` says what is wrong, and the page appears once the port is free."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with fleet(tmp_path, web=f"127.0.0.1:{port}") as made:
            made.write_job("orders")
            made.start()
            made.wait_all()
            line = f"cannot serve http://127.0.0.1:{port}: Address already in use"
            wait_until(lambda: made.status()["web_error"] == line, "the fault is told")
            assert f"web: {line}" in made.run("status").stdout
            taken.close()
            assert made.get("/healthz") == "ok\n"
