"""A job that crashes again and again."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from harness.measure.vitals import vitals
from harness.programs.fleet import Fleet, fleet
from harness.waiting import PATIENCE, POLL, wait_until

LOOK = 0.1
"""Seconds between two looks at the fleet."""

QUIET = 30
"""How often the fleet is looked at before the job crashes."""

SLOWEST = 1.0
"""Seconds that one restart may take on a slow machine."""

GROWTH = 1024
"""KiB by which the master may grow after the first tenth of the restarts."""

LATER = 0.5
"""Seconds by which the other job's reports may be late, because the crashing one uses the processor."""


def run(directory: Path, times: int) -> str:
    """Many restarts of one job leave the master as it was, and another job does not notice.

    The master has the same descriptors and metric series, no zombies and no more memory. The other job keeps
    its process and its lag.
    """
    with fleet(directory, backoff_first=0.001, backoff_limit=0.001) as a_fleet:
        a_fleet.write_job("steady")
        a_fleet.write_job("crasher")
        a_fleet.start()
        a_fleet.wait_all()
        steady = a_fleet.job("steady")["pid"]
        wait_until(lambda: a_fleet.get("/metrics"), "the web child serves")
        quiet = Watch(a_fleet)
        for _ in range(QUIET):
            quiet.look()
        series, descriptors = _series(a_fleet), _least_descriptors(a_fleet.pid)
        crash, told = _crash(a_fleet, times)
        # Gauges of a job without a process are not shown.
        assert _series(a_fleet) <= series, _series(a_fleet) - series
        a_fleet.write_job("crasher")
        a_fleet.run("reload")
        a_fleet.wait_all()
        wait_until(lambda: _series(a_fleet) == series, "the metric series are those of before")
        # A connection that was just closed takes the master a moment to notice.
        wait_until(lambda: _least_descriptors(a_fleet.pid) == descriptors, f"{descriptors} descriptors again")
        assert vitals(a_fleet.pid).zombies == 0
        job = a_fleet.job("steady")
        assert (job["pid"], job["restarts"]) == (steady, 0)
        a_fleet.stop()
    assert crash.lag() < quiet.lag() + LATER
    return (
        f"{told}, {descriptors} descriptors before and after, {len(series)} series, "
        f"the other job's lag {crash.lag():.3f} s, before {quiet.lag():.3f} s (medians)"
    )


def _crash(a_fleet: Fleet, times: int) -> tuple[Watch, str]:
    """Let one job crash that often; returns what was seen, and a summary."""
    crash = Watch(a_fleet)
    a_fleet.write_job("crasher", behave="crash")
    assert "changed: crasher\n" in a_fleet.run("reload").stdout
    begun = time.monotonic()
    resident = []
    for tenth in range(1, 11):
        crash.until(times * tenth // 10)
        resident.append(vitals(a_fleet.pid).resident)
    rate = crash.restarts / (time.monotonic() - begun)
    assert crash.zombies <= 1
    assert resident[-1] - resident[0] <= GROWTH, f"the master grew: {resident} KiB"
    return crash, (
        f"{crash.restarts} restarts ({rate:.0f}/s): zombies at most {crash.zombies} and 0 after, "
        f"master {resident} KiB after each tenth"
    )


class Watch:
    """Watches the fleet.

    Attributes:
        restarts: of the crashing job.
        zombies: the most the master had at once.
    """

    def __init__(self, a_fleet: Fleet) -> None:
        self._fleet = a_fleet
        self._lags: list[float] = []
        self.restarts = 0
        self.zombies = 0

    def look(self) -> None:
        """Look once."""
        status = self._fleet.status()
        jobs = {job["name"]: job for job in status["jobs"]}
        self._lags.append(jobs["steady"]["lag"])
        self.restarts = jobs["crasher"]["restarts"]
        self.zombies = max(self.zombies, vitals(status["master"]["pid"]).zombies)
        time.sleep(LOOK)

    def until(self, restarts: int) -> None:
        """Look until there have been that many restarts."""
        end = time.monotonic() + PATIENCE + restarts * SLOWEST
        while self.restarts < restarts:
            self.look()
            assert time.monotonic() < end, f"only {self.restarts} restarts"

    def lag(self) -> float:
        """Median lag of the other job, in seconds."""
        return statistics.median(self._lags)


def _series(a_fleet: Fleet) -> set[str]:
    """The series that /metrics shows, without values."""
    lines = a_fleet.get("/metrics").splitlines()
    return {line.rpartition(" ")[0] for line in lines if not line.startswith("#")}


def _least_descriptors(pid: int) -> int:
    """How many descriptors are open all the time."""
    found = []
    for _ in range(10):
        found.append(vitals(pid).descriptors)
        time.sleep(POLL)
    return min(found)
