"""Whether a process has to wait before it works for a consumer, by what the consumer's row says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tdsup.dispatcher.ledger.entry import Entry, Wait, why_wait

ME = "me"

FREE = Entry(
    epoch=3,
    owner=None,
    host=None,
    target_pid=None,
    source_pid=None,
    source_start=None,
    next_try_in=None,
    paused=None,
    blocked=None,
    source_cluster=None,
    source_database=None,
    counters={},
    row_mode=None,
    lives=False,
    waits_since="",
    is_visible=False,
    state=2,
)
"""The row of a consumer that nobody owns."""

RESTING = replace(FREE, owner="other", host="there")

WORKING = replace(RESTING, target_pid=7, lives=True, is_visible=True)

AFTER = 10.0
"""Seconds that an owner without sessions has."""


def wait(entry: Entry, news_for: float = 0.0) -> Wait | None:
    """What a process is told that looks at a row."""
    return why_wait(entry, ME, news_for=news_for, takeover_after=AFTER)


@pytest.mark.parametrize(
    ("changes", "news_for"),
    [
        ({"owner": None}, 0),
        ({"owner": ME}, 0),
        ({"owner": ME, "target_pid": 7, "lives": True}, 0),
        ({"target_pid": 7, "lives": False}, 0),
        ({}, AFTER),
        ({"next_try_in": -AFTER}, 0),
    ],
)
def test_it_may_work(changes: dict[str, Any], news_for: float) -> None:
    """Nobody owns the consumer, it does so itself, the owner's session is gone, or the owner is late."""
    assert wait(replace(RESTING, **changes), news_for) is None


RESTS = "host there, which has no connection at this moment"

WORKS = "host there, backend 7 of the target"


@pytest.mark.parametrize(
    ("entry", "news_for", "reason"),
    [
        (RESTING, 0, RESTS),
        (RESTING, AFTER - 0.1, RESTS),
        (replace(RESTING, next_try_in=30.0), 0, RESTS),
        (replace(RESTING, next_try_in=30.0), AFTER, RESTS),
        (replace(RESTING, next_try_in=0.1 - AFTER), AFTER, RESTS),
        (WORKING, 0, WORKS),
        (WORKING, AFTER, WORKS),
    ],
)
def test_it_waits(entry: Entry, news_for: float, reason: str) -> None:
    """While the owner lives, or is not late: by its own time if it named one, else by the first news."""
    found = wait(entry, news_for)
    assert found is not None
    assert replace(found, late_in=None) == Wait(reason)
    assert found.of("c") == f"consumer c works elsewhere: {reason}"


@pytest.mark.parametrize(
    ("entry", "news_for", "late_in"),
    [
        (RESTING, 0, None),
        (RESTING, 4, AFTER - 4),
        (replace(RESTING, next_try_in=30.0), 4, AFTER + 30),
        (replace(RESTING, next_try_in=-4.0), 0, AFTER - 4),
        (WORKING, 4, None),
    ],
)
def test_it_is_told_how_long_it_waits(entry: Entry, news_for: float, late_in: float | None) -> None:
    """Until the owner is late, where time alone makes it so."""
    found = wait(entry, news_for)
    assert found is not None
    assert found.late_in == late_in


def test_a_pause_comes_first() -> None:
    """Then what blocks the job; both are told as they were written, whoever owns the consumer."""
    blocked = replace(WORKING, blocked="no such table")
    assert wait(blocked) == Wait("no such table", blocked=True)
    assert wait(replace(blocked, paused="paused there")) == Wait("paused there", paused=True)


def test_a_frozen_owner_is_told_and_not_judged() -> None:
    """The reason says since when it has only waited for its client, and what a person can do."""
    found = wait(replace(WORKING, waits_since="noon"), AFTER)
    assert found is not None
    assert found.reason.startswith(WORKS + ", which has only waited for its client since noon; ")
    assert "tdsup takeover" in found.reason


def test_what_cannot_be_seen_is_not_read_as_frozen() -> None:
    """The reason names the grant that is missing."""
    found = wait(replace(WORKING, is_visible=False, waits_since="noon"))
    assert found is not None
    assert "grant pg_read_all_stats" in found.reason
    assert "noon" not in found.reason


entries = st.builds(
    replace,
    st.just(FREE),
    owner=st.sampled_from([None, ME, "other"]),
    target_pid=st.none() | st.integers(1, 9),
    next_try_in=st.none() | st.floats(-100, 100),
    paused=st.none() | st.just("paused"),
    blocked=st.none() | st.just("blocked"),
    lives=st.booleans(),
    waits_since=st.sampled_from(["", "noon"]),
    is_visible=st.booleans(),
)


@given(entries, st.floats(0, 100))
def test_nobody_is_displaced_who_lives_or_is_on_time(entry: Entry, news_for: float) -> None:
    """A consumer is taken only if nobody holds it, and its owner is this process, dead, or late."""
    is_late = (news_for if entry.next_try_in is None else -entry.next_try_in) >= AFTER
    is_gone = not entry.lives if entry.target_pid is not None else is_late
    may_work = entry.paused is None and entry.blocked is None and (entry.owner in {None, ME} or is_gone)
    assert (wait(entry, news_for) is None) == may_work


@given(entries, st.floats(0, 100), st.floats(0, 100))
def test_news_only_ever_shortens_the_wait(entry: Entry, earlier: float, longer: float) -> None:
    """Who may work now may still work later, if the row stays as it is."""
    if wait(entry, earlier) is None:
        assert wait(entry, earlier + longer) is None
