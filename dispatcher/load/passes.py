"""Passes: the ways to load a batch, which one comes next, and when the block path is worth trying."""

from __future__ import annotations

from enum import Enum, auto

from ..errors import Enough

LONGEST_PAUSE = 64
"""Most batches for which a pass is not tried. Each failure reads a batch twice."""


class Pass(Enum):
    """One try at loading a batch, in one transaction."""

    BLOCKS = auto()
    """The block path in any order, for rows that are only added; the row path takes the events that do not
    fit, in the same transaction."""
    ORDERED = auto()
    """The same in the order of events."""
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
    """The block path cannot load the batch: the order of events matters, or too many do not fit."""
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
        Pass.ORDERED: Pass.BLOCKS,
        Pass.ROWS: Pass.BLOCKS,
        Pass.CAREFUL: Pass.CAREFUL,
        Pass.IMMEDIATE: Pass.IMMEDIATE,
    },
    End.MISSING: {each: each for each in _ANY},
    End.NOT_PLAIN: {Pass.BLOCKS: Pass.ORDERED, Pass.ORDERED: Pass.ROWS},
    End.REFUSED: dict.fromkeys((Pass.BLOCKS, Pass.ORDERED, Pass.ROWS), Pass.CAREFUL),
    End.REFUSED_AT_COMMIT: dict.fromkeys(
        (Pass.BLOCKS, Pass.ORDERED, Pass.ROWS, Pass.CAREFUL), Pass.IMMEDIATE
    ),
}


def next_pass(now: Pass, end: End) -> Pass:
    """The pass that follows: over the same batch, or over the next one if this one is loaded.

    Raises:
        KeyError: such a pass does not end like that.
    """
    return _NEXT[end][now]


class Pause:
    """For how many batches a pass is not tried; longer after each failure."""

    def __init__(self) -> None:
        self._length = 1
        self._left = 0

    def allows_next(self) -> bool:
        """Whether to try the pass for the next batch; ask once for each batch."""
        self._left = max(0, self._left - 1)
        return not self._left

    def failed(self) -> None:
        """The pass could not load a batch: begin a pause."""
        self._left = self._length + 1
        self._length = min(2 * self._length, LONGEST_PAUSE)

    def would_fail(self) -> None:
        """The pass could not have loaded a batch: such a batch does not count."""
        self._left += 1

    def succeeded(self) -> None:
        """The pass has loaded a batch: let the next pause be short."""
        self._length = 1


class Pauses:
    """Chooses the first pass over a batch by what became of earlier ones."""

    def __init__(self) -> None:
        self._of = {Pass.BLOCKS: Pause(), Pass.ORDERED: Pause()}
        self._next = Pass.BLOCKS

    def first(self, *, in_blocks: bool) -> Pass:
        """The first pass over a batch, which may come in blocks; ask once for each batch."""
        if self._next is not Pass.BLOCKS:
            return self._next
        allowed = (pass_ for pass_, pause in self._of.items() if in_blocks and pause.allows_next())
        return next(allowed, Pass.ROWS)

    def ended(self, pass_: Pass, end: End) -> None:
        """A pass is over."""
        self._next = next_pass(pass_, end)
        if pass_ in self._of and end.is_loaded:
            self._of[pass_].succeeded()
        elif pass_ in self._of and end is End.NOT_PLAIN:
            self._of[pass_].failed()

    def needed_order(self) -> None:
        """A batch was loaded whose events had to be in order."""
        self._of[Pass.BLOCKS].would_fail()
