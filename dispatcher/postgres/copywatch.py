"""COPY into a server that may stall for as long as it likes, but is noticed when it is cut off.

A server that reads nothing, as one that waits for a lock, and one that is cut off are the same to the
kernel's TCP_USER_TIMEOUT, and no keepalives are sent while bytes wait. So that timeout is off while a COPY
runs, and a thread looks whether anything is acknowledged: the kernel of a server that stalls does that.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

LOOK = 1.0
"""Seconds between two looks."""

SILENCE = 11_000
"""Milliseconds without any answer after which the server is cut off, as in `connected`."""

UNANSWERED = 2
"""Segments or probes in a row that nobody answered; one may be lost, or on its way."""

_LAST_ANSWER = 56
"""Offset of ``tcpi_last_ack_recv`` in ``struct tcp_info`` (linux/tcp.h)."""


class WatchedConnection(Connection):
    """A connection whose COPYs are watched."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.watch = CopyWatch(self.fileno())
        if self.watch.is_needed:
            self.cursor_factory = _Cursor

    def close(self) -> None:
        """Close it."""
        super().close()
        self.watch.close()


class _Cursor(Cursor):
    def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> None:
        connection = self.connection
        assert isinstance(connection, WatchedConnection)
        with connection.watch.copying():
            super().copy_expert(sql, file, size)


class CopyWatch:
    """Watches a socket while COPYs run.

    Its thread lives as long as there is a COPY at least at every other look; one that is idle costs nothing.

    Args:
        descriptor: of the socket. The watch has its own, so that none which takes the number later is meant.

    Attributes:
        is_needed: the socket can be cut off; a unix socket cannot.
    """

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=os.dup(descriptor))
        self.is_needed = self._socket.family in {socket.AF_INET, socket.AF_INET6}
        self._timeout = self._user_timeout() if self.is_needed else 0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._copying = self._copied = self._found_cut = False

    def close(self) -> None:
        """Watch no more."""
        with self._lock:
            self._copying = False
            self._socket.close()

    @contextmanager
    def copying(self) -> Iterator[None]:
        """A COPY runs for the length of the context.

        Raises:
            psycopg2.OperationalError: the server is cut off.
        """
        self._begin()
        try:
            yield
        except psycopg2.Error as error:
            if self._found_cut:
                reason = f"the server has acknowledged nothing for {SILENCE // 1000} s"
                raise psycopg2.OperationalError(reason) from error
            raise
        finally:
            self._end()

    def _begin(self) -> None:
        with self._lock:
            self._set_user_timeout(0)
            self._copying = self._copied = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="watch", daemon=True)
                self._thread.start()

    def _end(self) -> None:
        with self._lock:
            self._copying = False
            self._set_user_timeout(self._timeout)

    def _look(self) -> None:
        while True:
            time.sleep(LOOK)
            with self._lock:
                if not self._copied:
                    self._thread = None
                    return
                self._copied = self._copying
                if self._copying and self._is_cut():
                    self._found_cut = True
                    # Whoever waits for the socket wakes up.
                    self._socket.shutdown(socket.SHUT_RDWR)
                    self._copying = False

    def _is_cut(self) -> bool:
        info = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_ANSWER + 4)
        retransmits, probes = info[2], info[3]
        (silence,) = struct.unpack_from("=I", info, _LAST_ANSWER)
        return max(retransmits, probes) >= UNANSWERED and silence >= SILENCE

    def _user_timeout(self) -> int:
        return self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)

    def _set_user_timeout(self, milliseconds: int) -> None:
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
