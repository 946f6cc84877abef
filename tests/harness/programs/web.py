"""A web child without a master; the test answers in its place."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.paths import environment
from harness.waiting import PATIENCE

CHILD = """
import socket, sys
from tdsup.supervisor.config import load_fleet
from tdsup.supervisor.web import run_web
sys.exit(run_web(load_fleet(), socket.socket(fileno=int(sys.argv[1]))))
"""


def a_job(name: str, state: str = "running", **changes: object) -> dict[str, Any]:
    """A job as `status` shows it."""
    return {
        "name": name,
        "state": state,
        "pid": 4711,
        "since": 75.2,
        "events_per_second": 200.0,
        "lag": 0.9,
        "events": 64000,
        "rows": 64000,
        "dead_letters": 0,
        "dead_letters_kept": 0,
        "batches": 400,
        "partitions": 3,
        "restarts": 0,
        "trouble": "",
        "held_up": 0,
        "reason": "",
        "last_error": "",
        "last_error_age": None,
        "retry_in": None,
        "file": f"conf.d/{name}.ini",
        "type": "table_dispatcher",
        "log": f"log/{name}.log",
        **changes,
    }


RELOADS = {"done": 0, "failed": 0, "is_sound": True}
"""What a master tells of reloads before the first."""


class FakeMaster:
    """A control socket in a thread.

    Args:
        path: of the socket.
        jobs: what `status` says.

    Attributes:
        jobs: what `status` says from now on.
        replies: whole replies to other commands, by command; the rest succeed.
        requests: those that change something, in the order they came.
    """

    def __init__(self, path: Path, jobs: Sequence[dict[str, Any]]) -> None:
        self.jobs = list(jobs)
        self.replies: dict[str, dict[str, Any]] = {}
        self.requests: list[dict[str, Any]] = []
        self.asked: list[str] = []
        master = self

        class Handler(socketserver.StreamRequestHandler):
            """One connection."""

            def handle(self) -> None:
                """Answer one line."""
                line = self.rfile.readline()
                # A client that was killed asks for nothing.
                if line:
                    self.wfile.write(json.dumps(master.answer(json.loads(line))).encode() + b"\n")

        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._server = socketserver.UnixStreamServer(str(path), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply to a request."""
        command = request["cmd"]
        self.asked.append(command)
        if command == "status":
            master = {"pid": 4242, "uptime": 93784.5, "version": "0.1.0"}
            return {"ok": True, "data": {"jobs": self.jobs, "master": master, "web": "x", "web_error": ""}}
        if command == "metrics":
            data = {
                "metrics": {},
                "jobs": [],
                "version": "0.1.0",
                "reloads": {"done": 0, "failed": 0, "is_sound": True},
                "web_restarts": 0,
            }
            return {"ok": True, "data": data}
        if command != "version":
            self.requests.append(request)
        return self.replies.get(command, {"ok": True, "data": {}})

    def close(self) -> None:
        """Go away, as a dead master does."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._path.unlink()


@dataclass(frozen=True)
class Answer:
    """An HTTP response; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def data(self) -> Any:
        """The body, if it is JSON."""
        return json.loads(self.text)


class WebChild:
    """A real web child process in its own directory.

    Args:
        directory: where it works.
        jobs: what its master first says about jobs.
        settings: keys of ``tdsup.yaml``.

    Attributes:
        master: the fake master that it asks.
        said: its first message to the master: ``hello``, or ``farewell`` if it cannot serve.
    """

    def __init__(self, directory: Path, jobs: Sequence[dict[str, Any]], **settings: object) -> None:
        self.directory = directory
        defaults = {"web": "127.0.0.1:0", "socket": "tdsup.sock", "log": "tdsup.log"}
        (directory / "tdsup.yaml").write_text(yaml.safe_dump(defaults | settings), encoding="utf-8")
        self.master = FakeMaster(directory / "tdsup.sock", jobs)
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, (directory / "stderr").open("wb") as stderr:
            theirs.setblocking(False)
            self._process = subprocess.Popen(
                [sys.executable, "-c", CHILD, str(theirs.fileno())],
                cwd=directory,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stderr=stderr,
                pass_fds=[theirs.fileno()],
            )
        self._ours.settimeout(PATIENCE)
        try:
            self.said = self._first_message()
        except BaseException:
            # Otherwise the fake master would keep the whole run from ending.
            self.close()
            raise

    def _first_message(self) -> dict[str, Any]:
        """The first message to the master that is no sign of life."""
        while datagram := self._ours.recv(65536):
            message: dict[str, Any] = json.loads(datagram)
            if message["kind"] != "beat":
                return message
        raise AssertionError("the web child died: " + (self.directory / "stderr").read_text(encoding="utf-8"))

    @property
    def address(self) -> str:
        """Host and port; with the scheme in front if it is HTTPS."""
        assert self.said["kind"] == "hello", self.said
        address: str = self.said["labels"]["address"]
        return address

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def url(self) -> str:
        """URL of the page, without a trailing slash."""
        return self.address if "://" in self.address else f"http://{self.address}"

    @property
    def log(self) -> str:
        """Its log so far."""
        return (self.directory / "tdsup-web.log").read_text(encoding="utf-8")

    def connect(self) -> socket.socket:
        """A connection to it."""
        host, _, port = self.address.rpartition(":")
        return socket.create_connection((host.rpartition("/")[2], int(port)), timeout=PATIENCE)

    def fetch(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        """Send one request; ``_`` in a header's name stands for ``-``."""
        host = self.address.rpartition("/")[2]
        connection: http.client.HTTPConnection
        if self.address.startswith("https"):
            # The test made its certificate.
            context = ssl._create_unverified_context()  # noqa: S323, SLF001 (see above; it is the only way)
            connection = http.client.HTTPSConnection(host, timeout=PATIENCE, context=context)
        else:
            connection = http.client.HTTPConnection(host, timeout=PATIENCE)
        with contextlib.closing(connection):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read().decode())

    def order(self, path: str, token: str | None, method: str = "POST") -> Answer:
        """Ask for an action."""
        headers: dict[str, str] = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self.fetch(path, method, None, **headers)

    def descriptors(self) -> int:
        """How many descriptors it has open."""
        return sum(1 for _ in Path(f"/proc/{self._process.pid}/fd").iterdir())

    def exit_code(self) -> int:
        """Exit status of the process, once it has ended."""
        return self._process.wait(PATIENCE)

    def close(self) -> None:
        """End it and its master."""
        self._ours.close()
        self._process.kill()
        self._process.wait(PATIENCE)
        with contextlib.suppress(FileNotFoundError):
            self.master.close()


@contextlib.contextmanager
def web_child(directory: Path, jobs: Sequence[dict[str, Any]] = (), **settings: object) -> Iterator[WebChild]:
    """A web child that ends with the context."""
    made = WebChild(directory, jobs, **settings)
    try:
        yield made
    finally:
        made.close()
