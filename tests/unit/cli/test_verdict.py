"""What `tdsup status --check` says."""

from __future__ import annotations

from typing import Any

import pytest
from tdsup.supervisor.cli.asking.verdict import Verdict, judge


def a_job(
    name: str, state: str = "running", lag: float | None = 0.0, works: int | None = 1, **faults: object
) -> dict[str, Any]:
    """One job of the answer."""
    job = {"name": name, "state": state, "lag": lag, "works": works}
    return {**job, "trouble": "", "held_up": 0, **faults}


@pytest.mark.parametrize(
    ("jobs", "lag", "verdict", "text"),
    [
        ([], None, Verdict.OK, "no jobs"),
        (
            [a_job("a"), a_job("b", "paused"), a_job("c", "stopped"), a_job("d", "standby", None)],
            9.0,
            Verdict.OK,
            "4 jobs: 1 standby, 1 running, 1 paused, 1 stopped",
        ),
        ([a_job("a", "backoff")], None, Verdict.WARNING, "1 job: 1 backoff; backoff: a"),
        (
            [a_job("a", "backoff"), a_job("b", "blocked")],
            None,
            Verdict.CRITICAL,
            "2 jobs: 1 blocked, 1 backoff; blocked: b; backoff: a",
        ),
        ([a_job("a", lag=60.1)], 60.0, Verdict.CRITICAL, "1 job: 1 running; lag over 1m0s: a"),
        ([a_job("a", lag=60.1)], None, Verdict.OK, "1 job: 1 running"),
        (
            [a_job("a", "standby", works=0), a_job("b", works=None)],
            None,
            Verdict.WARNING,
            "2 jobs: 1 standby, 1 running; nobody works: a",
        ),
        ([a_job("a", held_up=1)], None, Verdict.WARNING, "1 job: 1 running; held up: a"),
        ([a_job("a", trouble="no tick")], None, Verdict.CRITICAL, "1 job: 1 running; in trouble: a"),
    ],
)
def test_the_worst_job_counts(
    jobs: list[dict[str, Any]], lag: float | None, verdict: Verdict, text: str
) -> None:
    """Jobs at fault are named; what a person wanted so is well."""
    assert judge({"jobs": jobs}, lag) == (verdict, text)


def test_only_some_jobs_are_named() -> None:
    """The line stays short in a large fleet."""
    jobs = [a_job(f"job{number}", "blocked") for number in range(9)]
    _verdict, text = judge({"jobs": jobs}, None)
    assert text == "9 jobs: 9 blocked; blocked: job0, job1, job2, job3, job4 and 4 more"


def test_a_verdict_is_one_line() -> None:
    """Whatever there is to tell, and whoever has written it."""
    assert Verdict.CRITICAL.line("a\nb\x1b[1m") == "tdsup CRITICAL: a b\\x1b[1m"
