"""Log files that lose no line, and where the lines of a process go."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
from collections.abc import Iterable
from pathlib import Path

from .jobsettings import DEFAULT_FORMAT
from .redact import redact

STANDARD_STREAMS = (1, 2)
"""Descriptors of stdout and stderr."""


class LogFile(logging.Handler):
    """A log file that is rotated by size.

    Every line is one write to a file in append mode: nothing is buffered, so nothing is lost when the process
    is killed. A file that somebody renamed or deleted is made anew.

    Args:
        path: the file; rotated ones get the suffixes ``.1``, ``.2`` and so on.
        size: bytes at which it is rotated; 0 means never.
        count: rotated files that are kept; 0 means that it is never rotated.
        redirect: let stdout and stderr go there too.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, path: Path, size: int, count: int, redirect: bool) -> None:
        super().__init__()
        self._path = path
        self._size = size if count else 0
        self._count = count
        self._redirect = redirect
        self._fd = -1
        self._open()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; a full disk costs the line, not the process."""
        try:
            line = (self.format(record) + "\n").encode("utf-8", "backslashreplace")
        except (TypeError, ValueError):
            self.handleError(record)
            return
        with contextlib.suppress(OSError):
            self._make_room(len(line))
            while line:
                line = line[os.write(self._fd, line) :]

    def close(self) -> None:
        """Close the file; stdout and stderr stay where they are."""
        with contextlib.suppress(OSError):
            os.close(self._fd)
        super().close()

    def _make_room(self, length: int) -> None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._open()
            return
        if not os.path.samestat(found, os.fstat(self._fd)):
            self._open()
        elif self._size and found.st_size and found.st_size + length > self._size:
            self._rotate()

    def _rotate(self) -> None:
        for number in range(self._count - 1, -1, -1):
            older = Path(f"{self._path}.{number}") if number else self._path
            with contextlib.suppress(FileNotFoundError):
                older.replace(f"{self._path}.{number + 1}")
        self._open()

    def _open(self) -> None:
        fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = fd
        if self._redirect:
            for stream in STANDARD_STREAMS:
                os.dup2(fd, stream)


class _Format(logging.Formatter):
    """A formatter that shows no password."""

    def format(self, record: logging.LogRecord) -> str:
        """The text of a record."""
        return redact(super().format(record))


def add_file(
    path: Path,
    size: int,
    count: int,
    redirect: bool,
    line_format: str = DEFAULT_FORMAT,
    time_format: str = "",
    name: str = "",
    service: str = "",
) -> None:
    """Log to a file from now on; see `LogFile`. ``name`` and ``service`` are for formats that show them.

    Raises:
        OSError: the file cannot be opened.
    """
    _add(LogFile(path, size, count, redirect), line_format, time_format, name, service)


def add_stderr() -> None:
    """Log to stderr from now on."""
    _add(logging.StreamHandler(sys.stderr), DEFAULT_FORMAT, "", "", "")


def _add(handler: logging.Handler, line_format: str, time_format: str, name: str, service: str) -> None:
    names = {"hostname": socket.gethostname(), "job_name": name, "service_name": service}
    handler.setFormatter(_Format(line_format, time_format or None, defaults=names))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)


def drop_all() -> None:
    """Forget the handlers of a parent process; closing them frees no descriptor that a child still needs."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
        handler.close()


def tell(name: str, warnings: Iterable[str]) -> None:
    """Log warnings, one line each, under a logger's name."""
    for warning in warnings:
        logging.getLogger(name).warning("%s", warning)
