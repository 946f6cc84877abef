"""The boards for Grafana: each panel shows something of a real fleet that a real Prometheus watches."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.paths import ROOT
from harness.programs.fleet import fleet
from harness.rows.orders import Orders
from harness.servers.database import Database
from harness.servers.prometheus import Prometheus, prometheus
from harness.waiting import PATIENCE, wait_until

FOLDER = ROOT / "deploy" / "grafana"

VARIABLES = {"$__rate_interval": "10s", "$instance": ".*", "$job": ".*", "[1h]": "[10s]", "[1d]": "[10s]"}
"""Of Grafana, and what a test can wait for."""


@pytest.fixture
def watched(tmp_path: Path, source: Database, target: Database) -> Iterator[Prometheus]:
    """A Prometheus that has watched a fleet at work for a while, with a dead letter and a restart."""
    orders = Orders(source, target)
    with fleet(tmp_path / "fleet") as jobs:
        orders.write_job(jobs)
        jobs.start()
        jobs.wait_all()
        orders.insert(100)
        orders.wait_loaded()
        address = wait_until(lambda: jobs.status()["web"], "the web child listens")
        with prometheus(tmp_path, address) as server:
            wait_until(lambda: server.query("rate(tdsup_job_rows_total[10s])"), "some scrapes are stored")
            yield server


def filled_in(query: str) -> str:
    """A query with values in place of Grafana's variables."""
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    return query


def test_boards_are_those_of_their_tables() -> None:
    """Nobody has edited the files alone."""
    done = subprocess.run(
        [sys.executable, FOLDER / "boards.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_panel_shows_something(watched: Prometheus) -> None:
    """No query is faulty, and none asks for series that nobody has."""
    boards = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]
    assert [board["title"] for board in boards] == ["tdsup: fleet", "tdsup: job", "tdsup: partitions"]
    queries = {
        f"{board['title']}, {panel['title']}": target["expr"]
        for board in boards
        for panel in board["panels"]
        for target in panel["targets"]
    }

    def silent() -> list[str]:
        found = []
        for where, query in queries.items():
            if not watched.has(filled_in(query)):
                found.append(where)
        return found

    wait_until(lambda: not silent(), f"all panels show something but {silent()}", PATIENCE)
