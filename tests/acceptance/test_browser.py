"""The status page in a real headless Chromium."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.programs import web as harness
from harness.programs.fleet import fleet
from harness.programs.web import WebChild, a_job, web_child
from harness.rows.orders import Orders
from harness.servers.browser import Browser
from harness.servers.database import Database
from harness.waiting import wait_until

FILE = "token"
TOKEN = "kept-in-a-file"  # noqa: S105 (a token of the test)

MARKUP = "<img src=x onerror=\"document.title='owned'\"><b>&amp;</b>"

ROW = "#rows tr:nth-child({})"

NUMBERS = {"rows": 5, "dead letters": 6, "partitions": 7, "restarts": 8}
"""Columns of the table."""


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebChild]:
    """A web child with a token, of a fleet in every state."""
    states = ("running", "standby", "starting", "stopping", "stopped", "paused")
    jobs = [a_job(f"job-{state}", state) for state in states]
    jobs.append(a_job("orders", "backoff", reason="cannot connect: refused", retry_in=75.0))
    jobs.append(a_job("zebra", "blocked", reason="no table zebra", dead_letters=12, lag=90000.0))
    (tmp_path / FILE).write_text(TOKEN, encoding="utf-8")
    (tmp_path / FILE).chmod(0o600)
    with web_child(tmp_path, jobs, web_token_file=FILE) as made:
        yield made


def cell(job: int, column: str) -> str:
    """The selector of a cell, by the job's place and the column."""
    return f"{ROW.format(job)} > :nth-child({NUMBERS[column]})"


def names(page: Browser) -> list[str]:
    """The jobs that are shown, from top to bottom."""
    found: list[str] = page.run(
        "return [...document.querySelectorAll('#rows tr:not([hidden]) .title')].map(each => each.textContent)"
    )
    return found


def look_behind(page: Browser, selector: str, text: str) -> None:
    """Click something and wait for what it opens."""
    page.click(selector)
    page.wait_text("#panel", text)
    page.click("#panel-close")


def test_a_real_fleet_is_shown(page: Browser, tmp_path: Path, source: Database, target: Database) -> None:
    """Jobs appear with their rows; a killed one shows its restart, a bad event its dead letter."""
    orders = Orders(source, target)
    with fleet(tmp_path) as jobs:
        orders.write_job(jobs)
        jobs.write_job("sleepy")
        jobs.start()
        jobs.wait_all()
        page.open(f"http://{wait_until(lambda: jobs.status()['web'], 'the web child listens')}/")
        page.wait_text("#chips", "2 running")
        assert names(page) == ["orders", "sleepy"]
        assert page.text("#pulse") == "live"
        orders.insert(1500)
        page.wait_text(cell(1, "rows"), "1,500")
        page.wait_text(cell(1, "partitions"), "3")
        os.kill(jobs.job("orders")["pid"], signal.SIGKILL)
        page.wait_text(cell(1, "restarts"), "1")
        page.wait_text(f"{ROW.format(1)} .error", "ago: killed by SIGKILL")
        source.execute("insert into orders values (0, null, 'no day')")
        orders.queue.tick()
        page.wait_text(cell(1, "dead letters"), "1")
        look_behind(page, f"{cell(1, 'dead letters')} a", "its partition value is NULL")
        look_behind(page, f"{ROW.format(1)} .title", "1 dead letter")
        assert page.text(cell(2, "restarts")) == "0"
        # Without a token file there are no buttons.
        assert page.run(
            "return [...document.querySelectorAll('button')].filter(each => each.checkVisibility())"
            ".map(each => each.className)"
        ) == ["chip"]
        jobs.write_job("late", behave="setup")
        assert jobs.run("reload").returncode == 0
        page.wait_text("#chips", "1 blocked")
        assert names(page)[0] == "late"
        page.wait_text(f"{ROW.format(1)} .reason", "no table orders and no part_template")
        jobs.stop()
        page.wait_text("#trouble", "cannot reach tdsup: the connection is lost. Trying again.")
        assert page.text("#pulse").startswith("as of ")
    refused = "net::ERR_CONNECTION_REFUSED"
    assert [line for line in page.complaints() if refused not in line and "503" not in line] == []


