"""Servers of ours: whatever a client sends, the next one is served."""

from __future__ import annotations

import contextlib
import json
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

from harness.fuzz.budget import Budget, Fault
from harness.fuzz.mutator import Mutator
from harness.programs.fleet import fleet
from harness.programs.web import a_job, web_child

COMMANDS = tuple(
    json.dumps(command).encode() + b"\n"
    for command in (
        {"cmd": "status"},
        {"cmd": "version", "args": {}},
        {"cmd": "reload", "args": {"jobs": ["orders"], "dry_run": True}},
        {"cmd": "restart", "args": {"jobs": ["or*", "nobody"]}},
        {"cmd": "metrics"},
    )
)
COMMAND_WORDS = (
    b'"cmd"',
    b'"args"',
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"null",
    b"\n",
    b'"*"',
    b"1e9",
    b"\\ud800",
)

REQUESTS = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /status.json?after=3 HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n",
    b"POST /jobs/orders/restart HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\nContent-Length: 0\r\n\r\n",
    b"HEAD /metrics HTTP/1.0\r\n\r\n",
    b"GET /jobs/a%2fb/stop HTTP/1.1\r\nHost: [::1]:80\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
)
REQUEST_WORDS = (
    *(b"\r\n", b"\r\n\r\n", b"GET ", b" HTTP/1.1", b" HTTP/9.9", b"Host: ", b"Content-Length: ", b"?after="),
    *(
        b"%2f",
        b"%",
        b"..",
        b"Transfer-Encoding: chunked\r\n",
        b"Expect: 100-continue\r\n",
        b"0\r\n",
        b"9999999999",
    ),
)

PATIENCE = 10.0
"""Seconds for an answer."""


def _send(connect: Callable[[], socket.socket], text: bytes) -> bytes:
    """Send some bytes and the end; returns what comes back."""
    answer = b""
    with connect() as client:
        client.settimeout(PATIENCE)
        # The server may have had enough before the end.
        with contextlib.suppress(ConnectionError):
            client.sendall(text)
            client.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while received := client.recv(65536):
                answer += received
    return answer


def try_control(seed: int, budget: Budget) -> None:
    """A master answers each line, and goes on; what would stop it is not sent.

    Raises:
        Fault: it did not answer, or called something a defect.
    """
    mutator = Mutator(seed, COMMANDS, COMMAND_WORDS)
    with tempfile.TemporaryDirectory() as folder, fleet(Path(folder)) as made:
        made.write_job("orders")
        made.start()
        while budget.is_left:
            text = mutator.next()
            if b"stop" in text:
                continue
            answer = _send(made.connect, text)
            if b"internal" in answer or (b"\n" in text.strip() and not answer):
                raise Fault("the master gave no answer, or a defect", text)
            budget.spend()
        if _send(made.connect, COMMANDS[1])[:11] != b'{"ok":true,' or "a defect of tdsup" in made.log():
            raise Fault("the master does not answer any more", made.log().encode()[-2000:])


def try_http(seed: int, budget: Budget) -> None:
    """A web child answers each request with less than 500, or not at all, and goes on.

    Raises:
        Fault: it did otherwise.
    """
    mutator = Mutator(seed, REQUESTS, REQUEST_WORDS)
    with tempfile.TemporaryDirectory() as folder, web_child(Path(folder), [a_job("orders")]) as web:
        while budget.is_left:
            text = mutator.next()
            answer = _send(web.connect, text)
            if answer and not (answer.startswith(b"HTTP/1.1 ") and answer[9:12] < b"500"):
                raise Fault(f"it answers {answer[:100]!r}", text)
            budget.spend()
        said = (Path(folder) / "stderr").read_text(encoding="utf-8") + web.log
        if web.fetch("/healthz").text != "ok\n" or "Traceback" in said:
            raise Fault("it does not answer any more, or has raised an error", said.encode()[-2000:])
