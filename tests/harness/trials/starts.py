"""Many ``tdsup start`` at the same moment."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from harness.programs.fleet import Fleet, fleet
from harness.waiting import PATIENCE, wait_until

CONTENDERS = 20
"""Starts of one round."""

REFUSED = re.compile(r"cannot start the fleet: another master( \(pid \d+\))? already runs here\n")


def run(directory: Path, times: int) -> str:
    """Of 20 simultaneous starts exactly one makes a master, whose log says so once; the others are refused.

    Every other round ends with kill -9 of the master, so that the next one meets what it left behind.
    """
    with fleet(directory) as a_fleet:
        a_fleet.write_job("orders")
        for number in range(1, times + 1):
            _race(a_fleet)
            assert a_fleet.log().count(" runs 1 jobs (pid ") == number
            if number % 2:
                a_fleet.stop()
            else:
                a_fleet.kill_master()
            wait_until(lambda: not a_fleet.processes(), "all is gone")
    return f"{times} x {CONTENDERS} simultaneous starts: one master each time"


def _race(a_fleet: Fleet) -> None:
    starts = [
        subprocess.Popen(
            a_fleet.command("start", "-d"), env=a_fleet.environment(), stderr=subprocess.PIPE, text=True
        )
        for _ in range(CONTENDERS)
    ]
    said = sorted(start.communicate(timeout=5 * PATIENCE)[1] for start in starts)
    assert sorted(start.returncode for start in starts) == [0, *[1] * (CONTENDERS - 1)], said
    assert said[0] == ""
    assert all(REFUSED.fullmatch(line) for line in said[1:]), said
    a_fleet.wait_for("orders", state="running")
    masters = [pid for pid in a_fleet.processes() if _title(pid).startswith("tdsup: master")]
    assert masters == [a_fleet.pid]


def _title(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
