"""Numbers that processes share."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tdsup.supervisor.worker import board as module
from tdsup.supervisor.worker.board import SLOTS, Board

KEYS = st.integers(1, 2**62)


@given(st.lists(st.tuples(KEYS, st.integers(0, 2**62), st.integers(0, 10**6)), max_size=200))
def test_what_was_posted_last_is_read(posts: list[tuple[int, int, int]]) -> None:
    """Whatever the keys; what nobody posted is not known."""
    board = Board()
    expected = {}
    for key, number, moment in posts:
        board.post(key, number, moment)
        expected[key] = number, float(moment)
    for key, found in expected.items():
        assert board.read(key) == found
    assert board.read(2**62 + 1) is None


def test_an_update_adds_no_key() -> None:
    """Only what somebody has posted before is wanted."""
    board = Board()
    board.post(5, 1, 1.0)
    board.update({5: 2, 6: 3}, 2.0)
    assert board.read(5) == (2, 2.0)
    assert board.read(6) is None


def test_a_full_board_loses_numbers_and_never_mixes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that is read is the one of its key."""
    monkeypatch.setattr(module, "SLOTS", 64)
    board = Board()
    keys = [number * 7919 + 1 for number in range(500)]
    for key in keys:
        board.post(key, key * 2, 1.0)
    found = [key for key in keys if board.read(key) is not None]
    assert 32 < len(found) <= 64
    assert all(board.read(key) == (key * 2, 1.0) for key in found)


def test_half_written_slots_are_not_known() -> None:
    """Neither of two processes that write one slot at once is believed until one of them is done."""
    board = Board()
    board.post(9, 100, 1.0)
    board._words[9 % SLOTS * 4 + 1] = 200  # noqa: SLF001 (what another process leaves in the middle of a post)
    assert board.read(9) is None
    board.post(9, 300, 2.0)
    assert board.read(9) == (300, 2.0)


def test_a_forked_process_reads_and_writes_the_same_board() -> None:
    """In both directions."""
    board = Board()
    board.post(1, 10, 1.0)
    child = os.fork()
    if not child:
        seen = board.read(1)
        board.post(1, 20 if seen == (10, 1.0) else 0, 2.0)
        os._exit(0)
    os.waitpid(child, 0)
    assert board.read(1) == (20, 2.0)
