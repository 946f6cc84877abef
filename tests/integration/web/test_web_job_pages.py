"""What can be read of one job: the end of its log, and its dead letters."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from harness.programs import web as harness
from harness.programs.processes import alive, children
from harness.programs.web import Answer, WebChild, a_job, web_child
from harness.waiting import PATIENCE, wait_until

SECRET = "USER:PASSWORD"  # noqa: S105 (a secret of the test)

LETTER = {
    "id": 7,
    "event": 1,
    "died": "2026-01-31 09:14:07+00",
    "type": "I",
    "table": "public.orders",
    "sqlstate": "22P02",
    "reason": "odd \u202e reason",
}

PAGES = ("log", "dead-letters")


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebChild]:
    """A web child of a fleet with one job that has a log and a dead letter."""
    (tmp_path / "log").mkdir()
    with web_child(tmp_path, [a_job("orders")]) as made:
        write_log(made, b"one line\n")
        write_job(made, line=json.dumps(LETTER))
        yield made


def write_log(web: WebChild, content: bytes, suffix: str = "") -> None:
    """Replace the job's log."""
    (web.directory / f"log/orders.log{suffix}").write_bytes(content)


def write_job(web: WebChild, section: str = "sleeper", line: str = "") -> None:
    """Write the job's file; the lines are its dead letters."""
    (web.directory / "conf.d").mkdir(exist_ok=True)
    text = f"[{section}]\n" + (f"line = {line.replace('%', '%%')}\n" if line else "")
    (web.directory / "conf.d/orders.ini").write_text(text, encoding="utf-8")


def test_a_log_is_shown_from_200_lines_before_its_end(web: WebChild) -> None:
    """As text, with the last lines of the log before it while it is short."""
    write_log(web, b"".join(b"old %d\n" % number for number in range(1000)), ".1")
    write_log(web, b"".join(b"new %d\n" % number for number in range(50)))
    answer = web.fetch("/jobs/orders/log")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    lines = answer.text.splitlines()
    assert (len(lines), lines[0], lines[149], lines[-1]) == (200, "old 850", "old 999", "new 49")
    write_log(web, b"".join(b"new %d\n" % number for number in range(100000)))
    lines = web.fetch("/jobs/orders/log").text.splitlines()
    assert (len(lines), lines[0], lines[-1]) == (200, "new 99800", "new 99999")


def test_a_long_log_is_read_in_part(web: WebChild) -> None:
    """However long its lines are: the answer is bounded, and the line that lost its beginning is left out."""
    write_log(web, (b"x" * 100_000 + b"\n") * 100)
    answer = web.fetch("/jobs/orders/log").text
    assert answer == ("x" * 100_000 + "\n") * 2
    write_log(web, b"y" * 10_000_000)
    assert len(web.fetch("/jobs/orders/log").text) < 300_000


def test_a_log_is_fit_to_be_shown(web: WebChild) -> None:
    """What a terminal acts on is escaped, a password is hidden, and bytes that are no text do no harm."""
    write_log(web, "a\x1b[31mb\u202e <b>\tc\n".encode() + b"db: host=x password=hunter2 \xff\n")
    assert web.fetch("/jobs/orders/log").text == (
        "a\\x1b[31mb\\u202e <b>    c\ndb: host=x password=******** \\xff\n"
    )


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("missing", "No such file or directory"),
        ("link", "it is a link"),
        ("fifo", "it is no regular file"),
        ("folder", "it is no regular file"),
    ],
)
def test_only_a_regular_file_is_a_log(web: WebChild, kind: str, reason: str) -> None:
    """Whoever can write beside the log cannot have another file read, or keep a request waiting."""
    path = web.directory / "log/orders.log"
    path.unlink()
    if kind == "link":
        path.symlink_to(web.directory / "tdsup.yaml")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    answer = web.fetch("/jobs/orders/log")
    assert (answer.status, answer.text) == (503, f"cannot read log/orders.log: {reason}\n")


def test_a_job_without_a_log_says_why(web: WebChild) -> None:
    """Its file is broken, so nobody knows where it would log to."""
    web.master.jobs = [a_job("conf.d/a b.ini", "blocked", log=None)]
    said = "cannot show the log of conf.d/a b.ini: its file is broken, so it has none"
    wait_until(lambda: said in web.fetch("/jobs/conf.d%2Fa%20b.ini/log").text, "the job is known")
    assert web.fetch("/jobs/conf.d%2Fa%20b.ini/log").status == 404


def test_a_log_that_is_elsewhere_is_named(tmp_path: Path) -> None:
    """In the words of `tdsup logs`."""
    with web_child(tmp_path, [a_job("orders", log=None)], log_to="stdout") as web:
        answer = web.fetch("/jobs/orders/log")
    reason = "everything is logged to stdout (log_to in tdsup.yaml)"
    assert (answer.status, answer.text) == (404, f"cannot show the log of orders: {reason}\n")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", ["order", "../orders", "/etc/passwd", "log/orders.log", "*", "", "a\x1bb"])
def test_only_jobs_have_pages(web: WebChild, page: str, name: str) -> None:
    """A path in the URL names no file."""
    answer = web.fetch(f"/jobs/{quote(name, safe='')}/{page}")
    assert answer.status == 404
    assert answer.text.startswith(f"cannot show the {page} of ")
    assert answer.text.rstrip("\n").isprintable()


