"""A real Prometheus scrapes a real fleet."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.programs.fleet import Fleet, fleet
from harness.servers.prometheus import prometheus
from harness.waiting import PATIENCE, wait_until


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Fleet]:
    """A running fleet: two jobs work, one is blocked."""
    with fleet(tmp_path / "fleet") as made:
        made.write_job("orders", queue="sourceq")
        made.write_job("clicks")
        made.write_job("broken", behave="setup")
        made.start()
        made.wait_for("orders", state="running")
        made.wait_for("clicks", state="running")
        made.wait_for("broken", state="blocked")
        yield made


def test_the_fleet_is_a_healthy_target(jobs: Fleet, tmp_path: Path) -> None:
    """Its series can be queried, and its counters follow what happens."""
    address = wait_until(lambda: jobs.status()["web"], "the web child listens")
    with prometheus(tmp_path, address) as server:
        wait_until(lambda: [target["health"] for target in server.targets()] == ["up"], "the target is up")
        assert [target["lastError"] for target in server.targets()] == [""]
        up = wait_until(lambda: server.query("tdsup_job_up"), "a first scrape is stored")
        # Without a label of that name in the series, `job` would be the name of the scrape.
        assert up == {"orders": 1, "clicks": 1, "broken": 0}
        assert server.query('tdsup_job_state{state="blocked"} == 1') == {"broken": 1}
        assert server.query("tdsup_job_events_total > 0").keys() == {"orders", "clicks"}
        restarts = "sum by (job) (tdsup_job_restarts_total)"
        assert server.query(restarts)["orders"] == 0
        for count in (1, 2):
            jobs.kill_worker("orders")
            jobs.wait_for("orders", state="running", restarts=count)
        wait_until(lambda: server.query(restarts)["orders"] == 2, "the restarts are stored", 2 * PATIENCE)
        assert server.query(restarts)["clicks"] == 0


def test_promtool_finds_no_fault(jobs: Fleet) -> None:
    """In names, types, units and help texts."""
    text = jobs.get("/metrics", Accept="text/plain")
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
