"""Noticing that files have changed, and when they are done changing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

SETTLED = 2.0
"""Seconds without another change after which files count as written; an editor is done by then."""

Signature = frozenset[tuple[str, int, int, int]]
"""Of each file: path, inode, size in bytes, and nanoseconds of the last change of content or rights."""


def signature(paths: Iterable[str]) -> Signature:
    """What files look like from outside; one that does not exist is left out."""
    found = set()
    for path in paths:
        try:
            stat = Path(path).stat()
        except OSError:
            continue
        found.add((path, stat.st_ino, stat.st_size, stat.st_ctime_ns))
    return frozenset(found)


class Watch:
    """Decides when files have changed and are done changing. It reads no file and no clock.

    Args:
        now: the present moment.
    """

    def __init__(self, now: float) -> None:
        self._read: Signature = frozenset()
        self._latest: Signature = frozenset()
        self._since = now

    def has_read(self, seen: Signature) -> None:
        """The files are read; this is what they looked like just before."""
        self._read = seen

    def settled(self, seen: Signature, now: float) -> bool:
        """Take a look; returns whether the files have changed since they were read, and are still now.

        Args:
            seen: signature of the files at this moment.
            now: the present moment.
        """
        if seen != self._latest:
            self._latest, self._since = seen, now
        return seen != self._read and now - self._since >= SETTLED
