"""The waits between restarts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tdsup.supervisor.jobs.backoff import Backoff, Schedule


@given(st.integers(0, 5000), st.floats(0, 1))
def test_a_delay_is_within_ten_percent_of_the_nominal_one(failures: int, chance: float) -> None:
    """At any number of failures and with any luck, up to the limit and its jitter."""
    backoff = Backoff(Schedule(0.5, 30, 30), lambda: chance)
    backoff.attempts = failures
    nominal = min(0.5 * 2 ** min(failures, 100), 30)
    assert nominal * 0.9 <= backoff.next_delay() <= nominal * 1.1 + 1e-9


def test_a_reset_starts_over() -> None:
    """After it, the first delay comes again."""
    backoff = Backoff(Schedule(0.5, 30, 30), lambda: 0.5)
    assert [backoff.next_delay() for _ in range(3)] == [0.5, 1, 2]
    backoff.lived(29.9)
    assert backoff.next_delay() == 4
    backoff.lived(30)
    assert backoff.next_delay() == 0.5
