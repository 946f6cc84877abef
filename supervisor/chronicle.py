"""What jobs have done, over restarts of the fleet: a bounded file for each job."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from .files import make_private

FOLDER = "history"
"""Where the files are, in the folder of what outlives a restart."""

LIMIT = 65536
"""Bytes of a file; when there are more, the older half is dropped."""

_log = logging.getLogger("tdsup")


@dataclass(frozen=True, slots=True)
class Change:
    """A job's state has changed.

    Attributes:
        at: when, in seconds since 1970.
        state: the new one.
        reason: why.
        pid: of its process; None without one.
    """

    at: float
    state: str
    reason: str = ""
    pid: int | None = None


class Chronicle:
    """Writes what jobs do. What cannot be written is lost, and the fleet goes on.

    Args:
        state: the folder of what outlives a restart.
    """

    def __init__(self, state: Path) -> None:
        self._state = state
        self._folder = state / FOLDER
        self._is_broken = False

    def note(self, job: str, state: str, reason: str, pid: int | None) -> None:
        """Write that the state of a job has changed."""
        line = json.dumps(asdict(Change(round(time.time(), 3), state, reason, pid))).encode() + b"\n"
        path = self._folder / job
        try:
            self._append(path, line)
            self._is_broken = False
        except OSError as error:
            if not self._is_broken:
                reason = error.strerror or str(error)
                _log.warning("cannot write the history of jobs: %s: %s", error.filename or path, reason)
            self._is_broken = True

    def forget(self, job: str) -> None:
        """Drop what is known of a job that is gone for good."""
        (self._folder / job).unlink(missing_ok=True)

    def _append(self, path: Path, line: bytes) -> None:
        if not self._folder.is_dir():
            make_private(self._state)
            make_private(self._folder)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        with os.fdopen(os.open(path, flags, 0o640), "r+b", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            if size + len(line) > LIMIT:
                file.seek(size // 2)
                _cut, _newline, newer = file.read(LIMIT).partition(b"\n")
                file.truncate(0)
                file.write(newer)
            file.write(line)


def changes(state: Path, job: str) -> Iterator[Change]:
    """What is known of a job, oldest first; a line that a crash has cut is left out.

    Args:
        state: the folder of what outlives a restart.
        job: its name.

    Raises:
        OSError: it cannot be read; `FileNotFoundError` if nothing is known.
    """
    with (state / FOLDER / job).open("rb") as file:
        for line in file.read(2 * LIMIT).splitlines():
            try:
                yield Change(**json.loads(line))
            except (ValueError, TypeError):
                continue
