"""When PgQ is asked, and when a watcher's word is enough."""

from __future__ import annotations

import time
from typing import Any, cast

import pytest
from harness.rows.job import settings_of
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tdsup.dispatcher.pgq.batch import Batch
from tdsup.dispatcher.pgq.bulletin import news_of, tick_of
from tdsup.dispatcher.pgq.lookout import ASK_ANYWAY, Lookout

KEYS = {"src_db": "dbname=a", "dst_db": "dbname=b", "dest_table": "t", "loop_delay": 1}


class Clock:
    """Time that passes only when a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of all lookouts of a test."""
    return Clock(monkeypatch)


class Host:
    """Tells what a test says."""

    def __init__(self, news: int | None) -> None:
        self.told = news

    def news(self, what: str) -> int | None:
        """The newest tick, or None."""
        assert what == "source"
        return self.told


def a_lookout(host: Host, **keys: Any) -> Lookout:
    """The lookout of a job."""
    return Lookout(settings_of(**{**KEYS, "pgq_queue_name": "q", **keys}), cast("Any", host))


@pytest.mark.usefixtures("clock")
def test_without_a_watcher_pgq_is_asked_each_time() -> None:
    """At the pace of loop_delay."""
    mine = a_lookout(Host(None))
    for _ in range(3):
        assert not mine.is_quiet()
        mine.asked(None)
        assert mine.rest() == 1


def test_pgq_is_asked_once_for_each_tick(clock: Clock) -> None:
    """Until it has nothing more; the rest is as long as may be."""
    host = Host(5)
    mine = a_lookout(host)
    for tick in (5, 6, 9):
        host.told = news_of(tick)
        assert not mine.is_quiet()
        mine.asked(Batch(1, 3, 2, 0.0, 0.0))
        assert not mine.is_quiet()
        mine.asked(None)
        assert mine.is_quiet()
        assert mine.rest() == ASK_ANYWAY
        clock.now += 1


@pytest.mark.usefixtures("clock")
def test_a_batch_that_ends_with_the_newest_tick_is_the_last_one() -> None:
    """There is no need to ask whether there are more."""
    mine = a_lookout(Host(news_of(5, 3)))
    mine.is_quiet()
    mine.asked(Batch(1, 5, 2, 0.0, 0.0))
    assert mine.is_quiet()


@pytest.mark.usefixtures("clock")
def test_a_tick_that_is_told_while_pgq_is_asked_is_not_missed() -> None:
    """What was told before the question counts as read, and nothing else."""
    host = Host(5)
    mine = a_lookout(host)
    mine.is_quiet()
    host.told = 6
    mine.asked(None)
    assert not mine.is_quiet()


@pytest.mark.usefixtures("clock")
def test_a_queue_that_is_made_anew_begins_again() -> None:
    """Its ticks have lower numbers."""
    host = Host(500)
    mine = a_lookout(host)
    mine.is_quiet()
    mine.asked(None)
    host.told = 1
    assert not mine.is_quiet()


def test_a_watcher_that_begins_changes_nothing_yet(clock: Clock) -> None:
    """What it tells first is compared with what was read before; without it, the job looks for itself."""
    host = Host(5)
    mine = a_lookout(host)
    mine.is_quiet()
    mine.asked(None)
    host.told = 0
    assert mine.is_quiet()
    host.told = 5
    assert mine.is_quiet()
    host.told = None
    assert not mine.is_quiet()
    clock.now += 1
    assert mine.rest() == 1


def test_pgq_is_asked_now_and_then_anyway(clock: Clock) -> None:
    """Somebody may have set the consumer back."""
    mine = a_lookout(Host(5))
    mine.is_quiet()
    mine.asked(None)
    clock.now += ASK_ANYWAY - 1
    assert mine.is_quiet()
    assert mine.rest() == 1
    clock.now += 1
    assert not mine.is_quiet()


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("keys", [{"pgq_keep_lag": "1 min"}, {"pgq_batch_collect_events": 5}])
def test_with_settings_that_hold_events_back_pgq_is_asked(keys: dict[str, Any]) -> None:
    """It may hand them out though there is no new tick, unless all ticks are read."""
    mine = a_lookout(Host(news_of(5)), **keys)
    for tick in (None, 4, None):
        mine.is_quiet()
        mine.asked(None if tick is None else Batch(1, tick, tick - 1, 0.0, 0.0))
        assert not mine.is_quiet()
        assert mine.rest() == 1
    mine.asked(Batch(2, 5, 4, 0.0, 0.0))
    assert mine.is_quiet()
    assert mine.rest() == ASK_ANYWAY


class Steps(RuleBasedStateMachine):
    """Ticks, what is told of them, watchers that come and go, and a job that asks PgQ or sleeps."""

    def __init__(self) -> None:
        super().__init__()
        self.host = Host(None)
        self.lookout = a_lookout(self.host)
        self.newest = self.read = 1
        self.asking: int | None = None

    @rule()
    def tick(self) -> None:
        """PgQ makes a tick."""
        self.newest += 1

    @rule()
    def tell(self) -> None:
        """The watcher has looked, and the job has heard."""
        if self.host.told is not None:
            self.host.told = news_of(self.newest)

    @rule()
    def begin(self) -> None:
        """A watcher looks from now on: at first it tells nothing, then all."""
        self.host.told = 0

    @rule()
    def end(self) -> None:
        """The watcher is gone."""
        self.host.told = None

    @precondition(lambda self: self.asking is None)
    @rule()
    def look(self) -> None:
        """The job looks; if it is not quiet, PgQ sees the newest tick of this moment."""
        if not self.lookout.is_quiet():
            self.asking = self.newest

    @precondition(lambda self: self.asking is not None)
    @rule(ticks=st.integers(1, 3))
    def answer(self, ticks: int) -> None:
        """PgQ answers: with a batch, or with nothing, by what it saw."""
        assert self.asking is not None
        batch = None
        if self.read < self.asking:
            self.read = min(self.read + ticks, self.asking)
            batch = Batch(1, self.read, self.read - 1, 0.0, 0.0)
        self.lookout.asked(batch)
        self.asking = None

    @precondition(lambda self: self.asking is None)
    @invariant()
    def nothing_that_was_told_is_left(self) -> None:
        """A job that sleeps has read all that it was told of, or polls."""
        if self.host.told and self.lookout.is_quiet():
            assert self.read >= tick_of(self.host.told)


TestSteps = Steps.TestCase