def test_actions_reach_the_master(page: Browser, tmp_path: Path) -> None:
    """With the token a button pauses a job."""
    (tmp_path / FILE).write_text(TOKEN, encoding="utf-8")
    (tmp_path / FILE).chmod(0o600)
    with fleet(tmp_path / "fleet", web_token_file=str(tmp_path / FILE)) as jobs:
        jobs.write_job("orders")
        jobs.start()
        jobs.wait_all()
        page.open(f"http://{wait_until(lambda: jobs.status()['web'], 'the web child listens')}/")
        page.wait_text("#unlock", "Unlock")
        page.type("#token", TOKEN)
        page.click("#unlock button")
        page.wait_text("#rows", "Actions")
        page.click(f"{ROW.format(1)} button")
        page.click("[data-verb=pause]")
        page.click("#ask-yes")
        page.wait_text("#ask-what", "pause orders: done")
        page.wait_text("#chips", "1 paused")
        assert jobs.job("orders")["state"] == "paused"
        page.click("#ask-no")
        assert "web: 127.0.0.1 asks: pause orders\n" in jobs.log("tdsup-web")
        assert TOKEN not in jobs.log("tdsup-web") + jobs.log()


def test_what_fails_comes_first(page: Browser, web: WebChild) -> None:
    """With its reason and a countdown to the next try; states have words and shapes."""
    page.open(f"{web.url}/")
    page.wait_text("#rows", "orders")
    assert names(page)[:3] == ["zebra", "orders", "job-stopping"]
    assert page.text(f"{ROW.format(1)} .word") == "blocked"
    assert page.text(f"{ROW.format(1)} td:nth-child(4) .value") == "1d 1h"
    page.wait_text(f"{ROW.format(2)} .reason", "retry in 1m 14s: cannot connect: refused")
    shapes = page.run("return [...document.querySelectorAll('#rows .shape')].map(each => each.innerHTML)")
    assert len(set(shapes)) == 8
    told = "8 jobs, 1 blocked, 1 backoff, 1 stopping, 1 starting, 1 running, 1 standby, 1 paused, 1 stopped"
    assert page.run("return document.querySelector('#summary').textContent") == told
    assert page.run("return document.title").startswith("(2) ")
    assert page.complaints() == []


def test_jobs_are_found(page: Browser, web: WebChild) -> None:
    """By part of their name or reason, and by state."""
    page.open(f"{web.url}/")
    page.wait_text("#rows", "orders")
    page.type("#search", "REFUSED")
    assert names(page) == ["orders"]
    page.type("#search", "nothing")
    assert (names(page), page.text("#nothing")) == ([], "No job matches.")
    page.type("#search", "j")
    page.click(".chip[data-state=standby]")
    page.click(".chip[data-state=paused]")
    assert names(page) == ["job-standby", "job-paused"]
    page.click(".chip[data-state=paused]")
    assert names(page) == ["job-standby"]


def test_what_the_fleet_says_is_never_code(page: Browser, web: WebChild) -> None:
    """Markup in names, reasons, errors and states stays text, also in the dialog and in an answer."""
    text = {"reason": MARKUP, "last_error": f"{MARKUP}!", "last_error_age": 1.0, "file": MARKUP}
    web.master.jobs = [a_job(MARKUP, "blocked", **text), a_job("odd", f'"{MARKUP}')]
    web.master.replies["restart"] = {"ok": False, "error": {"code": "failed", "message": MARKUP}}
    page.open(f"{web.url}/")
    page.wait_text("#rows", MARKUP)
    blocked = names(page).index(MARKUP) + 1
    assert page.text(f"{ROW.format(blocked)} .reason") == MARKUP
    assert page.text(f"{ROW.format(blocked)} .error").endswith(f"ago: {MARKUP}!")
    page.type("#token", TOKEN)
    page.click("#unlock button")
    page.wait_text("#rows", "Actions")
    page.click(f"{ROW.format(blocked)} button")
    assert page.text("#ask-title") == MARKUP
    page.click("[data-verb=restart]")
    assert page.text("#ask-what") == f"Really restart {MARKUP}?"
    page.click("#ask-yes")
    page.wait_text("#ask-what", MARKUP)
    assert page.run("return document.querySelectorAll('main img, main b, dialog img, dialog b').length") == 0
    assert page.run("return document.title").startswith("(1) ")
    assert web.master.requests == [{"cmd": "restart", "args": {"jobs": [MARKUP]}}]


