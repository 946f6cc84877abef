"""The benchmark of throughput measures what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def table(output: str, first: str) -> list[dict[str, str]]:
    """Rows of the table whose header starts with `first`, by column."""
    header, *lines = output[output.index(first) :].split("\n\n")[0].splitlines()
    columns, *rows = (re.split(" {2,}", line) for line in (header, *lines))
    return [dict(zip(columns, row, strict=True)) for row in rows]


def test_the_benchmark_of_throughput_measures() -> None:
    """Two contestants work off a small queue, and tables show them and the figures to reach.

    The benchmark itself checks that every row arrives.
    """
    arguments = "--case 500 --events 2000 --rounds 2 --contestant limit --contestant tdsup".split()
    command = [sys.executable, "-m", "bench.throughput", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr

    limit, ours = table(done.stdout, "case  contestant")
    assert (limit["contestant"], ours["contestant"]) == ("limit", "tdsup")
    for row in (limit, ours):
        assert row["case"] == "500"
        assert row["events"] == "2,000"
        slowest, rate, fastest = (float(row[name].replace(",", "")) for name in ("min", "events/s", "max"))
        assert 0 < slowest <= rate <= fastest
        assert float(row["worker CPU"]) > 0
        assert 10 < float(row["peak RSS"]) < 200
    assert limit["of limit"] == "1.00"
    assert ours["of limit"] == limit["tdsup times"] != "1.00"

    figures = table(done.stdout, "case  figure")
    assert {row["figure"] for row in figures} > {"events/s, times limit", "peak RSS, MB"}
    for row in figures:
        way, wanted = row["wanted"].split()[1:]
        measured = float(row["measured"])
        reached = measured >= float(wanted) if way == "least" else measured <= float(wanted)
        assert row["verdict"] == ("reached" if reached else "missed")
