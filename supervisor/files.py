"""Files and folders of a fleet, closed to others."""

from __future__ import annotations

import os
from pathlib import Path

STREAMS = frozenset({"/dev/stdout", "/dev/stderr"})
"""Links that a log may be written to."""


def open_to_append(path: Path) -> int:
    """Open a log, which is made if need be; returns its descriptor.

    Raises:
        OSError: it cannot be opened, or is a link: whoever made that would choose the file.
    """
    follow = 0 if str(path) in STREAMS else os.O_NOFOLLOW
    # A fifo that nobody reads would never be opened.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK | follow
    fd = os.open(path, flags, 0o640)
    os.set_blocking(fd, True)
    return fd


def make_private(folder: Path) -> None:
    """Make a folder for logs and the like, if it is not there; whatever the umask, others cannot look in.

    Raises:
        OSError: it cannot be made.
    """
    if not folder.is_dir():
        folder.mkdir()
        folder.chmod(0o750)
