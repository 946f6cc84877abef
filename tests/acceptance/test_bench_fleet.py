"""The benchmarks of a fleet's cost and of latency measure what they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def measured(program: str, *arguments: str) -> list[list[str]]:
    """Cells of the last table that a benchmark prints, without its headings."""
    command = [sys.executable, "-m", f"bench.{program}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=170, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    table = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    last = max(number for number, line in enumerate(table) if not line[2].isdigit())
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[last + 1 :]]


def test_both_fleets_consume_and_are_measured() -> None:
    """One job of ours and one of the original's: each loads its event, and the table shows their ratio.

    The benchmark itself checks that the rows arrive, and that there are as many processes as jobs.
    """
    ours, original, ratio = measured("fleet", "--quick", "--jobs", "1", "--seconds", "1")
    assert [row[:2] for row in (ours, original, ratio)] == [
        ["1", "tdsup"],
        ["1", "original, supervisord"],
        ["1", "ratio"],
    ]
    for cells in (ours, original):
        job_pss, pss, cpu, job_cpu, source_cpu, connections, seconds, start_cpu = map(float, cells[2:])
        assert 1 < job_pss < pss < 500
        # A job of ours sleeps for longer than is measured here.
        assert 0 <= job_cpu < cpu < 1000
        assert source_cpu >= 0
        assert connections > 0
        assert seconds > 0
        assert start_cpu > 0
    assert float(ratio[2]) == pytest.approx(float(ours[2]) / float(original[2]), abs=0.02)


def test_latency_is_that_of_the_tick_and_the_rest() -> None:
    """Each event's parts add up to its total, so its percentiles stay near the sums of the parts'."""
    rows = measured("latency", "--quick", "--seconds", "2")
    assert [row[1:3] for row in rows] == [["100", "100"], ["100", "20"]]
    for row in rows:
        total, total_late, tick, tick_late, rest, rest_late, allowed = map(float, row[3:10])
        assert 0 < tick <= tick_late <= total_late <= tick_late + rest_late + 100
        assert 0 < rest <= rest_late <= total_late
        assert total <= total_late
        assert allowed == float(row[2]) + 50
        assert row[10] == ("reached" if rest_late <= allowed else "**missed**")
