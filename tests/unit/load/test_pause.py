"""Whether the block path is tried."""

from __future__ import annotations

from tdsup.dispatcher.load.passes import LONGEST_PAUSE, BlockPause


def untried(pause: BlockPause) -> int:
    """How many batches are not tried until one is."""
    count = 0
    while not pause.is_over():
        count += 1
    return count


def test_there_is_no_pause_at_first() -> None:
    """Nor later, as long as no attempt fails."""
    pause = BlockPause()
    for _ in range(3):
        assert pause.is_over()
        pause.succeeded()


def test_the_pause_grows_with_each_failure() -> None:
    """Up to a limit, so that a queue that has changed its ways is noticed in the end."""
    pause = BlockPause()
    pauses = []
    for _ in range(9):
        pause.failed()
        pauses.append(untried(pause))
    assert pauses == [1, 2, 4, 8, 16, 32, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]


def test_one_good_attempt_ends_that() -> None:
    """The next failure begins a short pause again."""
    pause = BlockPause()
    for _ in range(5):
        pause.failed()
        untried(pause)
    pause.succeeded()
    assert untried(pause) == 0
    pause.failed()
    assert untried(pause) == 1