def test_the_token_is_needed_and_not_kept(page: Browser, web: WebChild) -> None:
    """A wrong one is refused at once; a right one lasts as long as the tab, and can be removed."""
    page.open(f"{web.url}/")
    page.wait_text("#unlock", "Unlock")
    page.type("#token", "wrong")
    page.click("#unlock button")
    page.wait_text("#refused", "the token is missing or wrong")
    page.type("#token", TOKEN)
    page.click("#unlock button")
    page.wait_text("#rows", "Actions")
    page.open(f"{web.url}/")
    page.wait_text("#rows", "Actions")
    assert page.run("return [document.cookie, localStorage.length, location.href]") == ["", 0, f"{web.url}/"]
    page.click("#lock")
    assert page.run("return sessionStorage.length") == 0
    assert "Actions" not in page.text("#rows")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1024, 1380])
def test_it_fits_every_screen(page: Browser, web: WebChild, tmp_path: Path, width: int, scheme: str) -> None:
    """Nothing scrolls sideways, even with a long name or error without a space."""
    long = "x" * 200
    web.master.jobs.append(a_job(long, "backoff", reason=long, last_error=long * 2, retry_in=1.0))
    page.resize(width, 800)
    page.prefer(scheme)
    page.open(f"{web.url}/")
    page.wait_text("#rows", long)
    page.shot(tmp_path / "page.png")
    assert page.run("return document.documentElement.scrollWidth") <= width
    ground = page.run("return getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(16, 21, 28)") == (scheme == "dark")


def test_every_word_can_be_read(page: Browser, web: WebChild) -> None:
    """Contrast of at least 4.5 to 1 (WCAG AA) between each text and what is behind it, light and dark."""
    page.open(f"{web.url}/")
    page.wait_text("#rows", "orders")
    for scheme in ("light", "dark"):
        page.prefer(scheme)
        assert page.run(CONTRAST) == []


def test_it_recovers_by_itself(page: Browser, web: WebChild, tmp_path: Path) -> None:
    """The page says that the master is away and keeps what it knew; later it follows without a reload."""
    page.open(f"{web.url}/")
    page.wait_text("#rows", "orders")
    path = tmp_path / "tdsup.sock"
    path.rename(path.with_name("away"))
    page.wait_text("#trouble", "cannot reach the master: No such file or directory. Trying again.")
    assert "orders" in names(page)
    web.master.jobs = [a_job("new")]
    path.with_name("away").rename(path)
    page.wait_text("#chips", "1 running")
    wait_until(lambda: names(page) == ["new"], "only the new job is shown")
    assert (page.text("#trouble"), page.text("#pulse")) == ("", "live")


def test_the_past_is_drawn(page: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a line that continues by itself, with gaps where no answer came, and in words for screen readers."""
    hasty = "from tdsup.supervisor.web import history; history.STEP = 0.5\n"
    monkeypatch.setattr(harness, "CHILD", hasty + harness.CHILD)
    line, spark = f"{ROW.format(1)} td:nth-child(4) .line", f"{ROW.format(1)} td:nth-child(4) svg"

    def runs() -> list[int]:
        path = page.run("return document.querySelector(arguments[0]).getAttribute('d')", line)
        return [run.count("L") + 1 for run in path.split("M")[1:]]

    with web_child(tmp_path, [a_job("orders", lag=90.0)]) as web:
        page.open(f"{web.url}/")
        page.wait_text("#rows", "orders")
        wait_until(lambda: runs()[0] > 4, "a line is drawn")
        path = tmp_path / "tdsup.sock"
        path.rename(path.with_name("away"))
        page.wait_text("#trouble", "cannot reach the master")
        path.with_name("away").rename(path)
        wait_until(lambda: len(runs()) == 2 and runs()[1] > 2, "the line goes on after a gap")
        label = page.run("return document.querySelector(arguments[0]).getAttribute('aria-label')", spark)
        assert label == "Lag in the last 15 minutes: at most 1m 30s"


CONTRAST = """
const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
  .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
function ground(node) {
  for (; node; node = node.parentElement) {
    const colour = numbers(getComputedStyle(node).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
}
const faults = [];
for (const node of document.querySelectorAll("body *")) {
  const own = [...node.childNodes].some(each => each.nodeType === 3 && each.data.trim());
  if (!own || !node.checkVisibility() || node.closest(".unseen")) continue;
  const [a, b] = [light(numbers(getComputedStyle(node).color)), light(ground(node))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < 4.5) faults.push(`${node.className || node.id || node.tagName}: ${ratio.toFixed(2)}`);
}
return faults;
"""
"""A script that returns the elements with text that is hard to read."""
