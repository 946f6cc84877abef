"""How much is taken as one batch."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from tdsup.dispatcher.pgq.batchsize import GROWTH, LOSS, TELLING, Merging

LIMIT = 200_000


def sizes(merging: Merging, batches: int, rate: float = 10_000, behind: int = 10**6) -> list[int]:
    """Asks for batches of about as many events as PgQ would give; returns what was asked for at least."""
    asked = []
    for _ in range(batches):
        asked.append(merging.least)
        events = max(500, 2 * merging.least)
        merging.took(events, events / rate, behind)
    return asked


def test_in_step_a_tick_is_taken_as_it_comes() -> None:
    """Latency comes first."""
    merging = Merging(LIMIT)
    assert merging.least == 0
    for _ in range(3):
        merging.took(500, 0.01, 0)
        assert merging.least == 0


def test_behind_batches_grow_up_to_the_limit() -> None:
    """PgQ takes up to twice what is asked for, hence half of it is."""
    merging = Merging(LIMIT)
    assert sizes(merging, 7) == [0, 1_000, 4_000, 16_000, 64_000, LIMIT // 2, LIMIT // 2]


def test_no_more_is_asked_for_than_there_is() -> None:
    """Else PgQ would give nothing."""
    merging = Merging(LIMIT)
    sizes(merging, 6)
    merging.took(LIMIT, 1, 301)
    assert merging.least == 151
    merging.took(301, 0.1, 1)
    assert merging.least == 1


def test_nothing_is_left_of_it_once_all_is_read() -> None:
    """Neither when PgQ says so, nor when the lag does."""
    merging = Merging(LIMIT)
    sizes(merging, 4)
    merging.took(5000, 0.1, 0)
    assert merging.least == 0
    sizes(merging, 4)
    merging.in_step()
    assert merging.least == 0


def test_growth_that_does_not_pay_is_taken_back() -> None:
    """Where larger batches go slower than smaller ones, they stay small until all is read."""
    merging = Merging(LIMIT)
    merging.took(TELLING, TELLING / 10_000, 10**6)
    merging.took(4 * TELLING, 4 * TELLING / (0.9 * LOSS * 10_000), 10**6)
    assert sizes(merging, 3) == [TELLING // 2] * 3
    merging.in_step()
    assert sizes(merging, 3) == [0, 1_000, 4_000]


def test_a_small_batch_may_be_slow() -> None:
    """It made a partition, perhaps; that says nothing against large ones."""
    merging = Merging(LIMIT)
    merging.took(500, 0.01, 10**6)
    merging.took(2_000, 1, 10**6)
    assert sizes(merging, 3) == [4_000, 16_000, 64_000]


def test_batches_without_events_tell_nothing() -> None:
    """Their rate is 0, and means no loss; what was learned before holds."""
    merging = Merging(LIMIT)
    sizes(merging, 3)
    least = merging.least
    merging.took(0, 0.001, 10**6)
    assert merging.least == least


def test_zero_is_never() -> None:
    """However far behind."""
    assert sizes(Merging(0), 5) == [0] * 5


@given(
    st.integers(0, 10**6),
    st.lists(st.tuples(st.integers(0, 10**6), st.floats(1e-6, 1e6), st.integers(0, 10**7)), max_size=20),
)
@example(1000, [(20_000, 1.0, 10**6), (30_000, 100.0, 10**6)])
def test_it_stays_within_bounds(limit: int, batches: list[tuple[int, float, int]]) -> None:
    """Whatever batches bring: at most the limit, what is there, and so much more than the last."""
    merging = Merging(limit)
    most = 0
    for events, seconds, behind in batches:
        merging.took(events, seconds, behind)
        most = GROWTH * max(most, events)
        assert 0 <= 2 * merging.least <= min(limit, behind, most) + 1
