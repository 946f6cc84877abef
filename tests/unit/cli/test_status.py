"""The table of `tdsup status`."""

from __future__ import annotations

from typing import Any

import pytest
from tdsup.supervisor.cli.status import duration, render


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0, "0.0s"),
        (9.94, "9.9s"),
        (59.9, "59s"),
        (60, "1m0s"),
        (3599, "59m59s"),
        (3600, "1h0m"),
        (86399, "23h59m"),
        (90000, "1d1h"),
    ],
)
def test_a_duration_is_two_units_at_most(seconds: float | None, text: str) -> None:
    """Short enough for a column, exact enough for a person."""
    assert duration(seconds) == text


def a_job(**values: Any) -> dict[str, Any]:
    """One job of the answer."""
    job = {
        "name": "orders",
        "state": "running",
        "pid": 12,
        "since": 61,
        "events_per_second": 1234.5,
        "lag": 0.4,
        "partitions": 7,
        "dead_letters": 2,
        "restarts": 0,
        "reason": "",
        "retry_in": None,
        "last_error": "",
        "last_error_age": None,
    }
    return job | values


def test_columns_are_aligned_and_reasons_are_one_line() -> None:
    """Words to the left, numbers to the right; a wait is told with its reason."""
    waiting = a_job(name="clicks", state="backoff", pid=None, lag=None, retry_in=2.5, reason="exit\nstatus")
    assert render({"jobs": [a_job(), waiting]}, 0).splitlines() == [
        "JOB     STATE    PID  SINCE  EVENTS/S  LAG   DEAD  PARTITIONS  RESTARTS  REASON",
        "orders  running   12  1m1s       1234  0.4s     2           7         0",
        "clicks  backoff    -  1m1s       1234  -        2           7         0  retry in 2.5s: exit status",
    ]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"last_error": "exit status 1", "last_error_age": 130}, "last error 2m10s ago: exit status 1"),
        (
            {"reason": "ok", "last_error": "no\nway", "last_error_age": 3},
            "ok; last error 3.0s ago: no way",
        ),
        ({"reason": "no way", "last_error": "no way", "last_error_age": 3}, "no way"),
    ],
)
def test_the_last_error_is_told_with_its_time(values: dict[str, Any], reason: str) -> None:
    """Once: not beside the same words as the reason."""
    assert render({"jobs": [a_job(**values)]}, 0).splitlines()[1].endswith(f"  {reason}")


def test_no_line_is_wider_than_the_terminal() -> None:
    """A long reason is cut, not wrapped."""
    lines = render({"jobs": [a_job(reason="x" * 200)]}, 80).splitlines()
    assert max(map(len, lines)) == 80
    assert lines[1].endswith("…")


def test_no_jobs_and_no_web_child_are_told() -> None:
    """An empty table would look like a fault of the program."""
    fault, watcher = "cannot serve http://x: Address already in use", "tdsup-watcher-1: no source"
    text = render({"jobs": [], "web_error": fault, "watchers": [watcher]}, 0)
    assert text.splitlines()[1:] == ["(no jobs)", f"web: {fault}", f"watcher: {watcher}"]


def test_what_is_left_is_told_whole() -> None:
    """Below the table, however narrow the terminal is: it says what to do."""
    lines = render({"jobs": [a_job()], "left": ["x" * 200]}, 80).splitlines()
    assert lines[-1] == "left: " + "x" * 200
