"""kill -9 of the master."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

from harness.programs.fleet import Fleet, fleet
from harness.waiting import wait_until

BEHAVIOURS = "work long_call standby retry stubborn deaf slow_end crash".split()
"""What the jobs do when their master dies, one of each."""

LATEST = 1.0
"""A master killed during its start dies within this many seconds of it."""


def run(directory: Path, times: int, within: float = 1.0) -> str:
    """`within` seconds after kill -9 of the master no process is left, whatever jobs and web child do.

    Every other master is killed at a random moment of its start, while it forks.
    """
    took = []
    chance = random.Random(1)  # noqa: S311 (repeatable moments)
    with fleet(directory) as a_fleet:
        for behave in BEHAVIOURS:
            a_fleet.write_job(behave, behave=behave)
        for number in range(times):
            master = a_fleet.launch()
            if number % 2:
                time.sleep(chance.uniform(0, LATEST))
            else:
                _wait_settled(a_fleet)
            os.kill(master.pid, signal.SIGKILL)
            begun = time.monotonic()
            master.wait()
            wait_until(lambda: not a_fleet.processes(), "no process is left")
            took.append(time.monotonic() - begun)
            assert took[-1] < within, f"death {number}: {took[-1]:.2f} s until no process was left"
        assert "the master is dead" in a_fleet.log("work")
    median = sorted(took)[times // 2]
    return f"{times} deaths: no process left after {median:.2f} s (median), {max(took):.2f} s (max)"


def _wait_settled(a_fleet: Fleet) -> None:
    wait_until(a_fleet.answers, "the master answers")
    for behave in ("work", "long_call", "stubborn", "deaf", "slow_end"):
        a_fleet.wait_for(behave, state="running")
    wait_until(lambda: a_fleet.status()["web"], "the web child listens")
    assert len(a_fleet.children()) >= len(BEHAVIOURS)
