"""The end of a job's log, fit to be shown."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress

from tdsup.jobtype import printable

from ...errors import TdsupError
from ...redact import redact

LINES = 200
"""Lines that are shown at most."""

BYTES = 262144
"""Bytes of a file that are read for them."""


def end_of_log(path: str) -> str:
    """The last lines of a log, and of the one before it if it was just rotated; each made printable.

    Args:
        path: of the log, as the master says.

    Raises:
        TdsupError: it cannot be read, or is no regular file.
    """
    try:
        lines = _last_lines(path)
    except OSError as error:
        # Nobody logs to a link: whoever made it would choose the file.
        reason = "it is a link" if error.errno == errno.ELOOP else error.strerror
        raise TdsupError(f"cannot read {printable(path)}: {reason}") from error
    if len(lines) < LINES:
        with suppress(OSError):
            lines = _last_lines(f"{path}.1") + lines
    texts = (line.decode("utf-8", "backslashreplace").expandtabs() for line in lines[-LINES:])
    return "\n".join(printable(redact(text)) for text in texts)


def _last_lines(path: str) -> list[bytes]:
    # A fifo must not keep us waiting.
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        begin = max(0, found.st_size - BYTES)
        lines = os.pread(fd, BYTES, begin).splitlines()
    finally:
        os.close(fd)
    # The first one has lost its beginning.
    return lines[1:] if begin and len(lines) > 1 else lines
