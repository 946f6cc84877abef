"""What the status page shows where, in a real headless Chromium."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.pictures import __main__ as pictures
from harness.pictures.fleets import NEVER_RAN, fleet_of
from harness.programs.web import WebChild, a_job, web_child
from harness.servers.browser import Browser
from harness.waiting import wait_until

DASH = "\N{EN DASH}"

MARKUP = "<img src=x onerror=\"document.title='owned'\">"

LETTER = {
    "id": 7,
    "died": "2026-01-31 09:14:07+00",
    "type": "I",
    "table": MARKUP,
    "sqlstate": "22P02",
    "reason": f"odd {MARKUP}",
}

ROW = "[...document.querySelectorAll('#rows tr')].find(row => row.querySelector('.title').innerText === '{}')"

SHOWN = "[...{}.querySelectorAll('.spark')].map(each => each.checkVisibility())"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebChild]:
    """A web child of a fleet of which one job has dead letters and a log, and one never ran."""
    (tmp_path / "log").mkdir()
    (tmp_path / "log/orders.log").write_text("more\n" * 150 + f"last {MARKUP}\n", encoding="utf-8")
    (tmp_path / "conf.d").mkdir()
    for name, line in (("orders", json.dumps(LETTER)), ("bad", "bad")):
        (tmp_path / f"conf.d/{name}.ini").write_text(f"[sleeper]\nline = {line}\n", encoding="utf-8")
    jobs = [
        a_job("orders", dead_letters_kept=1208, dead_letters=5000),
        a_job("bad", dead_letters_kept=3, log=None),
        a_job("clicks"),
        a_job("zebra", "blocked", reason="no table zebra", **NEVER_RAN),
    ]
    with web_child(tmp_path, jobs) as made:
        yield made


def opened(page: Browser, web: WebChild, width: int = 1380) -> None:
    """Show the page of a fleet."""
    page.resize(width, 900)
    page.open(f"{web.url}/")
    page.wait_text("#rows", web.master.jobs[-1]["name"])


def of_row(page: Browser, name: str, what: str) -> Any:
    """Something about the row of a job, in JavaScript."""
    return page.run("return " + what.format(ROW.format(name)))


def test_the_title_names_host_and_directory(page: Browser, web: WebChild) -> None:
    """So that the tabs of several fleets differ; the number of jobs that fail is in front."""
    place = f"{socket.gethostname()}:{web.directory}"
    opened(page, web)
    assert page.run("return document.title") == f"(1) {place} {DASH} tdsup"
    assert page.text("#place") == place
    web.master.jobs = web.master.jobs[:3]
    wait_until(lambda: page.run("return document.title") == f"{place} {DASH} tdsup", "no job fails")


def test_what_never_ran_has_no_graph(page: Browser, web: WebChild) -> None:
    """Nor a rate of 0, as if somebody had measured it; a job that runs has both, even if nothing happens."""
    web.master.jobs.append(a_job("idle", events_per_second=0.0, events=0, lag=0.0))
    opened(page, web)
    assert of_row(page, "zebra", SHOWN) == [False, False]
    values = "[...{}.querySelectorAll('.value')].map(each => each.innerText)"
    assert of_row(page, "zebra", values) == [DASH, DASH]
    assert of_row(page, "idle", SHOWN) == [True, True]
    assert of_row(page, "idle", values) == ["0", "0.0s"]


@pytest.mark.parametrize("width", [1024, 1380, 1600])
def test_columns_follow_their_content(page: Browser, web: WebChild, width: int) -> None:
    """Each cell is below its heading and holds its content, names need one line, reasons span the others."""
    web.master.jobs = fleet_of(60, broken=True)
    opened(page, web, width)
    assert page.run(FAULTS) == []
    column = "return document.querySelector('#jobs thead th').offsetWidth"
    wide = page.run(column)
    web.master.jobs = fleet_of(3, broken=False)
    page.wait_text("#chips", "3 running")
    wait_until(lambda: page.run(column) < wide, "the names are short")
    assert page.run(FAULTS) == []


FAULTS = """
const faults = [];
const heads = [...document.querySelectorAll('#jobs thead th')].filter(each => each.checkVisibility());
for (const row of document.querySelectorAll('#rows tr')) {
  const cells = [...row.children].filter(each => each.checkVisibility() && !each.matches('.why'));
  if (cells.length !== heads.length) faults.push('not as many cells as headings');
  cells.forEach((cell, index) => {
    const [own, head] = [cell, heads[index]].map(each => each.getBoundingClientRect());
    if (Math.abs(own.left - head.left) + Math.abs(own.right - head.right) > 1) faults.push(cell.className);
    if (cell.scrollWidth > cell.clientWidth + 1) faults.push(`${cell.className} is too narrow`);
  });
  if (row.querySelector('.title').clientHeight > 30) faults.push('a name has two lines');
  const why = row.querySelector('.why');
  const half = row.clientWidth / 2;
  if (why.checkVisibility() && why.clientWidth < half) faults.push('a reason is narrow');
}
return faults;
"""
"""A script that returns what is wrong with the columns."""


def test_of_jobs_that_run_those_that_fare_badly_are_first(page: Browser, web: WebChild) -> None:
    """After those that do not run; the others follow by name."""
    web.master.jobs += [a_job("held", held_up=1, reason="a lock"), a_job("late", trouble="no tick")]
    opened(page, web)
    titles = "return [...document.querySelectorAll('#rows .title')].map(each => each.innerText)"
    assert page.run(titles) == ["zebra", "held", "late", "bad", "clicks", "orders"]


def test_dead_letters_lead_to_their_list(page: Browser, web: WebChild) -> None:
    """With reasons and commands, as text; a count of 0 or of nobody knows how many leads nowhere."""
    opened(page, web)
    page.run(f"{ROW.format('orders')}.querySelector('.bad a').click()")
    page.wait_text("#panel", f"odd {MARKUP}")
    assert page.text("#panel-title") == "orders: dead letters"
    cells = "return [...document.querySelectorAll('#panel tbody td')].map(each => each.innerText)"
    assert page.run(cells) == ["7", "2026-01-31 09:14:07+00", MARKUP, "I", "22P02", f"odd {MARKUP}"]
    command = f"tdsup -C {web.directory} dead-letters orders"
    assert page.text("#panel pre") == f"{command} show 7\n{command} replay\n{command} purge --all"
    page.click("#panel-close")
    page.run(f"{ROW.format('bad')}.querySelector('.bad a').click()")
    page.wait_text("#panel", "cannot list bad: it is bad")
    assert page.run("return document.querySelectorAll('#panel img').length") == 0
    links = "[...{}.querySelectorAll('.number a[href]')].map(each => each.innerText)"
    assert [of_row(page, name, links) for name in ("orders", "bad", "clicks", "zebra")] == [
        ["1,208"],
        ["3"],
        [],
        [],
    ]


def test_a_job_leads_to_the_end_of_its_log(page: Browser, web: WebChild) -> None:
    """Scrolled to the last line, as text; what cannot be shown says why."""
    opened(page, web)
    page.run(f"{ROW.format('orders')}.querySelector('.title').click()")
    page.wait_text("#panel pre", f"last {MARKUP}")
    assert page.text("#panel-title") == "orders: the end of its log"
    content = "document.querySelector('#panel-content')"
    rest = f"return {content}.scrollHeight - {content}.clientHeight - {content}.scrollTop"
    assert page.run(f"return {content}.scrollTop") > 100
    assert page.run(rest) < 2
    page.click("#panel-close")
    page.run(f"{ROW.format('bad')}.querySelector('.title').click()")
    page.wait_text("#panel", "cannot show the log of bad: its file is broken")
    assert page.run("return document.querySelectorAll('#panel img').length") == 0
    assert "owned" not in page.run("return document.title")


def test_since_start_stands_where_it_is_meant(page: Browser, web: WebChild) -> None:
    """At restarts alone: rows and partitions are counted in all, and dead letters are those of now."""
    opened(page, web)
    heads = page.run("return [...document.querySelectorAll('thead th')].map(each => each.innerText)")
    assert [head.split("\n") for head in heads if "start" in head] == [["Restarts", "since start"]]
    labels = page.run("return [...document.querySelectorAll('#rows td')].map(each => each.dataset.label)")
    assert {label for label in labels if "start" in label} == {"Restarts since start"}


def test_on_a_phone_a_healthy_job_is_one_line(page: Browser, web: WebChild) -> None:
    """With name, lag and rate; whatever a person has to look at is a card that says all."""
    web.master.jobs = fleet_of(60, broken=True)
    web.master.jobs.append(a_job("standing.by", "standby", reason="db1 works for it", lag=None, events=0))
    web.master.jobs.append(a_job("advised", reason="cannot make tdsup.consumer: no right"))
    opened(page, web, 390)
    height = "{}.offsetHeight"
    for job in web.master.jobs:
        troubled = job["state"] not in {"running", "standby"} or job["dead_letters_kept"]
        troubled = troubled or (job["state"] == "running" and job["reason"])
        assert (of_row(page, job["name"], height) > 41) == bool(troubled), job["name"]
    assert of_row(page, "orders", "{}.innerText").split() == ["orders", "running", "0", "0.4s"]
    fits = "{0}.querySelector('.title').scrollWidth <= {0}.querySelector('.title').clientWidth"
    web.master.jobs.append(a_job("customers.address_changes_99"))
    page.wait_text("#rows", "customers.address_changes_99")
    assert of_row(page, "customers.address_changes_99", fits)
    assert page.run("return document.documentElement.scrollWidth") <= 390


def test_the_pictures_are_made_again(
    chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the page and of `status`, one for each size, colour and fleet."""
    del chromium
    monkeypatch.setattr(pictures, "SIZES", {"phone": (390, 844)})
    monkeypatch.setattr(pictures, "NUMBERS", (5,))
    assert pictures.main([str(tmp_path / "made")]) == 0
    names = {path.name for path in (tmp_path / "made").iterdir() if path.stat().st_size > 100}
    assert names == {
        *(f"page-phone-{scheme}-5-{mood}.png" for scheme in ("light", "dark") for mood in ("well", "broken")),
        *(f"panel-phone-{scheme}-{what}.png" for scheme in ("light", "dark") for what in ("log", "letters")),
        *(f"status-{width}-5-{mood}.txt" for width in (80, 200) for mood in ("well", "broken")),
    }
