"""Inputs made from sound ones by chance."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

MOST = 4
"""Most changes of one input."""

ANYWHERE = (b"\0", b"\n", b"\r", b"\t", b" ", b"\\", b"%", b'"', b"'", b"\xff", b"\xc2\x9b", b"A" * 300)
"""Words that are odd in any language."""


class Mutator:
    """Changes sound inputs: the same ones for the same seed.

    Args:
        seed: of the random numbers.
        sound: inputs to begin with.
        words: of their language, put in anywhere.
    """

    def __init__(self, seed: int, sound: Sequence[bytes], words: Sequence[bytes]) -> None:
        self.rng = random.Random(seed)  # noqa: S311 (it has to be repeatable)
        self._sound = sound
        self._words = (*words, *ANYWHERE)
        self._changes: tuple[Callable[[bytes], bytes], ...] = (
            self._put_byte,
            self._put_word,
            self._put_word,
            self._cut,
            self._repeat,
            self._join,
        )

    def next(self) -> bytes:
        """Another input; one of eight is sound."""
        rng = self.rng
        text = rng.choice(self._sound)
        if rng.random() < 0.125:
            return text
        return self.changed(text, rng.randint(1, MOST))

    def several(self, number: int, changes: int) -> bytes:
        """Some sound inputs after one another, with so many changes anywhere in them."""
        return self.changed(b"".join(self.rng.choices(self._sound, k=number)), changes)

    def changed(self, text: bytes, changes: int) -> bytes:
        """A text with so many changes."""
        for _ in range(changes):
            text = self._changes[int(self.rng.random() * len(self._changes))](text)
        return text

    def _at(self, text: bytes) -> int:
        return int(self.rng.random() * (len(text) + 1))

    def _put_byte(self, text: bytes) -> bytes:
        at = self._at(text)
        return text[:at] + bytes((int(self.rng.random() * 256),)) + text[at + 1 :]

    def _put_word(self, text: bytes) -> bytes:
        at = self._at(text)
        return text[:at] + self.rng.choice(self._words) + text[at:]

    def _cut(self, text: bytes) -> bytes:
        at = self._at(text)
        return text[:at] + text[at + int(self.rng.random() * 20) :]

    def _repeat(self, text: bytes) -> bytes:
        at = self._at(text)
        return text[:at] + text[at : at + 8] * int(self.rng.random() * 6) + text[at:]

    def _join(self, text: bytes) -> bytes:
        other = self.rng.choice(self._sound)
        return text[: self._at(text)] + other[self._at(other) :]
