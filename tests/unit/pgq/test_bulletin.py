"""What is told of queues, and when."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tdsup.dispatcher.pgq.bulletin import IDLE_RATE, IDLE_SHARE, TURNS, Bulletin, news_of, tick_of

PERIOD = 7200.0


@given(st.integers(1, 2**50), st.integers(0, 10_000))
def test_a_number_tells_its_tick(tick: int, turn: int) -> None:
    """Another turn is another number."""
    assert tick_of(news_of(tick, turn)) == tick
    assert news_of(tick, turn) != news_of(tick, turn + 1)
    assert news_of(tick, turn) == news_of(tick, turn + TURNS)


def test_a_tick_with_events_is_told_at_once() -> None:
    """And once; the first one that is seen may have some."""
    bulletin = Bulletin()
    assert not bulletin.saw("q", 5, 100, PERIOD)
    assert bulletin.due(0.0) == {"q": news_of(5)}
    assert bulletin.saw("q", 6, 101, PERIOD)
    assert bulletin.due(1.0) == {"q": news_of(6)}
    assert bulletin.due(2.0) == {}


def test_ticks_without_events_wait_for_their_turn() -> None:
    """It comes within a quarter of the rotation's period, and a few queues at a time."""
    bulletin = Bulletin()
    queues = [f"q{number}" for number in range(100)]
    for queue in queues:
        bulletin.saw(queue, 1, 0, PERIOD)
    assert len(bulletin.due(0.0)) == 100
    told: dict[str, float] = {}
    for second in range(1, int(PERIOD * IDLE_SHARE) + 30):
        if second % 60 == 0:
            for queue in queues:
                assert not bulletin.saw(queue, 1 + second // 60, 0, PERIOD)
        found = bulletin.due(float(second))
        assert len(found) <= IDLE_RATE + 1
        for queue in found:
            told.setdefault(queue, second)
    assert set(told) == set(queues)
    assert min(told.values()) >= PERIOD * IDLE_SHARE / 2
    assert max(told.values()) - min(told.values()) > PERIOD * IDLE_SHARE / 4


def test_what_is_untold_can_be_told_after_all() -> None:
    """It has events that the queue does not count; or a consumer was moved, and its tick is told again."""
    bulletin = Bulletin()
    bulletin.saw("q", 5, 100, PERIOD)
    bulletin.due(0.0)
    assert bulletin.untold() == {}
    bulletin.saw("q", 7, 100, PERIOD)
    assert bulletin.untold() == {"q": (5, 7)}
    bulletin.tell("q")
    assert bulletin.untold() == {}
    assert bulletin.due(1.0) == {"q": news_of(7)}
    bulletin.tell("q", again=True)
    assert bulletin.due(2.0) == {"q": news_of(7, 1)}
    bulletin.tell("r")


def test_a_queue_that_is_made_anew_is_told_at_once() -> None:
    """Its ticks have lower numbers."""
    bulletin = Bulletin()
    bulletin.saw("q", 500, 100, PERIOD)
    bulletin.due(0.0)
    bulletin.saw("q", 1, 100, PERIOD)
    assert bulletin.due(1.0) == {"q": news_of(1, 1)}
