"""The web child's pages: what they say, and how they say it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.programs.web import WebChild, a_job, web_child
from harness.waiting import wait_until

PAGES = ("/", "/app.js", "/style.css", "/icon.svg", "/status.json", "/healthz", "/readyz", "/nothing")


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebChild]:
    """A web child of a fleet of two jobs."""
    with web_child(tmp_path, [a_job("orders"), a_job("clicks")]) as made:
        yield made


def test_the_page_and_all_that_it_needs_are_here(web: WebChild) -> None:
    """Every file that the page or one of its scripts names is served, and nothing comes from elsewhere."""
    page = web.fetch("/")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    wanted, seen = set(re.findall(r'(?:src|href)="([^"]+)"', page.text)), set()
    while wanted:
        name = wanted.pop()
        seen.add(name)
        answer = web.fetch(f"/{name}")
        assert answer.status == 200, name
        assert "//" not in answer.text.replace("http://www.w3.org/", "").replace("// ", ""), name
        wanted |= set(re.findall(r'from "\./([^"]+)"', answer.text)) - seen
    assert {"app.js", "row.js", "sparkline.js", "style.css", "icon.svg"} <= seen


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_is_guarded(web: WebChild, path: str) -> None:
    """Only our own scripts, no frames, no guessed types, no referrer; data is never cached."""
    answer = web.fetch(path)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "server" not in answer.headers
    static = path in {"/", "/app.js", "/style.css", "/icon.svg"}
    assert answer.headers["cache-control"] == ("no-cache" if static else "no-store")


@pytest.mark.parametrize("path", PAGES)
def test_head_is_get_without_a_body(web: WebChild, path: str) -> None:
    """With the same status and type."""
    get, head = web.fetch(path), web.fetch(path, "HEAD")
    assert (head.status, head.text) == (get.status, "")
    assert head.headers["content-type"] == get.headers["content-type"]


def test_a_file_that_is_known_is_not_sent_again(web: WebChild) -> None:
    """By its ETag."""
    first = web.fetch("/app.js")
    again = web.fetch("/app.js", If_None_Match=first.headers["etag"])
    assert (again.status, again.text, again.headers["etag"]) == (304, "", first.headers["etag"])
    assert web.fetch("/app.js", If_None_Match='"other"').status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/", 405),
        ("DELETE", "/status.json", 405),
        ("GET", "/../../etc/passwd", 404),
        ("GET", "/%2e%2e/web.py", 404),
        ("GET", "/page/index.html", 404),
        ("GET", "/status.json?after=-1", 400),
        ("GET", "/status.json?after=x", 400),
        ("GET", "/status.json?after=99999999999999999999", 400),
    ],
)
def test_what_is_not_there_is_refused(web: WebChild, method: str, path: str, status: int) -> None:
    """With the status that says why."""
    answer = web.fetch(path, method)
    assert answer.status == status
    assert ("allow" in answer.headers) == (status == 405)


def test_bodies_and_heads_are_bounded(web: WebChild) -> None:
    """No request needs a body, and a head of 20 kB is refused."""
    assert web.fetch("/", "POST", b"x" * 2000).status == 413
    assert web.fetch("/", "POST", Transfer_Encoding="chunked").status == 413
    assert web.fetch("/", "POST", b"x" * 10).status == 405
    with web.connect() as endless:
        endless.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 20000)
        assert endless.recv(65536).startswith(b"HTTP/1.1 400 ")
    assert web.fetch("/healthz").text == "ok\n"


def test_status_is_that_of_the_master_and_a_history(web: WebChild) -> None:
    """All that `status` says, and a point for each job; only newer points, if asked."""
    answer = web.fetch("/status.json").data
    assert answer["jobs"] == web.master.jobs
    assert answer["master"]["version"] == "0.1.0"
    assert answer["actions"] is False
    history = answer["history"]
    assert history["jobs"]["orders"]["lag"][-1] == 0.9
    assert history["jobs"]["orders"]["events_per_second"][0] == 200
    newer = web.fetch(f"/status.json?after={history['end']}").data["history"]
    assert len(newer["jobs"]["orders"]["lag"]) == newer["end"] - history["end"]


def test_many_who_look_cost_the_master_little(web: WebChild) -> None:
    """An answer is reused for a second, however many clients ask."""
    before = web.master.asked.count("status")
    for _ in range(50):
        assert web.fetch("/status.json").status == 200
    # At most one a second; the machine may be slow.
    assert web.master.asked.count("status") - before < 25


def test_a_page_without_a_master_says_so(web: WebChild) -> None:
    """503 and one line; it recovers by itself."""
    web.master.close()
    wait_until(lambda: web.fetch("/status.json").status == 503, "the latest answer is too old")
    assert web.fetch("/status.json").text == "cannot reach the master: No such file or directory\n"
    assert web.fetch("/readyz").status == 503
    assert web.fetch("/").status == 200


@pytest.mark.parametrize(
    ("state", "ready"),
    [
        ("running", True),
        ("standby", True),
        ("stopped", True),
        ("paused", True),
        ("starting", False),
        ("stopping", False),
        ("backoff", False),
        ("blocked", False),
        ("something new", False),
    ],
)
def test_ready_is_when_every_job_does_what_it_should(tmp_path: Path, state: str, ready: bool) -> None:
    """A job that is stopped or paused on purpose counts as one that works."""
    with web_child(tmp_path, [a_job("orders", state, reason="it\nis so"), a_job("clicks")]) as web:
        answer = web.fetch("/readyz")
        expected = (200, "ok\n") if ready else (503, f"orders: {state}: it is so\n")
        assert (answer.status, answer.text) == expected
