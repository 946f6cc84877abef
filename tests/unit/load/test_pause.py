"""Which pass is tried first."""

from __future__ import annotations

from tdsup.dispatcher.load.passes import LONGEST_PAUSE, End, Pass, Pause, Pauses


def untried(pause: Pause) -> int:
    """How many batches go by until a pass is tried again."""
    count = 0
    while not pause.allows_next():
        count += 1
    return count


def test_there_is_no_pause_at_first() -> None:
    """Nor later, as long as no attempt fails."""
    pause = Pause()
    for _ in range(3):
        assert pause.allows_next()
        pause.succeeded()


def test_the_pause_grows_with_each_failure() -> None:
    """Up to a limit, so that it is noticed in the end when a queue has become plain."""
    pause = Pause()
    pauses = []
    for _ in range(9):
        pause.failed()
        pauses.append(untried(pause))
    assert pauses == [1, 2, 4, 8, 16, 32, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]


def test_after_a_success_the_next_pause_is_short() -> None:
    """It is as long as the first one was."""
    pause = Pause()
    for _ in range(5):
        pause.failed()
        untried(pause)
    pause.succeeded()
    assert untried(pause) == 0
    pause.failed()
    assert untried(pause) == 1


def test_changes_are_folded_from_the_second_batch_on() -> None:
    """The first batch with changes is begun twice, and later ones seldom."""
    pauses, tried = Pauses(), []
    for _ in range(6):
        tried.append(first := pauses.first())
        if first is Pass.BLOCKS:
            pauses.ended(Pass.BLOCKS, End.NOT_PLAIN)
        pauses.ended(Pass.ORDERED, End.LOADED)
    blocks, ordered = Pass.BLOCKS, Pass.ORDERED
    assert tried == [blocks, ordered, blocks, ordered, ordered, blocks]


def test_what_cannot_be_folded_is_for_the_row_path() -> None:
    """Neither pass of the block path is tried while both pause; a row that is refused makes no pause."""
    pauses = Pauses()
    for pass_ in (Pass.BLOCKS, Pass.ORDERED):
        pauses.ended(pass_, End.NOT_PLAIN)
    assert pauses.first() is Pass.ROWS
    pauses.ended(Pass.ROWS, End.LOADED)
    assert pauses.first() is Pass.BLOCKS
    pauses.ended(Pass.BLOCKS, End.REFUSED)
    assert pauses.first() is Pass.BLOCKS
