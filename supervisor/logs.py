"""Where a process logs to: files that lose no line, stdout, or journald."""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn

from .files import open_to_append
from .journal import JournalLog
from .lineformat import LineFormat, Names, formatter
from .protocol import FILE

STDOUT = 1

STANDARD_STREAMS = (STDOUT, 2)
"""Descriptors of stdout and stderr."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Where all processes of a fleet log to in place of files of their own.

    Attributes:
        kind: what it is.
        line_format: of stdout; an entry of journald has time, level and job beside its text.
    """

    kind: Literal["stdout", "journald"]
    line_format: LineFormat

    def whereabouts(self, job: str | None) -> str:
        """Where to look for the log of a job, or of the master (None), in words."""
        text = f"everything is logged to {self.kind} (log_to in {FILE})"
        if self.kind == "stdout":
            return text
        return f"{text}; look with journalctl " + (shlex.quote(f"TDSUP_JOB={job}") if job else "-t tdsup")


class Output(logging.Handler):
    """Writes lines to a descriptor.

    Every line is one write: nothing is buffered, so nothing is lost when the process is killed. If the disk
    is full, the line is lost and the process goes on.

    Args:
        descriptor: stdout's, unless told otherwise.

    Attributes:
        written: bytes so far.
    """

    def __init__(self, descriptor: int = STDOUT) -> None:
        super().__init__()
        self.written = 0
        self._fd = descriptor

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            line = (self.format(record) + "\n").encode("utf-8", "backslashreplace")
        except (TypeError, ValueError):
            self.handleError(record)
            return
        # What fails here must lose no line: the file grows until a rotation succeeds.
        with contextlib.suppress(OSError):
            self.make_room(len(line))
        with contextlib.suppress(OSError):
            while line:
                count = os.write(self._fd, line)
                self.written += count
                line = line[count:]

    def make_room(self, length: int) -> None:
        """Get ready for a line of that many bytes."""


class LogFile(Output):
    """A log file in append mode that is rotated by size.

    If somebody renames or deletes the file, the next line makes a new one.

    Args:
        path: the file; rotated ones get the suffixes ``.1``, ``.2`` and so on.
        size: bytes at which it is rotated; 0: never.
        count: rotated files that are kept; 0: it is never rotated.
        redirect: send stdout and stderr there too.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, path: Path, size: int, count: int, redirect: bool) -> None:
        super().__init__(-1)
        self._path = path
        self._size = size if count else 0
        self._count = count
        self._redirect = redirect
        self._open()

    def close(self) -> None:
        """Close the file; stdout and stderr stay where they are."""
        with contextlib.suppress(OSError):
            os.close(self._fd)
        super().close()

    def rotate(self) -> None:
        """Begin a new file now, unless this one is empty or no rotated files are kept."""
        with contextlib.suppress(OSError):
            self.acquire()
            try:
                if self._count and self._path.stat().st_size:
                    self._rotate()
            finally:
                self.release()

    def make_room(self, length: int) -> None:
        """Rotate if the line is too much for the file; open the file again if it is another one by now."""
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
        fd = open_to_append(self._path)
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = fd
        if self._redirect:
            for stream in STANDARD_STREAMS:
                os.dup2(fd, stream)


_USUAL = LineFormat()
_NAMELESS = Names()


def add_file(
    path: Path,
    size: int,
    count: int,
    redirect: bool,
    line_format: LineFormat = _USUAL,
    names: Names = _NAMELESS,
) -> None:
    """Log to a file from now on; see `LogFile`.

    Raises:
        OSError: the file cannot be opened.
    """
    _add(LogFile(path, size, count, redirect), line_format, names)


def add_stream(stream: Stream, names: Names = _NAMELESS) -> None:
    """Log to stdout or journald from now on.

    Raises:
        OSError: journald does not listen.
    """
    if stream.kind == "stdout":
        _add(Output(), stream.line_format, names)
    else:
        _add(JournalLog(names.job), LineFormat("%(message)s"), names)


def add_stderr(line_format: LineFormat = _USUAL, names: Names = _NAMELESS) -> None:
    """Log to stderr from now on."""
    _add(logging.StreamHandler(sys.stderr), line_format, names)


def _add(handler: logging.Handler, line_format: LineFormat, names: Names) -> None:
    handler.setFormatter(formatter(line_format, names))
    logging.getLogger().addHandler(handler)
    logging.captureWarnings(True)


def set_level(level: int) -> None:
    """Log records of this level and above."""
    logging.getLogger().setLevel(level)


def redirect(path: Path) -> None:
    """Append stdout and stderr to a file from now on.

    Raises:
        OSError: the file cannot be opened.
    """
    fd = open_to_append(path)
    for stream in STANDARD_STREAMS:
        os.dup2(fd, stream)
    os.close(fd)


def rotate() -> None:
    """Begin a new file for each log file of this process."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, LogFile):
            handler.rotate()


def written() -> int:
    """Bytes that this process has logged, but for a console."""
    handlers = logging.getLogger().handlers
    return sum(handler.written for handler in handlers if isinstance(handler, Output | JournalLog))


def flush_and_exit(code: int) -> NoReturn:
    """End the process at once, without exit handlers, even if stdout and stderr cannot be flushed."""
    try:
        for stream in (sys.stdout, sys.stderr):
            # None if it was closed when the program began; an error if the disk is full.
            with contextlib.suppress(BaseException):
                stream.flush()
    finally:
        os._exit(code)


def drop_all() -> None:
    """Close all handlers, such as those of a parent process; stdout and stderr stay where they are."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
        handler.close()


def tell(name: str, warnings: Iterable[str]) -> None:
    """Log warnings, one line each, by the logger of that name."""
    for warning in warnings:
        logging.getLogger(name).warning("%s", warning)
