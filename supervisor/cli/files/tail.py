"""The end of a log file, and what is added to it, across rotations."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

BLOCK = 65536
"""Bytes read at a time."""


class Tail:
    """Follows a log file from some lines before its present end.

    When the file is rotated away, it is read to its end first, then those that came after it, oldest first.
    When it is truncated, it is read from its beginning.

    Args:
        path: the log; rotated ones have the suffixes ``.1``, ``.2`` and so on.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    def last(self, lines: int) -> bytes:
        """The last lines of the file, and of the one before it if it has too few; `news` goes on after them.

        Raises:
            OSError: the file cannot be read.
        """
        self._file = self._path.open("rb")
        content = _end_of(self._file, lines)
        missing = lines - content.count(b"\n")
        older = Path(f"{self._path}.1")
        if missing > 0 and older.exists():
            with older.open("rb") as file:
                content = _end_of(file, missing) + content
        return content

    def news(self) -> Iterator[bytes]:
        """What was added since the last look, block by block."""
        if self._file is not None:
            yield from self._rest(self._file)
        for path in self._newer():
            try:
                file = path.open("rb")
            except OSError:
                continue  # It was rotated again; the next look finds it.
            if self._file is not None:
                # What was written between our last look at it and the rotation.
                yield from self._rest(self._file)
                self._file.close()
            self._file = file
            yield from self._rest(file)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    @staticmethod
    def _rest(file: BinaryIO) -> Iterator[bytes]:
        if os.fstat(file.fileno()).st_size < file.tell():
            file.seek(0)
        while block := file.read(BLOCK):
            yield block

    def _newer(self) -> list[Path]:
        """Files that came after the open one, oldest first; none if the open one is still the log."""
        found: list[Path] = []
        path, number = self._path, 0
        while True:
            try:
                stat = path.stat()
            except OSError:
                if number:
                    break
            else:
                if self._file is not None and os.path.samestat(stat, os.fstat(self._file.fileno())):
                    return found[::-1]
                found.append(path)
            number += 1
            path = Path(f"{self._path}.{number}")
        # Ours is gone, deleted or rotated out: files written to later are newer.
        ours = os.fstat(self._file.fileno()).st_mtime_ns if self._file is not None else 0
        return [path for path in reversed(found) if path.exists() and path.stat().st_mtime_ns > ours]


def _end_of(file: BinaryIO, lines: int) -> bytes:
    """The last lines of a file; it is left at its end."""
    position = file.seek(0, os.SEEK_END)
    content = b""
    while position and content.count(b"\n") <= lines:
        step = min(BLOCK, position)
        position -= step
        file.seek(position)
        content = file.read(step) + content
    file.seek(0, os.SEEK_END)
    return b"".join(content.splitlines(keepends=True)[-lines:]) if lines else b""
