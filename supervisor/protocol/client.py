"""The other end of the control socket, for the command line."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from typing import Any, Self

from ..errors import Forbidden, NotRunning, Refused
from ..flock import open_folder, try_lock

REPLY_TIMEOUT = 30.0
"""Seconds to wait for a reply; a master answers within milliseconds, a stopped one (SIGSTOP) never."""


class Client:
    """A connection to a fleet's master; a context manager.

    Args:
        path: the control socket.

    Raises:
        NotRunning: nobody listens there.
        Forbidden: this account may not connect.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # No timeout yet: with one, a full queue of new connections would be an error, not a wait.
            self._socket.connect(path)
        except (FileNotFoundError, ConnectionRefusedError) as error:
            self._socket.close()
            here = os.getcwd()  # noqa: PTH109 (pathlib takes longer than all else)
            if _is_locked():
                why = f"a master runs in {here}, but somebody has removed its control socket {path}"
                raise NotRunning(f"cannot reach the fleet: {why}; it makes it anew within 10 s") from error
            where = f"in {here} (it would listen on {path}); -C DIR names another directory"
            raise NotRunning(f"cannot reach the fleet: no master runs {where}") from error
        except PermissionError as error:
            self._socket.close()
            who = "its own account, root, and members of socket_group in its tdsup.yaml may"
            raise Forbidden(f"cannot reach the fleet: {path}: {error.strerror}: {who}") from error
        except OSError as error:
            self._socket.close()
            raise NotRunning(f"cannot reach the fleet: {path}: {error.strerror}") from error
        self._socket.settimeout(REPLY_TIMEOUT)
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()
        self._socket.close()

    def call(self, command: str, **arguments: Any) -> Any:
        """Carry out a command; returns its data.

        Raises:
            Refused: the master says no.
            NotRunning: the master went away or does not answer.
        """
        request = json.dumps({"cmd": command, "args": arguments}).encode() + b"\n"
        try:
            # A master with too many clients says so and closes the connection, perhaps before it is asked.
            with contextlib.suppress(BrokenPipeError):
                self._socket.sendall(request)
            line = self._file.readline()
        except TimeoutError as error:
            reason = f"the master on {self._path} has not answered for {REPLY_TIMEOUT:g} s"
            raise NotRunning(f"cannot reach the fleet: {reason}") from error
        except OSError:
            line = b""
        if not line:
            raise NotRunning(f"cannot reach the fleet: the master on {self._path} went away")
        reply = json.loads(line)
        if not reply["ok"]:
            raise Refused(reply["error"]["code"], reply["error"]["message"])
        return reply["data"]

    def wait_closed(self) -> None:
        """Wait until the master closes the connection; after that it only gives back its lock."""
        self._socket.settimeout(None)
        try:
            while self._file.read(4096):
                pass
        except OSError:
            pass


def _is_locked() -> bool:
    """Whether a master has locked the working directory."""
    folder = open_folder(shared=True)
    if folder is None:
        return False
    try:
        return not try_lock(folder, shared=True)
    finally:
        os.close(folder)
