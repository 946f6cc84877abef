"""Log lines to journald, with the job and the level as fields."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import struct
from collections.abc import Mapping
from fcntl import F_ADD_SEALS, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE, fcntl

SOCKET = "/run/systemd/journal/socket"
"""Where journald takes entries (systemd's "Native Journal Protocol")."""

PATIENCE = struct.pack("ll", 1, 0)
"""``struct timeval``: how long a line waits for journald before it is lost."""

PRIORITIES = ((logging.CRITICAL, "2"), (logging.ERROR, "3"), (logging.WARNING, "4"), (logging.INFO, "6"))
"""Levels and their priorities, those of syslog; what is below is debug."""

DEBUG = "7"


class JournalLog(logging.Handler):
    """Sends each record to journald as one entry: a traceback stays with its message.

    Fields: ``MESSAGE``, ``PRIORITY``, ``SYSLOG_IDENTIFIER`` (tdsup) and, for lines of a job or about one,
    ``TDSUP_JOB``. If journald does not take an entry, it is lost and the process goes on.

    Args:
        job: whose process this is; a record's own attribute ``job`` counts more.

    Attributes:
        written: bytes so far.

    Raises:
        OSError: journald does not listen.
    """

    def __init__(self, job: str) -> None:
        super().__init__()
        self._job = job
        self.written = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.connect(SOCKET)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, PATIENCE)
        except OSError as error:
            self._socket.close()
            raise OSError(error.errno, error.strerror, SOCKET) from error

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record."""
        try:
            message = self.format(record)
        except (TypeError, ValueError):
            self.handleError(record)
            return
        fields = {
            "MESSAGE": message,
            "PRIORITY": next((number for level, number in PRIORITIES if record.levelno >= level), DEBUG),
            "SYSLOG_IDENTIFIER": "tdsup",
        }
        if job := getattr(record, "job", self._job):
            fields["TDSUP_JOB"] = job
        content = entry(fields)
        with contextlib.suppress(OSError):
            self._send(content)
            self.written += len(content)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
        super().close()

    def _send(self, content: bytes) -> None:
        try:
            # By address: journald may have been started anew, on a new socket.
            self._socket.sendto(content, SOCKET)
        except OSError as error:
            if error.errno not in {errno.EMSGSIZE, errno.ENOBUFS}:
                raise
            self._send_as_file(content)

    def _send_as_file(self, content: bytes) -> None:
        """Send what is too long for a datagram: journald takes a sealed file of memory in its place."""
        with open(os.memfd_create("tdsup", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC), "wb") as file:  # noqa: PTH123
            file.write(content)
            file.flush()
            fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)
            socket.send_fds(self._socket, [b""], [file.fileno()], 0, SOCKET)


def entry(fields: Mapping[str, str]) -> bytes:
    """An entry as journald reads it, each value with its length: none can be mistaken for another field."""
    return b"".join(
        b"%s\n%s%s\n" % (name.encode(), struct.pack("<Q", len(value)), value)
        for name, value in ((name, text.encode("utf-8", "backslashreplace")) for name, text in fields.items())
    )
