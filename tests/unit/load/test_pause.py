"""Whether the block path is tried."""

from __future__ import annotations

from tdsup.dispatcher.load.passes import LONGEST_PAUSE, BlockPause


def untried(pause: BlockPause) -> int:
    """How many batches go by until the block path is tried again."""
    count = 0
    while not pause.allows_next():
        count += 1
    return count


def test_there_is_no_pause_at_first() -> None:
    """Nor later, as long as no attempt fails."""
    pause = BlockPause()
    for _ in range(3):
        assert pause.allows_next()
        pause.succeeded()


def test_the_pause_grows_with_each_failure() -> None:
    """Up to a limit, so that it is noticed in the end when a queue has become plain."""
    pause = BlockPause()
    pauses = []
    for _ in range(9):
        pause.failed()
        pauses.append(untried(pause))
    assert pauses == [1, 2, 4, 8, 16, 32, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]


def test_after_a_success_the_next_pause_is_short() -> None:
    """It is as long as the first one was."""
    pause = BlockPause()
    for _ in range(5):
        pause.failed()
        untried(pause)
    pause.succeeded()
    assert untried(pause) == 0
    pause.failed()
    assert untried(pause) == 1
