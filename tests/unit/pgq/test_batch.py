"""What a position says about a batch."""

from __future__ import annotations

import pytest
from tdsup.dispatcher.pgq.batch import Batch, Verdict, judge

BATCH = Batch(id=7, tick=12, previous_tick=11, tick_time=0.0)


@pytest.mark.parametrize(
    ("position", "verdict"),
    [
        (None, Verdict.APPLY),
        (11, Verdict.APPLY),
        (12, Verdict.SKIP),
        (10, Verdict.LOST),
        (13, Verdict.LOST),
    ],
)
def test_position_decides(position: int | None, verdict: Verdict) -> None:
    """None or the batch's start applies, its end skips, anything else is lost."""
    assert judge(position, BATCH) is verdict


@pytest.mark.parametrize(
    ("tick_time", "verdict"), [(None, Verdict.SKIP), (0.0, Verdict.SKIP), (1.5, Verdict.LOST)]
)
def test_an_equal_tick_of_another_time_is_another_tick(tick_time: float | None, verdict: Verdict) -> None:
    """As when a queue was dropped and created again. An unknown time fits any."""
    assert judge(12, BATCH, tick_time) is verdict
    assert judge(11, BATCH, tick_time) is Verdict.APPLY
