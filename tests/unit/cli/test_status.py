"""The table of `tdsup status`."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tdsup.jobtype import duration
from tdsup.supervisor.cli.asking.status import render


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
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
def test_a_duration_is_two_units_at_most(seconds: float, text: str) -> None:
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
        "dead_letters_kept": 2,
        "restarts": 0,
        "reason": "",
        "type": "table_dispatcher",
        "file": "conf.d/orders.ini",
        "retry_in": None,
        "last_error": "",
        "last_error_age": None,
        "trouble": "",
        "held_up": 0,
    }
    return job | values


def test_what_runs_and_fares_badly_comes_before_what_is_well() -> None:
    """The last line counts such jobs: it is read first."""
    jobs = [
        a_job(name="a"),
        a_job(name="b", trouble="no tick", lag=None, reason="no tick"),
        a_job(name="c", held_up=1, reason="has waited for a lock"),
        a_job(name="d", trouble="no tick", reason="no tick, and 9 events wait"),
    ]
    _heading, *lines = render({"jobs": jobs}).splitlines()
    assert [line[0] for line in lines[:4]] == ["d", "b", "c", "a"]
    assert lines[4] == "4 jobs: 4 running; 2 in trouble; 1 held up"


def test_a_job_is_one_line_where_there_is_no_terminal() -> None:
    """Words to the left, numbers to the right; a wait is told with its reason, for grep to find."""
    waiting = a_job(name="clicks", state="backoff", pid=None, lag=None, retry_in=2.5, reason="exit\nstatus")
    assert render({"jobs": [a_job(), waiting]}).splitlines() == [
        "JOB     STATE    PID  SINCE  EVENTS/S  LAG   DEAD  PARTITIONS  RESTARTS  REASON",
        "clicks  backoff    -  1m1s       1234  -        2           7         0  retry in 2.5s: exit status",
        "orders  running   12  1m1s       1234  0.4s     2           7         0",
        "2 jobs: 1 backoff, 1 running",
    ]


def test_a_reason_has_lines_of_its_own_on_a_terminal() -> None:
    """It is told whole, with what to do; the columns that matter least make room."""
    blocked = a_job(name="clicks", state="blocked", reason=" ".join(["word"] * 30))
    assert render({"jobs": [a_job(), blocked]}, 70).splitlines() == [
        "JOB     STATE    PID  SINCE  EVENTS/S  LAG   DEAD  RESTARTS",
        "clicks  blocked   12  1m1s       1234  0.4s     2         0",
        "    word word word word word word word word word word word word word",
        "    word word word word word word word word word word word word word",
        "    word word word word; tdsup check --connect conf.d/orders.ini tells",
        "    more; once it is mended: tdsup start-job clicks",
        "orders  running   12  1m1s       1234  0.4s     2         0",
        "2 jobs: 1 blocked, 1 running",
    ]


@pytest.mark.parametrize(
    ("values", "last"),
    [
        ({"type": None}, "no; mend the file, then: tdsup reload"),
        ({"reason": "Lost position: tdsup rewind orders"}, "Lost position: tdsup rewind orders"),
        ({"state": "backoff"}, "no"),
    ],
)
def test_a_blocked_job_says_what_to_do(values: dict[str, Any], last: str) -> None:
    """Unless its reason does."""
    job = a_job(**{"state": "blocked", "reason": "no", **values})
    assert render({"jobs": [job]}).splitlines()[1].endswith(f"  {last}")


def test_jobs_that_fail_come_first() -> None:
    """By how soon a person should look; of the same state, those with a reason; else by name."""
    states = ["running", "paused", "blocked", "stopped", "standby", "backoff", "starting", "stopping"]
    jobs = [a_job(name=f"{number}", state=state) for number, state in enumerate(states)]
    told = a_job(name="told", reason="no tick for 2m")
    lines = render({"jobs": [*jobs, told]}).splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == ["2", "5", "6", "7", "4", "told", "0", "1", "3"]


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
    assert render({"jobs": [a_job(**values)]}).splitlines()[1].endswith(f"  {reason}")


@given(st.integers(20, 220), st.lists(st.text("abc- ", max_size=300), max_size=6))
def test_no_line_is_wider_than_the_terminal(width: int, reasons: list[str]) -> None:
    """Whatever there is to tell; a name that is too long is cut."""
    jobs = [a_job(name=f"{reason[:60]}", reason=reason) for reason in reasons]
    assert max(map(len, render({"jobs": jobs}, width).splitlines()[:-1]), default=0) <= width


@given(st.integers(5, 40), st.integers(0, 60))
def test_the_text_fits_the_terminal(height: int, number: int) -> None:
    """What does not fit is counted by its states."""
    jobs = [a_job(name=f"job{n}", state="running", reason="why" * (n % 2)) for n in range(number)]
    lines = render({"jobs": jobs}, 80, height).splitlines()
    shown = sum(line.startswith("job") for line in lines)
    assert len(lines) <= height
    assert (f"not shown: {number - shown} running" in lines) == (shown < number)


def test_no_jobs_and_no_web_child_are_told() -> None:
    """An empty table would look like a fault of the program."""
    fault, watcher = "cannot serve http://x: Address already in use", "tdsup-watcher-1: no source"
    text = render({"jobs": [], "web_error": fault, "watchers": [watcher]})
    assert text.splitlines()[1:] == [f"web: {fault}", f"watcher: {watcher}", "no jobs"]


def test_what_is_left_is_told_whole() -> None:
    """Below the table, however narrow the terminal is: it says what to do."""
    lines = render({"jobs": [a_job()], "left": ["x" * 200]}, 80).splitlines()
    assert lines[-2] == "left: " + "x" * 200
