"""When PgQ is asked, and when the board is enough."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, cast

import pytest
from harness.rows.job import settings_of
from tdsup.dispatcher.pgq.batch import Batch
from tdsup.dispatcher.pgq.lookout import ASK_ANYWAY, QUIET, SPREAD, Lookout
from tdsup.supervisor.worker.board import Board

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


class FakeQueue:
    """Queues whose newest ticks a test sets; it counts how often it is asked."""

    def __init__(self) -> None:
        self.ticks = {"q": 10, "r": 20}
        self.questions = 0

    def newest_ticks(self) -> Mapping[str, int]:
        """As PgQ would say."""
        self.questions += 1
        return dict(self.ticks)


def a_lookout(queues: FakeQueue, board: Board | None, **keys: Any) -> Lookout:
    """The lookout of a job."""
    return Lookout(cast("Any", queues), settings_of(**{**KEYS, "pgq_queue_name": "q", **keys}), board)


def test_one_consumer_asks_for_all(clock: Clock) -> None:
    """The others of the same database find the answer on the board until loop_delay has passed."""
    queues, board = FakeQueue(), Board()
    lookouts = [a_lookout(queues, board, pgq_queue_name=queue) for queue in ("q", "r", "q")]
    clock.now += QUIET
    for each in lookouts:
        assert not each.is_quiet()
        each.asked(None)
    queues.questions = 0
    for _ in range(5):
        clock.now += 1
        assert [each.is_quiet() for each in lookouts] == [True] * 3
    assert queues.questions == 5


def test_a_new_tick_is_noticed_by_its_consumer_alone(clock: Clock) -> None:
    """Once PgQ has nothing for it, it is quiet again."""
    queues, board = FakeQueue(), Board()
    mine, other = a_lookout(queues, board), a_lookout(queues, board, pgq_queue_name="r")
    clock.now += QUIET
    for each in (mine, other):
        each.is_quiet()
        each.asked(None)
    clock.now += 1
    queues.ticks["q"] = 11
    assert (mine.is_quiet(), other.is_quiet()) == (False, True)
    mine.asked(None)
    assert mine.is_quiet()


def test_a_busy_consumer_asks_each_time(clock: Clock) -> None:
    """It does so for some seconds after events, and rests for exactly loop_delay."""
    queues, board = FakeQueue(), Board()
    mine = a_lookout(queues, board)
    clock.now += QUIET
    mine.asked(Batch(1, 12, 11, 0.0, 0.0))
    mine.read_events()
    for _ in range(int(QUIET)):
        assert not mine.is_quiet()
        assert mine.rest() == 1
        mine.asked(None)
        clock.now += 1
    assert queues.questions == 0
    assert mine.is_quiet()


def test_pgq_is_asked_now_and_then_anyway(clock: Clock) -> None:
    """Somebody may have set the consumer back."""
    mine = a_lookout(FakeQueue(), Board())
    clock.now += QUIET
    assert not mine.is_quiet()
    mine.asked(None)
    clock.now += ASK_ANYWAY - 1
    assert mine.is_quiet()
    clock.now += 1
    assert not mine.is_quiet()


@pytest.mark.parametrize(
    "keys", [{"pgq_keep_lag": "1 min"}, {"pgq_batch_collect_events": 5}, {"loop_delay": 0}]
)
def test_with_settings_that_hold_events_back_pgq_is_asked(clock: Clock, keys: dict[str, Any]) -> None:
    """And so it is without a board."""
    for board in (Board(), None):
        queues = FakeQueue()
        mine = a_lookout(queues, board, **(keys if board else {}))
        clock.now += QUIET
        mine.asked(None)
        assert not mine.is_quiet()
        assert queues.questions == 0


def test_a_queue_without_a_tick_is_pgq_s_to_explain(clock: Clock) -> None:
    """Most likely it was dropped."""
    queues = FakeQueue()
    del queues.ticks["q"]
    mine = a_lookout(queues, Board())
    clock.now += QUIET
    for _ in range(3):
        assert not mine.is_quiet()
        mine.asked(None)
        clock.now += 1


def test_the_next_look_is_soon_after_what_is_known_grows_old(clock: Clock) -> None:
    """No later than loop_delay and a quarter after the last look, whoever looked."""
    queues, board = FakeQueue(), Board()
    first, second = a_lookout(queues, board), a_lookout(queues, board)
    clock.now += QUIET
    first.is_quiet()
    clock.now += 0.9
    second.is_quiet()
    assert 0.1 <= second.rest() + 1e-9 <= 0.1 + SPREAD
