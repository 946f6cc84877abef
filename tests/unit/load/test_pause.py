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


def test_batches_that_need_order_are_not_tried_without() -> None:
    """Only others count for the pause after the one that failed."""
    pauses, tried = Pauses(), []
    for needs_order in (True, True, True, True, False, False, False, True, False, False, False, False):
        tried.append(first := pauses.first(in_blocks=True))
        if first is Pass.BLOCKS and needs_order:
            pauses.ended(Pass.BLOCKS, End.NOT_PLAIN)
            first = Pass.ORDERED
        if first is Pass.ORDERED and needs_order:
            pauses.needed_order()
        pauses.ended(first, End.LOADED)
    blocks, ordered = Pass.BLOCKS, Pass.ORDERED
    assert tried == [blocks, *[ordered] * 5, *[blocks] * 2, *[ordered] * 2, *[blocks] * 2]


def test_one_event_makes_no_blocks() -> None:
    """A dead letter is for the row path."""
    assert Pauses().first(in_blocks=False) is Pass.ROWS


def test_what_cannot_be_folded_is_for_the_row_path() -> None:
    """Neither pass of the block path is tried while both pause; a row that is refused makes no pause."""
    pauses = Pauses()
    for pass_ in (Pass.BLOCKS, Pass.ORDERED):
        pauses.ended(pass_, End.NOT_PLAIN)
    pauses.ended(Pass.ROWS, End.LOADED)
    assert pauses.first(in_blocks=True) is Pass.ROWS
    pauses.ended(Pass.ROWS, End.LOADED)
    assert pauses.first(in_blocks=True) is Pass.BLOCKS
    pauses.ended(Pass.BLOCKS, End.REFUSED)
    pauses.ended(Pass.CAREFUL, End.LOADED)
    assert pauses.first(in_blocks=True) is Pass.BLOCKS
