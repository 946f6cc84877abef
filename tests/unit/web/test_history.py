"""The points behind the status page's sparklines."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tdsup.supervisor.web.history import LENGTH, STEP, History


def a_job(
    name: str = "orders", events: float = 0, rate: float = 0, lag: float | None = 1.0
) -> dict[str, Any]:
    """What `status` says of a job, as far as the history reads it."""
    return {"name": name, "events": events, "events_per_second": rate, "lag": lag}


def test_a_rate_is_that_of_the_whole_step() -> None:
    """Of the counter between two points; only the first point has to take the job's word."""
    history = History()
    history.record([a_job(events=1000, rate=7)], 100)
    history.record([a_job(events=1500, rate=0, lag=None)], 110)
    assert history.describe() == {
        "step": STEP,
        "end": 11,
        "jobs": {"orders": {"events_per_second": [7.0, 50.0], "lag": [1.0, None]}},
    }


def test_a_step_has_one_point() -> None:
    """However often somebody looks."""
    history = History()
    for moment in (100, 103, 109.9, 110, 119.9):
        history.record([a_job()], moment)
    assert len(history.describe()["jobs"]["orders"]["lag"]) == 2


def test_a_quarter_of_an_hour_is_kept() -> None:
    """The oldest points go."""
    history = History()
    for number in range(LENGTH + 5):
        history.record([a_job(lag=number)], number * STEP)
    lags = history.describe()["jobs"]["orders"]["lag"]
    assert lags == list(range(5, LENGTH + 5))


@pytest.mark.parametrize(("steps", "gaps"), [(1, 0), (2, 1), (4, 3), (1000, LENGTH - 1)])
def test_steps_without_an_answer_are_gaps(steps: int, gaps: int) -> None:
    """The time axis stays true, and the rate is that of the whole gap; memory stays bounded."""
    history = History()
    history.record([a_job(events=0)], 0)
    history.record([a_job(events=1000)], steps * STEP)
    job = history.describe()["jobs"]["orders"]
    before = [] if gaps == LENGTH - 1 else [1.0]
    assert job["lag"] == [*before, *[None] * gaps, 1.0]
    assert job["events_per_second"][-1] == round(1000 / (steps * STEP), 1)


def test_jobs_come_and_go() -> None:
    """One that vanished is forgotten, a new one begins later; one that came back starts over."""
    history = History()
    history.record([a_job("a"), a_job("b", events=100)], 0)
    history.record([a_job("a")], 10)
    history.record([a_job("a"), a_job("b", events=5, rate=0.5)], 20)
    jobs = history.describe()["jobs"]
    assert [len(jobs[name]["lag"]) for name in "ab"] == [3, 1]
    assert jobs["b"]["events_per_second"] == [0.5]


def test_a_counter_that_starts_over_is_no_negative_rate() -> None:
    """A job can be removed and added again within one step."""
    history = History()
    history.record([a_job(events=100)], 0)
    history.record([a_job(events=3)], 10)
    assert history.describe()["jobs"]["orders"]["events_per_second"] == [0.0, 0.0]


@given(
    moments=st.lists(st.floats(0, 5000), min_size=1, max_size=200).map(sorted),
    after=st.none() | st.integers(0, 600),
)
def test_what_is_left_out_is_what_is_known(moments: list[float], after: int | None) -> None:
    """Points up to `after` and points after it are all points, unless that step has not been yet."""
    history = History()
    for moment in moments:
        history.record([a_job(lag=moment)], moment)
    whole = history.describe()
    part = history.describe(after)
    lags, wanted = whole["jobs"]["orders"]["lag"], part["jobs"]["orders"]["lag"]
    if after is None or after > whole["end"]:
        assert wanted == lags
    else:
        assert wanted == lags[max(0, len(lags) - (whole["end"] - after)) :]


@given(st.floats(0, 1e9))
def test_the_next_step_is_awaited(now: float) -> None:
    """Never longer than a step, and never not at all."""
    assert 0 < History.wait(now) <= STEP


def test_nothing_is_something() -> None:
    """Before the first answer, and without jobs."""
    history = History()
    assert history.describe(5) == {"step": STEP, "end": None, "jobs": {}}
    history.record([], 10)
    assert history.describe() == {"step": STEP, "end": 1, "jobs": {}}
