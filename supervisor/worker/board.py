"""Numbers that all processes of a fleet share, in memory that they inherit."""

from __future__ import annotations

import mmap
from collections.abc import Mapping

SLOTS = 8192
"""Numbers that find room; with more than half of them in use some are lost, which is allowed."""

PROBES = 32
"""Slots that are tried for a key."""

_WORDS = 4
_NANO = 1_000_000_000


class Board:
    """A hash table of numbers by key, without a lock.

    A slot is four words: key, number, moment in nanoseconds, and the three of them combined. Each word is
    written at once, so that whoever reads a slot while another process writes it sees that the last word does
    not fit, and takes the number for unknown.

    It has to be made before the first fork.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, SLOTS * _WORDS * 8)
        self._words = memoryview(self._memory).cast("q")

    def read(self, key: int) -> tuple[int, float] | None:
        """A number and the moment, in seconds of ``time.monotonic()``, it is of; None if it is not known."""
        place = self._find(key)
        if place is None:
            return None
        found, number, moment, check = self._words[place : place + _WORDS]
        if found != key or key ^ number ^ moment != check:
            return None
        return number, moment / _NANO

    def post(self, key: int, number: int, moment: float) -> None:
        """Post a number under a key from 1 to 2**62, in a free slot if it is new."""
        place = self._find(key)
        if place is None:
            place = self._find(0, near=key)
        if place is not None:
            self._write(place, key, number, moment)

    def update(self, numbers: Mapping[int, int], moment: float) -> None:
        """Post those of the numbers whose keys have a slot."""
        for key, number in numbers.items():
            place = self._find(key)
            if place is not None:
                self._write(place, key, number, moment)

    def _write(self, place: int, key: int, number: int, moment: float) -> None:
        nano = int(moment * _NANO)
        words = self._words
        words[place] = key
        words[place + 1] = number
        words[place + 2] = nano
        words[place + 3] = key ^ number ^ nano

    def _find(self, key: int, near: int | None = None) -> int | None:
        """Where the slot of a key begins, looked for where `near`, or itself, belongs."""
        start = key if near is None else near
        words = self._words
        for step in range(PROBES):
            place = (start + step) % SLOTS * _WORDS
            found = words[place]
            if found == key:
                return place
            if not found:
                return None
        return None
