"""Whoever reaches the page or the control socket reads what he may, and keeps nobody else from it."""

from __future__ import annotations

import base64
import contextlib
import os
import resource
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.programs import web as harness
from harness.programs.fleet import Fleet, fleet
from harness.programs.web import WebChild, a_job, web_child
from harness.waiting import wait_until

HASTY = "from tdsup.supervisor.web import gate; gate.HANDSHAKE_TIMEOUT = 1\n"
"""Makes the web child wait a second for a handshake."""

MOST = 300
"""Most descriptors that a web child with all its connections has."""


def make_pair(directory: Path, name: str) -> None:
    """A certificate for 127.0.0.1 with a name, and its key: ``cert`` and ``key``."""
    line = f"req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN={name} -keyout key -out cert"
    subprocess.run(["openssl", *line.split()], cwd=directory, check=True, capture_output=True)


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebChild]:
    """A web child that speaks HTTPS, and waits a second for a handshake."""
    make_pair(tmp_path, "first")
    monkeypatch.setattr(harness, "CHILD", HASTY + harness.CHILD)
    with web_child(tmp_path, [a_job("orders")], web_cert="cert", web_key="key") as made:
        yield made


def memory(pid: int) -> int:
    """Bytes that a process has in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_silent_clients_of_tls_are_counted(secure: WebChild) -> None:
    """1,300 of them cost few descriptors and little memory, and others are served."""
    assert secure.fetch("/healthz").text == "ok\n"
    before = memory(secure.pid)
    with contextlib.ExitStack() as stack:
        for _ in range(1300):
            stack.enter_context(secure.connect())
        assert secure.fetch("/healthz").text == "ok\n"
        assert secure.descriptors() < MOST
        assert memory(secure.pid) - before < 60 << 20


def test_a_handshake_has_its_time(secure: WebChild) -> None:
    """Whoever does not shake hands is shown out."""
    with secure.connect() as silent:
        silent.settimeout(10)
        began = time.monotonic()
        assert silent.recv(1) == b""
        assert time.monotonic() - began < 5


def shown_name(web: WebChild) -> str:
    """The name in the certificate that a client is shown."""
    context = ssl._create_unverified_context()  # noqa: S323, SLF001 (the certificate is the test's)
    with web.connect() as plain, context.wrap_socket(plain) as secured:
        text = secured.getpeercert(binary_form=True)
        assert text is not None
        return "second" if b"second" in text else "first"


def test_a_certificate_is_loaded_again(secure: WebChild, tmp_path: Path) -> None:
    """When its files change; half a pair is not taken, and what was there stays."""
    assert shown_name(secure) == "first"
    before = (tmp_path / "cert").read_bytes()
    make_pair(tmp_path, "second")
    whole = (tmp_path / "cert").read_bytes()
    (tmp_path / "cert").write_bytes(before)
    assert shown_name(secure) == "first"
    assert "web: the certificate stays as it was: cannot use web_key key: " in secure.log
    (tmp_path / "cert").write_bytes(whole)
    assert shown_name(secure) == "second"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_tls_is_refused(secure: WebChild, version: ssl.TLSVersion) -> None:
    """And so is a cipher without forward secrecy."""
    old = ssl._create_unverified_context()  # noqa: S323, SLF001 (the certificate is the test's)
    old.minimum_version = old.maximum_version = version
    weak = ssl._create_unverified_context()  # noqa: S323, SLF001 (the certificate is the test's)
    weak.maximum_version = ssl.TLSVersion.TLSv1_2
    weak.set_ciphers("AES128-SHA")
    for context in (old, weak):
        with secure.connect() as plain, pytest.raises((ssl.SSLError, ConnectionError)):
            context.wrap_socket(plain)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebChild]:
    """A web child with a token for actions and a name of its own."""
    file = tmp_path / "token"
    file.write_text("secret", encoding="ascii")
    file.chmod(0o600)
    keys = {"web_token_file": file.name, "web_hosts": ["Page.Example."]}
    with web_child(tmp_path, [a_job("orders")], **keys) as made:
        yield made


@pytest.mark.parametrize("path", ["/", "/status.json", "/metrics", "/nothing", "/jobs/orders/stop"])
def test_a_foreign_host_reads_nothing(web: WebChild, path: str) -> None:
    """A page of another site may call this server by a name of its own."""
    method = "POST" if path.startswith("/jobs") else "GET"
    answer = web.fetch(path, method, Host="evil.example", Authorization="Bearer secret")
    assert (answer.status, web.master.requests) == (421, [])
    refusal = "cannot serve host 'evil.example': web_hosts of tdsup.yaml names those that lead here\n"
    assert answer.text == refusal


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "[::1]:9867", "192.0.2.7:80", "localhost", "LOCALHOST:1", "a.localhost", "page.example:80"],
)
def test_its_own_names_are_served(web: WebChild, host: str) -> None:
    """Addresses, localhost, the machine's names, and those of web_hosts."""
    for name in (host, socket.gethostname()):
        assert web.fetch("/status.json", Host=name).status == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_are_answered_under_any_name(web: WebChild, path: str) -> None:
    """An orchestrator knows an address and a port."""
    assert web.fetch(path, Host="evil.example").status == 200


