"""Rows between the thread that decodes them and the one that loads them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

Place = TypeVar("Place", bound=Hashable)
"""What rows are for."""

LEAST = 1 << 17
"""Bytes that are worth a COPY of their own, which costs some 0.2 ms, while more may come."""

MOST = 1 << 20
"""Bytes that are taken at once: more would not make COPY cheaper, and are held twice meanwhile."""


class Stock(Generic[Place]):
    """Text by place, bounded. One thread puts, another takes the largest heap.

    Args:
        limit: bytes held, and one text more; who has put it waits.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._changed = threading.Condition()
        self._texts: dict[Place, deque[bytes]] = {}
        self._sizes: dict[Place, int] = {}
        self._held = 0
        self._is_closed = False
        self._is_abandoned = False

    @property
    def is_worth_loading(self) -> bool:
        """Whether `take` would return at once."""
        with self._changed:
            return self._largest() is not None

    def put(self, place: Place, text: bytes) -> None:
        """Add text. Somebody must take it once it `is_worth_loading`, and who puts has to `wait` then."""
        with self._changed:
            if self._is_abandoned:
                return
            self._texts.setdefault(place, deque()).append(text)
            self._sizes[place] = self._sizes.get(place, 0) + len(text)
            self._held += len(text)
            self._changed.notify_all()

    def wait(self) -> None:
        """Wait while more than the limit is held: it is worth loading then, whatever its places."""
        with self._changed:
            while self._held > self._limit:
                self._changed.wait()

    def take(self) -> tuple[Place, list[bytes]] | None:
        """Remove text of the place that has most, in the order it came; None once all is taken and closed."""
        with self._changed:
            while (place := self._largest()) is None:
                if self._is_closed or self._is_abandoned:
                    return None
                self._changed.wait()
            taken, size = [], 0
            texts = self._texts[place]
            while texts and size < MOST:
                taken.append(texts.popleft())
                size += len(taken[-1])
            self._sizes[place] -= size
            self._held -= size
            self._changed.notify_all()
            return place, taken

    def close(self) -> None:
        """Say that no more will be put."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def abandon(self) -> None:
        """Forget all, and whatever is put from now on; nobody waits any more."""
        with self._changed:
            self._is_abandoned = True
            self._texts.clear()
            self._sizes.clear()
            self._held = 0
            self._changed.notify_all()

    def _largest(self) -> Place | None:
        """The place that is worth being taken now."""
        if not self._held:
            return None
        place = max(self._sizes, key=self._sizes.__getitem__)
        is_pressed = self._is_closed or 2 * self._held >= self._limit
        return place if is_pressed or self._sizes[place] >= LEAST else None
