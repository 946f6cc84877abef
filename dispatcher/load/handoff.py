"""Rows on their way from the thread that decodes them to the one that loads them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

Group = TypeVar("Group", bound=Hashable)
"""What rows of one COPY have in common."""

WORTH_A_COPY = 1 << 17
"""Bytes that are worth a COPY of their own, which costs some 0.2 ms, while more may come."""

LARGEST_COPY = 1 << 20
"""Bytes from which `take` adds no more: COPY would get no cheaper, and they are held twice meanwhile."""


class Handoff(Generic[Group]):
    """Text by group, bounded. One thread puts text in, another takes the largest group out.

    Args:
        limit: most bytes held. The text that goes beyond it is taken in; the thread that put it then waits.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._changed = threading.Condition()
        self._texts: dict[Group, deque[bytes]] = {}
        self._sizes: dict[Group, int] = {}
        self._held = 0
        self._is_closed = False
        self._is_abandoned = False

    @property
    def is_worth_loading(self) -> bool:
        """Whether `take` would return at once."""
        with self._changed:
            return self._largest() is not None

    def put(self, group: Group, text: bytes) -> None:
        """Add text. Once it `is_worth_loading`, one thread must take it, and this one must `wait`."""
        with self._changed:
            if self._is_abandoned:
                return
            self._texts.setdefault(group, deque()).append(text)
            self._sizes[group] = self._sizes.get(group, 0) + len(text)
            self._held += len(text)
            self._changed.notify_all()

    def wait(self) -> None:
        """Wait while more than the limit is held: so much is worth loading, in however many groups."""
        with self._changed:
            while self._held > self._limit:
                self._changed.wait()

    def take(self) -> tuple[Group, list[bytes]] | None:
        """Remove text of the largest group, in the order it came; None once it is closed and all is taken."""
        with self._changed:
            while (group := self._largest()) is None:
                if self._is_closed or self._is_abandoned:
                    return None
                self._changed.wait()
            taken, size = [], 0
            texts = self._texts[group]
            while texts and size < LARGEST_COPY:
                taken.append(texts.popleft())
                size += len(taken[-1])
            self._sizes[group] -= size
            self._held -= size
            self._changed.notify_all()
            return group, taken

    def close(self) -> None:
        """Say that nothing more will be put in."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def abandon(self) -> None:
        """Drop everything, also what is put in from now on; nobody waits any more."""
        with self._changed:
            self._is_abandoned = True
            self._texts.clear()
            self._sizes.clear()
            self._held = 0
            self._changed.notify_all()

    def _largest(self) -> Group | None:
        """The group that is worth taking now."""
        if not self._held:
            return None
        group = max(self._sizes, key=self._sizes.__getitem__)
        is_pressed = self._is_closed or 2 * self._held >= self._limit
        return group if is_pressed or self._sizes[group] >= WORTH_A_COPY else None
