"""Numbers that all processes of a fleet share, in memory that they inherit."""

from __future__ import annotations

import mmap
from collections.abc import Mapping

SLOTS = 8192
"""How many numbers fit; with more than half of them in use some get lost, which is allowed."""

PROBES = 32
"""How many slots are tried for a key."""

_WORDS = 4
_NANO = 1_000_000_000


class Board:
    """A hash table of numbers by key, without a lock.

    A slot is four words: key, number, moment in nanoseconds, and the three of them combined. A word is
    written in one go. A process that reads a slot while another one writes it sees that the last word does
    not fit, and takes the number as unknown.

    Make it before the first fork.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, SLOTS * _WORDS * 8)
        self._words = memoryview(self._memory).cast("q")

    def read(self, key: int) -> tuple[int, float] | None:
        """A number and its moment, in seconds of ``time.monotonic()``; None if it is not known."""
        index = self._find(key)
        if index is None:
            return None
        found, number, moment, check = self._words[index : index + _WORDS]
        if found != key or key ^ number ^ moment != check:
            return None
        return number, moment / _NANO

    def post(self, key: int, number: int, moment: float) -> None:
        """Post a number under a key from 1 to 2**62; a new key takes a free slot."""
        index = self._find(key)
        if index is None:
            index = self._find(0, near=key)
        if index is not None:
            self._write(index, key, number, moment)

    def update(self, numbers: Mapping[int, int], moment: float) -> None:
        """Post those of the numbers whose keys have a slot."""
        for key, number in numbers.items():
            index = self._find(key)
            if index is not None:
                self._write(index, key, number, moment)

    def _write(self, index: int, key: int, number: int, moment: float) -> None:
        nano = int(moment * _NANO)
        words = self._words
        words[index] = key
        words[index + 1] = number
        words[index + 2] = nano
        words[index + 3] = key ^ number ^ nano

    def _find(self, key: int, near: int | None = None) -> int | None:
        """Where the slot of a key begins, searched from where `near` (by default the key) belongs."""
        start = key if near is None else near
        words = self._words
        for step in range(PROBES):
            index = (start + step) % SLOTS * _WORDS
            found = words[index]
            if found == key:
                return index
            if not found:
                return None
        return None
