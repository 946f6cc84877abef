"""Passes: the ways to load a batch, which one comes next, and when the block path is worth trying."""

from __future__ import annotations

from enum import Enum, auto

from ..errors import Enough

LONGEST_PAUSE = 64
"""Most batches for which the block path is not tried. Each failure reads a batch twice."""


class Pass(Enum):
    """One try at loading a batch, in one transaction."""

    BLOCKS = auto()
    """The block path. The row path takes the events that do not fit, in the same transaction."""
    ROWS = auto()
    """The row path."""
    CAREFUL = auto()
    """The row path under savepoints, which finds every row that the target refuses."""
    IMMEDIATE = auto()
    """The same, with deferred constraints checked at once, as a refused commit does not tell the row."""

    @property
    def is_careful(self) -> bool:
        """Whether every bad row is found."""
        return self is Pass.CAREFUL or self is Pass.IMMEDIATE


class End(Enum):
    """How a pass ended. Only the first two commit something."""

    LOADED = auto()
    LOADED_WITH_DEAD_LETTERS = auto()
    MISSING = auto()
    """Tables, columns or the place for dead letters had to be made first."""
    NOT_PLAIN = auto()
    """The block path cannot load the batch: it changes rows, or too many events do not fit."""
    REFUSED = auto()
    """The target refused a row."""
    REFUSED_AT_COMMIT = auto()
    """The target refused the commit because of some row, and does not tell which."""

    @property
    def is_loaded(self) -> bool:
        """Whether the batch is loaded."""
        return self is End.LOADED or self is End.LOADED_WITH_DEAD_LETTERS


class PassFailed(Enough):
    """A pass cannot load the batch; another one may.

    Attributes:
        end: how it ended.
    """

    def __init__(self, end: End) -> None:
        super().__init__(end)
        self.end = end


_ANY = tuple(Pass)

_NEXT: dict[End, dict[Pass, Pass]] = {
    End.LOADED: dict.fromkeys(_ANY, Pass.BLOCKS),
    # Where the target refused rows, it may do so again; a batch without a bad one ends that.
    End.LOADED_WITH_DEAD_LETTERS: {
        Pass.BLOCKS: Pass.BLOCKS,
        Pass.ROWS: Pass.BLOCKS,
        Pass.CAREFUL: Pass.CAREFUL,
        Pass.IMMEDIATE: Pass.IMMEDIATE,
    },
    End.MISSING: {each: each for each in _ANY},
    End.NOT_PLAIN: {Pass.BLOCKS: Pass.ROWS},
    End.REFUSED: {Pass.BLOCKS: Pass.CAREFUL, Pass.ROWS: Pass.CAREFUL},
    End.REFUSED_AT_COMMIT: dict.fromkeys((Pass.BLOCKS, Pass.ROWS, Pass.CAREFUL), Pass.IMMEDIATE),
}


def next_pass(now: Pass, end: End) -> Pass:
    """The pass that follows: over the same batch, or over the next one if this one is loaded.

    Raises:
        KeyError: such a pass does not end like that.
    """
    return _NEXT[end][now]


class BlockPause:
    """For how many batches the block path is not tried; longer after each failure."""

    def __init__(self) -> None:
        self._length = 1
        self._left = 0

    def allows_next(self) -> bool:
        """Whether to try the block path for the next batch; ask once for each batch."""
        self._left = max(0, self._left - 1)
        return not self._left

    def failed(self) -> None:
        """The block path could not load a batch: begin a pause."""
        self._left = self._length + 1
        self._length = min(2 * self._length, LONGEST_PAUSE)

    def succeeded(self) -> None:
        """The block path has loaded a batch: let the next pause be short."""
        self._length = 1
