"""The control socket against clients of every kind."""

from __future__ import annotations

import contextlib
import json
import select
import shutil
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from harness.waiting import wait_until
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tdsup.supervisor.control import conversation
from tdsup.supervisor.control import server as control
from tdsup.supervisor.control.conversation import LINE_LIMIT
from tdsup.supervisor.control.lock import Lock
from tdsup.supervisor.control.peer import Access
from tdsup.supervisor.control.server import CLIENT_LIMIT, ControlServer
from tdsup.supervisor.control.serving import serve
from tdsup.supervisor.errors import UnknownJob
from tdsup.supervisor.loop import Loop
from tdsup.supervisor.protocol import COMMANDS
from tdsup.supervisor.protocol.verbs import Verb


class FakeFleet:
    """Answers like a master."""

    def status(self, names: Sequence[str]) -> dict[str, Any]:
        """No jobs."""
        assert not names
        return {"jobs": []}

    def metrics(self) -> dict[str, Any]:
        """A large answer."""
        return {"much": "x" * 300_000}

    def reload(self, names: Sequence[str], dry_run: bool) -> dict[str, Any]:
        """Only the whole fleet."""
        if names:
            raise UnknownJob(f"cannot reload {names[0]}: no job has that name")
        return {"dry_run": dry_run}

    def ask(self, verb: Verb, names: Sequence[str], keep: bool = False) -> dict[str, Any]:
        """What was asked."""
        return {verb.command: names}

    def rotate(self, names: Sequence[str]) -> dict[str, Any]:
        """What was asked."""
        return {"rotated": names}

    def retired(self, names: Sequence[str]) -> dict[str, Any]:
        """What was asked."""
        return {"retired": names}

    def stop(self) -> dict[str, Any]:
        """A defect."""
        raise RuntimeError("a defect")