@pytest.mark.parametrize("page", PAGES)
def test_they_are_guarded_as_the_page_is(web: WebChild, tmp_path: Path, page: str) -> None:
    """By name, by secret and by method; what changes something needs the token, as ever."""
    path = f"/jobs/orders/{page}"
    assert web.fetch(path, Host="evil.example").status == 421
    assert web.fetch(path, "POST").status == 403
    assert web.fetch(path, "DELETE").status == 405
    for method in ("GET", "HEAD"):
        answer = web.fetch(path, method)
        assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    other = tmp_path / "other"
    other.mkdir()
    (other / "secret").write_text(SECRET, encoding="utf-8")
    (other / "secret").chmod(0o600)
    with web_child(other, [a_job("orders")], web_read_file="secret") as closed:
        assert closed.fetch(path).status == 401
        assert closed.fetch(path, Authorization="Bearer wrong").status == 401
        # There is neither a log nor a file of a job.
        assert closed.fetch(path, Authorization=f"Bearer {SECRET}").status == 503


def test_dead_letters_are_listed_with_what_to_do(web: WebChild) -> None:
    """Their reasons are made printable; the commands name fleet and job."""
    answer = web.fetch("/jobs/orders/dead-letters")
    assert answer.status == 200, answer.text
    command = f"tdsup -C {web.directory} dead-letters orders"
    told = {field: str(value) for field, value in LETTER.items() if field != "event"}
    assert answer.data == {
        "letters": [{**told, "reason": "odd \\u202e reason"}],
        "limit": 100,
        "commands": [f"{command} show 7", f"{command} replay", f"{command} purge --all"],
    }


@pytest.mark.parametrize(
    ("section", "line", "said"),
    [
        ("sleeper", "bad", "cannot list orders: it is bad"),
        ("sleeper", "no JSON", "cannot list dead letters of orders: its job type tells them in another form"),
        (
            "sleeper",
            '{"id": 7}',
            "cannot list dead letters of orders: its job type tells them in another form",
        ),
        ("napper", "", "cannot list orders: jobs of type napper have no such action"),
        ("nothing", "", "cannot load conf.d/orders.ini: "),
    ],
)
def test_a_list_that_fails_says_why(web: WebChild, section: str, line: str, said: str) -> None:
    """In one line."""
    write_job(web, section, line)
    answer = web.fetch("/jobs/orders/dead-letters")
    assert (answer.status, answer.text.count("\n")) == (503, 1)
    assert answer.text.startswith(said)


def test_a_list_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Producers choose what is in it, and the web child keeps no more of it than it may."""
    prefix = "from tdsup.supervisor.web.jobpages import letterlist; letterlist.BYTES = 100\n"
    monkeypatch.setattr(harness, "CHILD", prefix + harness.CHILD)
    with web_child(tmp_path, [a_job("orders")]) as web:
        write_job(web, line=json.dumps(LETTER))
        answer = web.fetch("/jobs/orders/dead-letters")
    assert answer.status == 503
    assert answer.text.startswith("cannot list dead letters of orders: it is longer than 100 bytes")


def test_a_module_in_the_fleets_directory_is_not_run(web: WebChild) -> None:
    """Although the command works there."""
    (web.directory / "json.py").write_text("raise SystemExit('mine')\n", encoding="utf-8")
    assert web.fetch("/jobs/orders/dead-letters").status == 200


@pytest.fixture
def slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[WebChild]:
    """A web child whose command waits for ever: a fifo that nobody writes is the fleet's settings.

    The parameter is its patience with it, in seconds.
    """
    prefix = f"from tdsup.supervisor.web.jobpages import letterlist; letterlist.PATIENCE = {request.param}\n"
    monkeypatch.setattr(harness, "CHILD", prefix + harness.CHILD)
    with web_child(tmp_path, [a_job("orders")]) as made:
        (tmp_path / "tdsup.yaml").unlink()
        os.mkfifo(tmp_path / "tdsup.yaml")
        yield made


@pytest.mark.parametrize("slow", [1.0], indirect=True)
def test_a_slow_list_ends_and_others_wait_for_their_turn(slow: WebChild) -> None:
    """One command at a time, each client told within its time, and no process stays; the page is served."""
    answers: list[Answer] = []
    clients = [
        threading.Thread(target=lambda: answers.append(slow.fetch("/jobs/orders/dead-letters")))
        for _ in range(3)
    ]
    for client in clients:
        client.start()
    most = 0
    while any(client.is_alive() for client in clients):
        most = max(most, len(children(slow.pid)))
        assert slow.fetch("/healthz").status == 200
    assert {(answer.status, answer.text) for answer in answers} == {
        (503, "cannot list dead letters of orders: no answer within 1 s\n")
    }
    assert most == 1
    wait_until(lambda: not children(slow.pid), "no command is left")


@pytest.mark.parametrize("slow", [2 * PATIENCE], indirect=True)
def test_a_list_ends_with_the_web_child(slow: WebChild) -> None:
    """However that ends."""

    def ask() -> None:
        # It gets no answer.
        with pytest.raises(ConnectionError):
            slow.fetch("/jobs/orders/dead-letters")

    client = threading.Thread(target=ask)
    client.start()
    (command,) = wait_until(lambda: children(slow.pid), "a command runs")
    writer = wait_until(lambda: _writer_of(slow.directory / "tdsup.yaml"), "it reads the settings")
    assert writer is not None
    os.kill(slow.pid, signal.SIGKILL)
    wait_until(lambda: not alive(command), "the command has ended", 2)
    client.join(PATIENCE)
    os.close(writer)


def _writer_of(fifo: Path) -> int | None:
    """A descriptor to write to a fifo; None as long as nobody reads it."""
    with contextlib.suppress(OSError):
        return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    return None
