"""The numbers of one job over all its processes."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
from tdsup.jobtype import Metric
from tdsup.supervisor.jobs.tally import Tally


def a_tally() -> Tally:
    """A tally with one metric of each kind."""
    tally = Tally()
    metrics = [
        Metric("events", "counter", ""),
        Metric("depth", "gauge", ""),
        Metric("lag", "age", ""),
        Metric("rows", "counter", "", ("operation", "outcome")),
        Metric("sizes", "histogram", "", (), (1, 10)),
    ]
    tally.describe(metrics, {"queue": "q"})
    return tally


@given(st.lists(st.lists(st.integers(0, 100), max_size=5), max_size=6))
def test_a_counter_never_falls(lives: list[list[int]]) -> None:
    """Whatever each process counts before it is killed, the total is the sum and only grows."""
    tally, last, total = a_tally(), 0.0, 0
    for life in lives:
        count = 0
        for step in life:
            count += step
            tally.update({"events": count}, 0)
            value = tally.value("events", 0)
            assert value is not None
            assert value >= last
            last = value
        tally.fold(0)
        total += count
    assert (tally.value("events", 0) or 0) == total


def test_a_gauge_ends_with_its_process_and_an_age_goes_on() -> None:
    """A dead worker has no depth, but its lag grows."""
    tally = a_tally()
    tally.update({"depth": 3, "lag": 100.0}, 101)
    assert (tally.value("depth", 105), tally.value("lag", 105)) == (3, 5)
    tally.fold(0)
    assert (tally.value("depth", 200), tally.value("lag", 200)) == (None, 100)


def test_an_age_may_be_none_while_the_process_lives() -> None:
    """It is 0 then, without further reports, and begins with the last sign of life of a process that dies."""
    tally = a_tally()
    tally.update({"lag": None}, 10)
    assert tally.value("lag", 50) == 0
    tally.fold(40)
    assert tally.value("lag", 50) == 10
    tally.update({"lag": 45.0}, 50)
    assert tally.value("lag", 50) == 5


def test_the_rate_is_that_of_the_last_seconds() -> None:
    """Steady counting shows its rate, silence fades to 0, and a long idle time does not dilute a burst."""
    tally = a_tally()
    for moment in range(20):
        tally.update({"events": moment * 100}, moment)
    assert tally.events_per_second(19) == 100
    assert 0 < tally.events_per_second(22) < 100
    assert tally.events_per_second(30) == 0
    tally.update({"events": 1900 + 50}, 1000)
    assert tally.events_per_second(1000) == 10


def test_a_restart_is_no_burst() -> None:
    """Counters that begin again at 0 do not count as new events."""
    tally = a_tally()
    for moment in range(10):
        tally.update({"events": moment * 10}, moment)
    tally.fold(0)
    tally.update({"events": 0}, 10)
    assert tally.events_per_second(10) <= 10


def test_memory_is_bounded() -> None:
    """A thousand reports a second leave a few points, not thousands."""
    tally = a_tally()
    for number in range(20000):
        tally.update({"events": number}, number / 1000)
    assert len(tally._rated) < 30  # noqa: SLF001 (the claim is about the inside)
    assert 900 < tally.events_per_second(19.999) < 1100


def test_nonsense_is_left_out() -> None:
    """What is no finite number or was not described does not get in."""
    tally = a_tally()
    tally.update({"events": "many", "depth": math.nan, "other": 3}, 0)
    tally.update({"rows": {"insert,row": "x"}, "sizes": {"counts": 7}}, 0)
    assert all(tally.series(name, 0) == {} for name in tally.metrics)


def test_series_are_counted_apart_and_shown_together() -> None:
    """Each label's number goes on over processes, also where the next one does not have it; so do buckets."""
    tally = a_tally()
    tally.update({"rows": {"insert,row": 3, "update,row": 1}, "sizes": {"sum": 9.5, "counts": [1, 0, 2]}}, 0)
    tally.fold(0)
    tally.update({"rows": {"insert,row": 2}, "sizes": {"sum": 1, "counts": [0, 1, 0]}}, 1)
    assert tally.series("rows", 1) == {"insert,row": 5, "update,row": 1}
    assert tally.value("rows", 1) == 6
    assert tally.series("sizes", 1) == {"sum": 10.5, "0": 1, "1": 1, "2": 2}


def test_a_total_counts_nothing_twice_and_loses_nothing() -> None:
    """What a killed process did and did not report, and what it did report, is in the next one's total."""
    tally = a_tally()
    tally.update({"events": 10, "rows": {"insert,row": 10}}, 0, frozenset({"events", "rows"}))
    tally.fold(0)
    assert tally.value("events", 1) == 10
    tally.update({"events": 13, "rows": {"insert,row": 13}}, 1, frozenset({"events", "rows"}))
    assert (tally.value("events", 1), tally.value("rows", 1)) == (13, 13)


@given(st.lists(st.lists(st.tuples(st.integers(0, 100), st.booleans()), max_size=5), max_size=6))
def test_a_total_never_falls(lives: list[list[tuple[int, bool]]]) -> None:
    """Nor if processes count since their own beginning for a while, or a restored target knows less."""
    tally, last = a_tally(), 0.0
    for life in lives:
        names: frozenset[str] = frozenset()
        count = 0
        for number, total in life:
            names = frozenset({"events"}) if total else names
            count = number if names else count + number
            tally.update({"events": count}, 0, names)
            value = tally.value("events", 0)
            assert value is not None
            assert value >= last
            last = value
        tally.fold(0)


def test_what_was_done_before_the_master_began_is_no_burst() -> None:
    """The first total may be huge; the rate is that of what comes after it."""
    tally = a_tally()
    tally.update({"events": 0}, 0)
    tally.update({"events": 10**9}, 1, frozenset({"events"}))
    assert tally.events_per_second(1) == 0
    tally.update({"events": 10**9 + 20}, 3, frozenset({"events"}))
    assert tally.events_per_second(3) == 10


def test_gauges_can_be_told_by_others() -> None:
    """They end with the process as its own do; counters and what is not described are not taken."""
    tally = Tally()
    tally.describe([Metric("age", "gauge", "How old."), Metric("events", "counter", "How many.")], {})
    tally.note({"age": 5.0, "events": 7, "strange": 1, "nan": float("nan")})
    assert tally.value("age", 0) == 5
    assert tally.value("events", 0) is None
    tally.update({"events": 1}, 1)
    assert tally.value("age", 1) == 5
    tally.fold(2)
    assert tally.value("age", 2) is None


def test_what_a_watcher_has_told_is_forgotten_with_it() -> None:
    """Of an age that a job tells too, the older counts, as long as somebody keeps it up to date."""
    tally = Tally()
    tally.describe([Metric("lag", "age", "Lag.")], {})
    tally.update({"lag": 95.0}, 100)
    tally.note({"lag": 70.0})
    assert tally.value("lag", 100) == 30
    tally.forget_noted()
    assert tally.value("lag", 100) == 5
    tally.update({"lag": None}, 101)
    tally.note({"lag": 90.0})
    assert tally.value("lag", 102) == 12
    tally.note({"lag": None})
    assert tally.value("lag", 102) == 0
