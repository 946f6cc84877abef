"""Whether whole blocks are tried."""

from __future__ import annotations

from tdsup.dispatcher.load.pause import LONGEST_PAUSE, Trust


def pause(trust: Trust) -> int:
    """How many batches are not tried until one is."""
    count = 0
    while not trust.is_given():
        count += 1
    return count


def test_trust_is_there_from_the_first() -> None:
    """And stays, as long as no attempt is in vain."""
    trust = Trust()
    for _ in range(3):
        assert trust.is_given()
        trust.confirm()


def test_the_pause_grows_with_each_vain_attempt() -> None:
    """Up to a limit, so that a queue that has changed its ways is noticed in the end."""
    trust = Trust()
    pauses = []
    for _ in range(9):
        trust.withdraw()
        pauses.append(pause(trust))
    assert pauses == [1, 2, 4, 8, 16, 32, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]


def test_one_good_attempt_ends_that() -> None:
    """The next vain one costs a short pause again."""
    trust = Trust()
    for _ in range(5):
        trust.withdraw()
        pause(trust)
    trust.confirm()
    assert pause(trust) == 0
    trust.withdraw()
    assert pause(trust) == 1
