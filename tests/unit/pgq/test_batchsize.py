"""How many events are taken as one batch."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from tdsup.dispatcher.pgq.batchsize import GROWTH, LOSS, SIGNIFICANT, BatchSizer

LIMIT = 200_000


def sizes(sizer: BatchSizer, batches: int, rate: float = 10_000, behind: int = 10**6) -> list[int]:
    """Take batches as large as PgQ would give; returns the minimum that was asked for each time."""
    asked = []
    for _ in range(batches):
        asked.append(sizer.min_events)
        events = max(500, 2 * sizer.min_events)
        sizer.learn(events, events / rate, behind)
    return asked


def test_caught_up_a_tick_is_taken_as_it_comes() -> None:
    """Latency comes first."""
    sizer = BatchSizer(LIMIT)
    assert sizer.min_events == 0
    for _ in range(3):
        sizer.learn(500, 0.01, 0)
        assert sizer.min_events == 0


def test_behind_batches_grow_up_to_the_limit() -> None:
    """PgQ takes up to twice what is asked for, so half the limit is asked for."""
    sizer = BatchSizer(LIMIT)
    assert sizes(sizer, 7) == [0, 1_000, 4_000, 16_000, 64_000, LIMIT // 2, LIMIT // 2]


def test_no_more_is_asked_for_than_there_is() -> None:
    """Otherwise PgQ would give nothing."""
    sizer = BatchSizer(LIMIT)
    sizes(sizer, 6)
    sizer.learn(LIMIT, 1, 301)
    assert sizer.min_events == 151
    sizer.learn(301, 0.1, 1)
    assert sizer.min_events == 1


def test_sizes_start_over_once_all_is_read() -> None:
    """Whether PgQ says so or the lag does."""
    sizer = BatchSizer(LIMIT)
    sizes(sizer, 4)
    sizer.learn(5000, 0.1, 0)
    assert sizer.min_events == 0
    sizes(sizer, 4)
    sizer.caught_up()
    assert sizer.min_events == 0


def test_growth_that_does_not_pay_is_taken_back() -> None:
    """Where larger batches go slower than smaller ones, they stay small until all is read."""
    sizer = BatchSizer(LIMIT)
    sizer.learn(SIGNIFICANT, SIGNIFICANT / 10_000, 10**6)
    sizer.learn(4 * SIGNIFICANT, 4 * SIGNIFICANT / (0.9 * LOSS * 10_000), 10**6)
    assert sizes(sizer, 3) == [SIGNIFICANT // 2] * 3
    sizer.caught_up()
    assert sizes(sizer, 3) == [0, 1_000, 4_000]


def test_a_small_batch_may_be_slow() -> None:
    """Perhaps it created a partition; that says nothing against large ones."""
    sizer = BatchSizer(LIMIT)
    sizer.learn(500, 0.01, 10**6)
    sizer.learn(2_000, 1, 10**6)
    assert sizes(sizer, 3) == [4_000, 16_000, 64_000]


def test_batches_without_events_tell_nothing() -> None:
    """Their rate of 0 is not a loss; what was learned before still holds."""
    sizer = BatchSizer(LIMIT)
    sizes(sizer, 3)
    before = sizer.min_events
    sizer.learn(0, 0.001, 10**6)
    assert sizer.min_events == before


def test_a_limit_of_zero_never_merges() -> None:
    """However far behind the consumer is."""
    assert sizes(BatchSizer(0), 5) == [0] * 5


@given(
    st.integers(0, 10**6),
    st.lists(st.tuples(st.integers(0, 10**6), st.floats(1e-6, 1e6), st.integers(0, 10**7)), max_size=20),
)
@example(1000, [(20_000, 1.0, 10**6), (30_000, 100.0, 10**6)])
def test_it_stays_within_bounds(limit: int, batches: list[tuple[int, float, int]]) -> None:
    """Never more than the limit, what there is, or GROWTH times the largest batch."""
    sizer = BatchSizer(limit)
    most = 0
    for events, seconds, behind in batches:
        sizer.learn(events, seconds, behind)
        most = GROWTH * max(most, events)
        assert 0 <= 2 * sizer.min_events <= min(limit, behind, most) + 1
