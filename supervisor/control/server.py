"""The control socket, which stays; and no client can make the master wait."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import selectors
import socket
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import Forbidden
from ..files import make_private
from ..loop import Loop
from .conversation import Conversation
from .lock import Lock
from .peer import Access, Caller

CLIENT_LIMIT = 2000
"""Connections at a time; one more is told so and closed."""

ACCEPTS_PER_TURN = 50
"""New connections that are accepted before others get their turn."""

KEEPING = 5.0
"""Seconds between two looks whether the socket is still there."""

PAUSE = 0.2
"""Seconds until the next try to accept a client, when this process has no descriptor for one."""

SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

_log = logging.getLogger("tdsup")

Serve = Callable[[str, Any, Caller], Any]
"""Carries out a command (name, arguments, who asks); returns data or raises TdsupError."""


class ControlServer:
    """Listens for clients, and goes on if somebody removes the socket or its folder.

    The caller holds the fleet's lock, so another socket of that name is stale.

    Args:
        path: of the socket.
        loop: what waits.
        serve: carries out commands.
        access: who may do what.
        lock: the fleet's, whose file may be removed along with the socket.

    Raises:
        OSError: the socket cannot be made.
    """

    def __init__(self, path: str, loop: Loop, serve: Serve, access: Access, lock: Lock) -> None:
        self._path = Path(path)
        self._access = access
        self._loop = loop
        self._serve = serve
        self._lock = lock
        self._clients: set[Conversation] = set()
        self._is_short = False
        self._fault = ""
        self._bind()
        self._listen()
        self._keeping = loop.at(loop.now() + KEEPING, self._keep)

    def close(self) -> None:
        """Close all connections and remove the socket."""
        self._keeping.cancel()
        if self._is_there():
            self._path.unlink(missing_ok=True)
        self._loop.unwatch(self._socket.fileno())
        self._socket.close()
        for client in list(self._clients):
            client.close()

    def _bind(self) -> None:
        make_private(self._path.parent)
        _clear(self._path)
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            made.setblocking(False)
            # By the mask: between bind and a chmod anybody could connect.
            mask = os.umask(0o177)
            try:
                made.bind(str(self._path))
            finally:
                os.umask(mask)
            self._made = self._path.lstat()
            self._access.open(self._path)
            made.listen(1024)
        except OSError:
            made.close()
            raise
        self._socket = made

    def _keep(self) -> None:
        """Make the socket anew if it is gone; clients that are connected stay so."""
        try:
            gone = not self._is_there()
            if gone:
                old = self._socket
                self._bind()
                self._loop.unwatch(old.fileno())
                old.close()
                self._listen()
            self._lock.renew()
            if gone:
                _log.warning("somebody has removed the control socket %s: it is made anew", self._path)
            self._fault = ""
        except OSError as error:
            fault = f"cannot make the control socket anew: {error.filename or self._path}: {error.strerror}"
            if fault != self._fault:
                _log.warning("%s; trying again every %g s", fault, KEEPING)
            self._fault = fault
        self._keeping = self._loop.at(self._loop.now() + KEEPING, self._keep)

    def _is_there(self) -> bool:
        try:
            return os.path.samestat(self._path.lstat(), self._made)
        except OSError:
            return False

    def _accept(self, _events: int) -> None:
        for _ in range(ACCEPTS_PER_TURN):
            try:
                connection, _address = self._socket.accept()
            except OSError as error:
                # Else it is a BlockingIOError, and that was all.
                if error.errno in SHORTAGES:
                    self._wait(error)
                return
            self._is_short = False
            connection.setblocking(False)
            caller = self._access.caller(connection)
            client = Conversation(
                connection, self._loop, partial(self._serve_for, caller), self._clients.discard
            )
            if not caller.may_read:
                client.refuse(Forbidden.code, f"cannot serve uid {caller.uid}: {caller.others}")
            elif len(self._clients) >= CLIENT_LIMIT:
                client.refuse("busy", f"cannot serve you: {CLIENT_LIMIT} connections are open")
            else:
                self._clients.add(client)
                client.start()

    def _serve_for(self, caller: Caller, name: str, arguments: Any) -> Any:
        return self._serve(name, arguments, caller)

    def _wait(self, error: OSError) -> None:
        """Accept nobody for a while: clients stay in the queue, which the loop would see again and again."""
        if not self._is_short:
            self._is_short = True
            _log.warning("cannot accept clients: %s; they wait until a descriptor is free", error.strerror)
        self._loop.unwatch(self._socket.fileno())
        self._loop.at(self._loop.now() + PAUSE, self._listen)

    def _listen(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.watch(self._socket.fileno(), selectors.EVENT_READ, self._accept)


def _clear(path: Path) -> None:
    """Remove the socket that a killed master has left behind.

    Raises:
        OSError: something else has its name.
    """
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise OSError(errno.EEXIST, "it is no socket; it stays", str(path))
        path.unlink()