class Server:
    """A control server whose loop runs in a thread of the test."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.loop = Loop()
        served = lambda *request: serve(FakeFleet(), *request)  # noqa: E731 (one line of it)
        path.parent.mkdir(exist_ok=True)
        self._lock = Lock(f"{self.path}.lock")
        self.control = ControlServer(self.path, self.loop, served, Access(), self._lock)
        self._thread = threading.Thread(target=self.loop.run)
        self._thread.start()

    def connect(self) -> socket.socket:
        """A client."""
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.connect(self.path)
        client.settimeout(10)
        return client

    def ask(self, request: bytes) -> dict[str, Any]:
        """The answer to some bytes."""
        with self.connect() as client, client.makefile("rb") as replies:
            # Who is one too many may be sent away before it asks.
            with contextlib.suppress(BrokenPipeError):
                client.sendall(request)
            reply: dict[str, Any] = json.loads(replies.readline())
            return reply

    def close(self) -> None:
        """End the loop."""
        self.loop.stop()
        with self.connect():
            self._thread.join(10)
        self.control.close()
        self._lock.release()
        self.loop.close()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server on a socket of its own."""
    monkeypatch.chdir(tmp_path)
    made = Server(Path("sock"))
    yield made
    made.close()


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (b"", "", ""),
        (b"hello", "bad-request", "cannot read the request: it is not a line of JSON"),
        (b"\xff\xfe\x00", "bad-request", "cannot read the request: it is not a line of JSON"),
        (b"[" * 60000, "bad-request", "cannot read the request: it is not a line of JSON"),
        (b"1" * 60000, "bad-request", "cannot read the request: it is not"),
        (b"[]", "bad-request", "cannot read the request: it is not of the form"),
        (b'{"cmd":1}', "bad-request", "cannot read the request: it is not of the form"),
        (b'{"cmd":"status","args":[]}', "bad-request", "cannot read the request: args is not an object"),
        (b'{"cmd":"statu"}', "bad-request", "cannot serve 'statu': no such command, did you mean status?"),
        (b'{"cmd":"reload","args":{"job":["a"]}}', "bad-request", "cannot reload: no such argument: 'job'"),
        (
            b'{"cmd":"reload","args":{"jobs":1}}',
            "bad-request",
            "cannot reload: jobs is not a list of strings",
        ),
        (
            b'{"cmd":"pause","args":{"jobs":[1]}}',
            "bad-request",
            "cannot pause: jobs is not a list of strings",
        ),
        (
            b'{"cmd":"status","args":{"jobs":["' + b"[" * 257 + b'"]}}',
            "bad-request",
            "cannot status: jobs is not a list of",
        ),
        (b'{"cmd":"pause"}', "bad-request", "cannot pause: jobs is missing"),
        (b'{"cmd":"pause","args":{"jobs":[]}}', "bad-request", "cannot pause: jobs is missing"),
        (
            b'{"cmd":"reload","args":{"dry_run":1}}',
            "bad-request",
            "cannot reload: dry_run is not true or",
        ),
        (b'{"cmd":"reload","args":{"jobs":["a"]}}', "unknown-job", "cannot reload a: no job has that name"),
        (b'{"cmd":"stop"}', "internal", "cannot serve the request: a defect of tdsup"),
        (b"x" * (LINE_LIMIT + 1), "bad-request", "cannot read the request: longer than 65536 bytes"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_a_request_that_cannot_be_served(server: Server, request_: bytes, code: str, message: str) -> None:
    """Each gets an error reply with a code, and the next client is served."""
    if request_:
        error = server.ask(request_ + b"\n")["error"]
        assert (error["code"], error["message"][: len(message)]) == (code, message)
    assert server.ask(b'{"cmd":"status"}\n') == {"ok": True, "data": {"jobs": []}}


def test_many_requests_in_one_write_are_all_served(server: Server) -> None:
    """In order, also when the client has shut down its side already."""
    with server.connect() as client, client.makefile("rb") as replies:
        client.sendall(b'{"cmd":"status"}\n' * 500)
        client.shutdown(socket.SHUT_WR)
        assert [json.loads(line)["ok"] for line in replies] == [True] * 500


def test_a_half_line_blocks_nobody(server: Server) -> None:
    """A hundred clients stop in the middle of a word; another is served at once, and then they are."""
    halves = [server.connect() for _ in range(100)]
    for half in halves:
        half.sendall(b'{"cmd":"sta')
    begun = time.monotonic()
    assert server.ask(b'{"cmd":"status"}\n')["ok"]
    assert time.monotonic() - begun < 1
    for half in halves:
        half.sendall(b'tus"}\n')
    for half in halves:
        with half, half.makefile("rb") as replies:
            assert json.loads(replies.readline())["ok"]


def test_a_client_that_does_not_read_waits_alone(server: Server) -> None:
    """Its replies are bounded, nobody else notices, and it gets all of them in the end."""
    with server.connect() as lazy, lazy.makefile("rb") as replies:
        lazy.sendall(b'{"cmd":"metrics"}\n' * 20)
        assert server.ask(b'{"cmd":"status"}\n')["ok"]
        lazy.shutdown(socket.SHUT_WR)
        assert sum(len(line) for line in replies) > 20 * 300_000


def test_a_client_that_sends_faster_than_it_is_served_waits(server: Server) -> None:
    """The server takes no more than it can serve: megabytes of the shortest requests stay with the client."""
    with server.connect() as client:
        sent = 0
        while sent < 2_000_000 and select.select([], [client], [], 0.5)[1]:
            sent += client.send(b"\n" * 10_000, socket.MSG_DONTWAIT)
        assert sent < 2_000_000
        assert server.ask(b'{"cmd":"status"}\n')["ok"]


def test_an_idle_client_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is ended by the server."""
    monkeypatch.setattr(conversation, "IDLE_LIMIT", 0.1)
    monkeypatch.chdir(tmp_path)
    server = Server(tmp_path / "s")
    try:
        with server.connect() as client:
            assert client.recv(1) == b""
    finally:
        server.close()


def test_a_socket_that_is_removed_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its folder; a client that is connected stays so. What is no socket is not removed."""
    monkeypatch.setattr(control, "KEEPING", 0.05)
    monkeypatch.chdir(tmp_path)
    server = Server(Path("run/sock"))
    status = b'{"cmd":"status"}\n'
    try:
        with server.connect() as client:
            shutil.rmtree("run")
            wait_until(Path("run/sock").exists, "the socket is made anew")
            client.sendall(status)
            assert json.loads(client.recv(65536))["ok"]
        assert server.ask(status)["ok"]
        wait_until(Path("run/sock.lock").exists, "the lock file is made anew")
        Path("run/sock").unlink()
        Path("run/sock").write_text("somebody's")
        time.sleep(0.2)
        assert Path("run/sock").read_text() == "somebody's"
        Path("run/sock").unlink()
        wait_until(Path("run/sock").exists, "the socket is made anew")
        assert server.ask(status)["ok"]
    finally:
        server.close()
    assert not Path("run/sock").exists()


def test_one_client_too_many_is_told(server: Server) -> None:
    """The limit holds, and places become free again."""
    clients = [server.connect() for _ in range(CLIENT_LIMIT)]
    assert server.ask(b'{"cmd":"status"}\n')["error"]["code"] == "busy"
    for client in clients:
        client.close()
    while not server.ask(b'{"cmd":"status"}\n')["ok"]:
        pass


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)

NAMES = st.sampled_from(sorted(COMMANDS.keys() - {"stop"})) | st.text()

LINES = st.binary().map(lambda line: line.replace(b"\n", b"")) | st.one_of(
    JSON,
    st.fixed_dictionaries({"cmd": NAMES | JSON}, optional={"args": JSON}),
    st.fixed_dictionaries({"cmd": NAMES, "args": st.dictionaries(st.just("job") | st.text(), JSON)}),
).map(lambda request: json.dumps(request).encode())
"""Requests of every form, but for the one that the fake fleet has a defect in."""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(LINES, max_size=25))
def test_every_line_has_one_answer(server: Server, lines: list[bytes]) -> None:
    """Whatever it holds: data, or an error that is the client's; and the server answers on."""
    with server.connect() as client, client.makefile("rb") as replies:
        client.sendall(b"".join(line + b"\n" for line in lines))
        client.shutdown(socket.SHUT_WR)
        answers = [json.loads(reply) for reply in replies]
    assert len(answers) == len(lines)
    codes = {answer["error"]["code"] for answer in answers if not answer["ok"]}
    assert codes <= {"bad-request", "unknown-job"}


def test_the_socket_is_for_its_owner_only(server: Server) -> None:
    """Mode 0600."""
    assert Path(server.path).stat().st_mode & 0o777 == 0o600
