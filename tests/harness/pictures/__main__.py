"""Take pictures of the status page and write tables of `tdsup status`, into the folder that is given."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tdsup.supervisor.cli.asking.status import render

from harness.pictures.fleets import LETTERS, LOG, fleet_of, status_of
from harness.programs import web as programs
from harness.programs.fleetfiles import FleetFiles
from harness.programs.web import WebChild, web_child
from harness.servers.browser import Browser, browser

SIZES = {"wide": (1600, 1000), "1024": (1024, 768), "phone": (390, 844)}
"""Width and least height of the page, in pixels."""

SCHEMES = ("light", "dark")
NUMBERS = (5, 60)
MOODS = {"well": False, "broken": True}
COLUMNS = (80, 200)

PANELS = {"log": ".title", "letters": ".bad a"}
"""What opens each panel."""

PAST = "from harness.pictures.past import remember; remember()\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write all of them; returns the exit status."""
    parser = argparse.ArgumentParser(prog="harness.pictures", description=__doc__)
    parser.add_argument("folder", type=Path, help="where to; it is made")
    folder: Path = parser.parse_args(arguments).folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile, browser(Path(profile)) as page:
        for number in NUMBERS:
            for mood, broken in MOODS.items():
                jobs = fleet_of(number, broken=broken)
                _write_tables(jobs, folder, f"{number}-{mood}")
                with _web_child(jobs) as web:
                    _take_pages(page, web, folder, f"{number}-{mood}")
                    if broken and number == NUMBERS[0]:
                        _take_panels(page, web, folder)
    return 0


def _write_tables(jobs: Sequence[dict[str, Any]], folder: Path, what: str) -> None:
    """The table of `status` in each width."""
    for width in COLUMNS:
        path = folder / f"status-{width}-{what}.txt"
        path.write_text(render(status_of(jobs), width) + "\n", encoding="utf-8")


@contextmanager
def _web_child(jobs: Sequence[dict[str, Any]]) -> Iterator[WebChild]:
    """A web child whose graphs have a past, and whose jobs have logs and dead letters."""
    usual, programs.CHILD = programs.CHILD, PAST + programs.CHILD
    try:
        with tempfile.TemporaryDirectory() as name:
            files = FleetFiles(Path(name))
            (files.directory / "log").mkdir()
            for job in jobs:
                files.write_job(job["name"], line="\n  ".join(map(json.dumps, LETTERS)))
                log = files.directory / "log" / f"{job['name']}.log"
                log.write_text("\n".join(LOG) + "\n", encoding="utf-8")
            with web_child(files.directory, jobs) as web:
                yield web
    finally:
        programs.CHILD = usual


def _take_pages(page: Browser, web: WebChild, folder: Path, what: str) -> None:
    """The page in each size and colour, all of it."""
    for size, (width, height) in SIZES.items():
        for scheme in SCHEMES:
            _open(page, web, width, height, scheme)
            page.resize(width, max(height, page.run("return document.documentElement.scrollHeight")))
            page.shot(folder / f"page-{size}-{scheme}-{what}.png")


def _take_panels(page: Browser, web: WebChild, folder: Path) -> None:
    """What opens on the page, in each size and colour."""
    for size, (width, height) in SIZES.items():
        for scheme in SCHEMES:
            for what, selector in PANELS.items():
                _open(page, web, width, height, scheme)
                page.run(f"document.querySelector('#rows {selector}[href]').click()")
                page.wait_text("#panel-content", "dead")
                page.shot(folder / f"panel-{size}-{scheme}-{what}.png")


def _open(page: Browser, web: WebChild, width: int, height: int, scheme: str) -> None:
    page.resize(width, height)
    page.prefer(scheme)
    page.open(f"{web.url}/")
    page.wait_text("#rows", web.master.jobs[0]["name"])


if __name__ == "__main__":
    sys.exit(main())