@pytest.mark.parametrize("secret", ["word", "joe:word"])
def test_reading_may_need_a_secret(tmp_path: Path, secret: str) -> None:
    """A token, or a user and password; probes and actions are as before."""
    file = tmp_path / "reading"
    file.write_text(f"{secret}\n", encoding="ascii")
    file.chmod(0o600)

    def basic(text: str) -> str:
        return "Basic " + base64.b64encode(text.encode()).decode()

    with web_child(tmp_path, [a_job("orders")], web_read_file="reading") as web:
        right = {"word": ["Bearer word", "bearer word", basic("x:word")], "joe:word": [basic("joe:word")]}
        for given in right[secret]:
            assert web.fetch("/metrics", Authorization=given).status == 200
        for given in (
            "",
            "Bearer",
            "Bearer wor",
            "Basic",
            "Basic !",
            basic("joe:"),
            basic(":"),
            basic("joe"),
        ):
            answer = web.fetch("/metrics", Authorization=given)
            assert (answer.status, answer.text) == (401, "reading needs what web_read_file holds\n")
            assert answer.headers["www-authenticate"] == "Bearer"
        assert web.fetch("/healthz").text == "ok\n"
        assert secret not in web.log


def test_reading_from_afar_is_warned_about(tmp_path: Path) -> None:
    """Where it needs no secret."""
    with web_child(tmp_path, web="0.0.0.0:0") as web:
        assert "web: whoever reaches 0.0.0.0 can read all pages; web_read_file would ask" in web.log
        assert "WARNING" in web.log


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
def test_nonsense_in_a_request_fills_no_log(web: WebChild, method: bytes) -> None:
    """Its client is told so and dropped, and no traceback is written."""
    with web.connect() as client:
        client.sendall(method + b" / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 400 ")
    assert web.fetch("/healthz").text == "ok\n"
    assert "Traceback" not in web.log


@pytest.fixture
def a_fleet(tmp_path: Path) -> Iterator[Fleet]:
    """A running fleet of one job."""
    with fleet(tmp_path) as made:
        made.write_job("orders")
        made.start()
        made.wait_all()
        yield made


def processor_seconds(pid: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_master_without_descriptors_rests(a_fleet: Fleet) -> None:
    """Clients that it cannot accept wait, and whoever is connected is answered."""
    pid = a_fleet.pid
    with a_fleet.connect() as known:
        known.sendall(b'{"cmd":"version"}\n')
        assert b'"ok":true' in known.recv(65536)
        used = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
        _soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used, hard))
        with contextlib.ExitStack() as stack:
            waiting = [stack.enter_context(a_fleet.connect()) for _ in range(20)]
            wait_until(
                lambda: "cannot accept clients: Too many open files; they wait" in a_fleet.log(), "told"
            )
            before = processor_seconds(pid)
            time.sleep(2)
            assert processor_seconds(pid) - before < 0.5
            known.sendall(b'{"cmd":"version"}\n')
            assert b'"ok":true' in known.recv(65536)
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))
            waiting[0].sendall(b'{"cmd":"version"}\n')
            assert b'"ok":true' in waiting[0].recv(65536)
    assert a_fleet.log().count("cannot accept clients") == 1
