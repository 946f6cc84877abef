"""What a position says about a batch."""

from __future__ import annotations

import pytest
from tdsup.dispatcher.ledger import Tick
from tdsup.dispatcher.pgq import Batch, Verdict, judge, lost_position

BATCH = Batch(id=7, tick=12, previous_tick=11, tick_time=20.0, previous_time=10.0)


@pytest.mark.parametrize(
    ("position", "verdict"),
    [
        (None, Verdict.LOST),
        (Tick(11, 10.0), Verdict.APPLY),
        (Tick(12, 20.0), Verdict.SKIP),
        (Tick(10, 0.0), Verdict.LOST),
        (Tick(13, 30.0), Verdict.LOST),
        (Tick(11, None), Verdict.APPLY),
        (Tick(12, None), Verdict.SKIP),
        (Tick(11, 10.5), Verdict.LOST),
        (Tick(12, 20.5), Verdict.LOST),
    ],
)
def test_position_decides(position: Tick | None, verdict: Verdict) -> None:
    """The batch's start applies, its end skips, by number and time; no position is no licence."""
    assert judge(position, BATCH) is verdict


@pytest.mark.parametrize(
    ("position", "said", "first"),
    [
        (None, "dst has none, as if the target had been restored", "--reset"),
        (
            Tick(10, 0.0),
            "dst has 10 (1970-01-01 00:00:00 UTC; the source stands at tick 11 of ",
            "tdsup rewind",
        ),
        (Tick(10, 0.0), "the target is behind", "tdsup rewind job "),
        (Tick(13, 30.0), "the source is behind", "tdsup rewind job "),
        (Tick(12, 20.5), "dst has 12 of another time", "rewind"),
        (Tick(9, None), "dst has 9 (unknown time", "rewind"),
    ],
)
def test_a_lost_position_in_words(position: Tick | None, said: str, first: str) -> None:
    """It says what people grep for, which side is behind, and the safe command before the other one."""
    text = lost_position(position, BATCH, "job")
    assert text.startswith("Lost position: batch 11..12, dst has ")
    assert said in text
    assert "--reset" in text
    assert text.index(first) <= text.index("--reset")
