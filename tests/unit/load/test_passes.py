"""Which pass comes next: histories of batches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tdsup.dispatcher.load.passes import _NEXT, End, Pass, next_pass

BLOCKS, ORDERED, ROWS, CAREFUL, IMMEDIATE = Pass

HISTORIES: dict[str, list[tuple[End, Pass]]] = {
    "plain inserts": [(End.LOADED, BLOCKS), (End.LOADED, BLOCKS)],
    "a new partition": [(End.MISSING, BLOCKS), (End.LOADED, BLOCKS)],
    "an update": [(End.NOT_PLAIN, ORDERED), (End.MISSING, ORDERED), (End.LOADED, BLOCKS)],
    "an update of a table without a key": [
        (End.NOT_PLAIN, ORDERED),
        (End.NOT_PLAIN, ROWS),
        (End.MISSING, ROWS),
        (End.LOADED, BLOCKS),
    ],
    "events that cannot be decoded": [(End.LOADED_WITH_DEAD_LETTERS, BLOCKS)],
    "a row that the target refuses": [
        (End.REFUSED, CAREFUL),
        (End.MISSING, CAREFUL),
        (End.LOADED_WITH_DEAD_LETTERS, CAREFUL),
        (End.LOADED, BLOCKS),
    ],
    "a refused row among updates": [
        (End.NOT_PLAIN, ORDERED),
        (End.REFUSED, CAREFUL),
        (End.LOADED, BLOCKS),
    ],
    "a deferred constraint": [
        (End.REFUSED_AT_COMMIT, IMMEDIATE),
        (End.LOADED_WITH_DEAD_LETTERS, IMMEDIATE),
        (End.LOADED, BLOCKS),
    ],
    "a deferred constraint after a refused row": [
        (End.REFUSED, CAREFUL),
        (End.REFUSED_AT_COMMIT, IMMEDIATE),
        (End.LOADED_WITH_DEAD_LETTERS, IMMEDIATE),
    ],
}


@pytest.mark.parametrize("name", HISTORIES)
def test_histories(name: str) -> None:
    """A job begins with the block path, and comes back to it after a batch without a bad event."""
    now = next_pass(Pass.BLOCKS, End.LOADED)
    assert now is BLOCKS
    for end, after in HISTORIES[name]:
        now = next_pass(now, end)
        assert now is after


@pytest.mark.parametrize(
    ("now", "end"),
    [
        (ROWS, End.NOT_PLAIN),
        (CAREFUL, End.NOT_PLAIN),
        (CAREFUL, End.REFUSED),
        (IMMEDIATE, End.REFUSED),
        (IMMEDIATE, End.REFUSED_AT_COMMIT),
    ],
)
def test_a_pass_that_has_done_all_it_can_is_the_last(now: Pass, end: End) -> None:
    """No other pass could load the batch: such an end is a defect of ours."""
    with pytest.raises(KeyError):
        next_pass(now, end)


@given(st.lists(st.sampled_from([End.NOT_PLAIN, End.REFUSED, End.REFUSED_AT_COMMIT])))
def test_each_failure_leads_to_a_more_careful_pass(ends: list[End]) -> None:
    """So a batch takes at most five passes besides those for what is missing."""
    now, passes = BLOCKS, 1
    for end in ends:
        if now in _NEXT[end]:
            after = next_pass(now, end)
            assert after.value > now.value
            now, passes = after, passes + 1
    assert passes <= len(Pass)
