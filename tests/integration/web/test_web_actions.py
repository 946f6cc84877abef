"""Actions over HTTP: who is allowed, what is passed on, and what comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from harness.programs.web import WebChild, a_job, web_child

TOKEN = "k3-._~+/=secret"  # noqa: S105 (a token of the test)
FILE = "token"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebChild]:
    """A web child with a token, of a fleet with jobs of odd names."""
    file = tmp_path / FILE
    file.write_text(f"{TOKEN}\n", encoding="utf-8")
    file.chmod(0o600)
    jobs = [a_job(name) for name in ("orders", "conf.d/a b*[é].ini", "two\nlines")]
    with web_child(tmp_path, jobs, web_token_file=FILE) as made:
        yield made


@pytest.mark.parametrize(
    ("verb", "command"),
    [
        ("restart", "restart"),
        ("pause", "pause"),
        ("resume", "resume"),
        ("start", "start-job"),
        ("stop", "stop-job"),
        ("reload", "reload"),
    ],
)
def test_an_action_is_passed_on_and_logged(web: WebChild, verb: str, command: str) -> None:
    """One request to the master, one line in the log, and the token in neither."""
    web.master.replies[command] = {"ok": True, "data": {"changed": ["orders"]}}
    answer = web.order(f"/jobs/orders/{verb}", TOKEN)
    assert (answer.status, answer.data) == (200, {"ok": True, "data": {"changed": ["orders"]}})
    assert web.master.requests == [{"cmd": command, "args": {"jobs": ["orders"]}}]
    assert web.log.count(f"web: 127.0.0.1 asks: {verb} orders\n") == 1
    assert TOKEN not in web.log
    assert web.fetch("/status.json").data["actions"] is True


@pytest.mark.parametrize(
    ("token", "method", "path", "status", "code"),
    [
        (None, "POST", "/jobs/orders/restart", 401, "bad-token"),
        ("wrong", "POST", "/jobs/orders/restart", 401, "bad-token"),
        (TOKEN + "x", "POST", "/jobs/orders/restart", 401, "bad-token"),
        (TOKEN.upper(), "POST", "/jobs/orders/restart", 401, "bad-token"),
        ("", "POST", "/jobs/nobody/restart", 401, "bad-token"),
        (TOKEN, "POST", "/jobs/nobody/restart", 404, "unknown-job"),
        (TOKEN, "POST", "/jobs/*/restart", 404, "unknown-job"),
        (TOKEN, "POST", "/jobs/orders/explode", 404, "bad-request"),
        (TOKEN, "POST", "/jobs/orders/start-job", 404, "bad-request"),
        (TOKEN, "POST", "/jobs/orders/restart/now", 404, "bad-request"),
        (TOKEN, "POST", "/jobs/orders", 404, "bad-request"),
        (TOKEN, "POST", "/jobs/", 404, "bad-request"),
        (TOKEN, "GET", "/jobs/orders/restart", 405, "bad-request"),
        (TOKEN, "HEAD", "/jobs/orders/restart", 405, None),
    ],
)
def test_nothing_else_reaches_the_master(
    web: WebChild, token: str | None, method: str, path: str, status: int, code: str | None
) -> None:
    """Without the token nobody can find out even a job's name."""
    answer = web.order(path, token, method)
    assert answer.status == status
    assert code is None or answer.data["error"]["code"] == code
    assert web.master.requests == []
    assert "asks" not in web.log


def test_the_scheme_is_bearer(web: WebChild) -> None:
    """In upper or lower case; no other scheme is accepted."""
    assert web.fetch("/jobs/orders/stop", "POST", Authorization=f"bearer {TOKEN}").status == 200
    assert web.fetch("/jobs/orders/stop", "POST", Authorization=f"Basic {TOKEN}").status == 401
    assert web.fetch("/jobs/orders/stop", "POST", Authorization=TOKEN).status == 401
    assert web.fetch(f"/jobs/orders/stop?token={TOKEN}", "POST").status == 401


def test_a_name_is_no_pattern(web: WebChild) -> None:
    """The master takes globs, but an action here is for one job, whatever characters its name has."""
    odd = "conf.d/a b*[é].ini"
    assert web.order(f"/jobs/{quote(odd, safe='')}/stop", TOKEN).status == 200
    assert web.order(f"/jobs/{quote('two' + chr(10) + 'lines')}/stop", TOKEN).status == 200
    assert [request["args"]["jobs"] for request in web.master.requests] == [
        ["conf.d/a b[*][[]é].ini"],
        ["two\nlines"],
    ]
    assert "asks: stop 'two\\nlines'\n" in web.log


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("unknown-job", 404),
        ("bad-request", 400),
        ("stopping", 503),
        ("bad-config", 409),
        ("anything", 409),
    ],
)
def test_the_masters_refusal_is_shown(web: WebChild, code: str, status: int) -> None:
    """In its own words."""
    reply = {"ok": False, "error": {"code": code, "message": "cannot reload orders: because"}}
    web.master.replies["reload"] = reply
    answer = web.order("/jobs/orders/reload", TOKEN)
    assert (answer.status, answer.data) == (status, reply)


def test_a_dead_master_is_told(web: WebChild) -> None:
    """503, in the same form."""
    web.master.close()
    answer = web.order("/jobs/orders/reload", TOKEN)
    assert answer.status == 503
    assert answer.data["error"]["message"].startswith("cannot reach the master: ")


def test_without_a_token_file_there_are_no_actions(tmp_path: Path) -> None:
    """Not for any token, not even an empty one."""
    with web_child(tmp_path, [a_job("orders")]) as web:
        for token in (None, "", "x", "None"):
            answer = web.order("/jobs/orders/restart", token)
            assert answer.status == 403
            message = "actions are off: tdsup.yaml names no web_token_file"
            assert answer.data["error"]["message"] == message
        assert web.master.requests == []


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [
        (None, 0, "No such file or directory"),
        ("", 0o600, "it is empty"),
        (" \n", 0o600, "it is empty"),
        ("secret", 0o644, "others may use it (mode 0644); chmod 600 it"),
        ("secret", 0o620, "others may use it (mode 0620); chmod 600 it"),
        ("two words", 0o600, "a secret is one word of at most 4096 ASCII characters"),
        ("é", 0o600, "a secret is one word of at most 4096 ASCII characters"),
        ("x" * 5000, 0o600, "a secret is one word of at most 4096 ASCII characters"),
    ],
)
def test_a_token_that_is_none_is_refused(tmp_path: Path, content: str | None, mode: int, reason: str) -> None:
    """The web child does not serve, and says why without showing the token."""
    file = tmp_path / FILE
    if content is not None:
        file.write_text(content, encoding="utf-8")
        file.chmod(mode)
    with web_child(tmp_path, web_token_file=FILE) as web:
        line = f"cannot serve http://127.0.0.1:0: cannot read web_token_file token: {reason}"
        assert web.said == {"kind": "farewell", "reason": line}
        assert web.exit_code() == 1
        assert line in web.log
