"""What a fleet remembers over its restarts: the jobs that somebody has paused for good."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator
from pathlib import Path

from .errors import TdsupError
from .files import make_private

NAME = "paused"
"""The file; a name of a job in each line."""

LIMIT = 1 << 20
"""Bytes of it that are read."""


class KeptPauses:
    """Names of jobs that stay paused, in a file that is replaced as a whole or not at all.

    Names that no job has stay, too: a file of a job that is gone for a while may come back.

    Args:
        folder: where the file is; it is made when there is something to remember.

    Attributes:
        fault: why the file could not be read; empty if it could, or is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / NAME
        self.fault = ""
        self._names: frozenset[str] = frozenset()
        try:
            with self._path.open("rb") as file:
                self._names = frozenset(filter(None, file.read(LIMIT).decode().split("\n")))
        except FileNotFoundError:
            pass
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not of UTF-8"
            self.fault = f"cannot read {self._path}: {reason}; no pause is kept from before"

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        """The names, sorted."""
        return iter(sorted(self._names))

    def add(self, names: Collection[str]) -> None:
        """Remember these jobs.

        Raises:
            TdsupError: the file cannot be written; what was remembered is as before.
        """
        self._write(self._names | frozenset(names))

    def remove(self, names: Collection[str]) -> None:
        """Forget these jobs; raises as `add`."""
        self._write(self._names - frozenset(names))

    def _write(self, names: frozenset[str]) -> None:
        if names == self._names:
            return
        new = self._path.with_name(f"{NAME}.new")
        try:
            make_private(self._folder)
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with open(descriptor, "wb") as file:  # noqa: PTH123 (a descriptor)
                file.write("".join(f"{name}\n" for name in sorted(names)).encode())
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
            self._settle()
        except OSError as error:
            with contextlib.suppress(OSError):
                new.unlink()
            raise TdsupError(f"cannot write {self._path}: {error.strerror}") from error
        self._names = names

    def _settle(self) -> None:
        """Let the new name of the file survive a crash of the machine."""
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
