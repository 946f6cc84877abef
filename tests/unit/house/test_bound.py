"""Committed figures and what a measurement says about them."""

from __future__ import annotations

import pytest
from harness.measure.bound import Bound, Verdict


@pytest.mark.parametrize(
    ("share", "verdict"),
    [
        (1.0, Verdict.GOOD),
        (1.06, Verdict.GOOD),
        (0.94, Verdict.GOOD),
        (1.08, Verdict.WORSE),
        (1.1, Verdict.WORSE),
        (9.0, Verdict.WORSE),
        (0.92, Verdict.BETTER),
        (0.1, Verdict.BETTER),
    ],
)
def test_a_change_of_a_tenth_is_noticed(share: float, verdict: Verdict) -> None:
    """More work is worse, much less is better, and the noise of repeated runs is neither."""
    for committed in (1.45, 388.0):
        assert Bound(committed).judge(committed * share) is verdict


def test_a_tenth_more_does_not_pass_twice() -> None:
    """Work cannot creep up: from anywhere within the margin, two changes of a tenth go beyond it."""
    bound = Bound(1.0)
    for percent in range(93, 108):
        measured = percent / 100
        assert bound.judge(measured) is Verdict.GOOD
        assert bound.judge(measured * 1.1 * 1.1) is Verdict.WORSE
