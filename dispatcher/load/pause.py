"""Whether the block path is worth trying."""

from __future__ import annotations

LONGEST_PAUSE = 64
"""Most batches for which the block path is not tried. Each failure reads a batch twice."""


class BlockPause:
    """For how many batches the block path is not tried; longer after each failure."""

    def __init__(self) -> None:
        self._length = 1
        self._left = 0

    def is_over(self) -> bool:
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
