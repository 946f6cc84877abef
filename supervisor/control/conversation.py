"""One connection to the control socket: JSON lines in, JSON lines out."""

from __future__ import annotations

import contextlib
import json
import logging
import selectors
import socket
from collections.abc import Callable
from typing import Any

from ..errors import BadRequest, TdsupError
from ..loop import Loop, Timer

LINE_LIMIT = 65536
"""Bytes of one request."""

IDLE_LIMIT = 60.0
"""Seconds without a byte after which a connection is closed."""

OUTPUT_LIMIT = 1048576
"""Bytes of unread replies after which the requests of a client wait."""

REQUESTS_PER_TURN = 10
"""Requests of one connection that are served before others get their turn."""

_log = logging.getLogger("tdsup")


class Conversation:
    """One connection: bytes in, requests, bytes out."""

    def __init__(
        self,
        connection: socket.socket,
        loop: Loop,
        serve: Callable[[str, Any], Any],
        forget: Callable[[Conversation], None],
    ) -> None:
        self._connection = connection
        self._loop = loop
        self._serve = serve
        self._forget = forget
        self._input = bytearray()
        self._output = bytearray()
        self._closing = False
        self._open = True
        self._ended = False
        self._used = loop.now()
        self._idle: Timer | None = None

    def start(self) -> None:
        """Begin to serve."""
        self._expire()
        self._watch()

    def refuse(self, code: str, message: str) -> None:
        """Say why the client is not served, and close."""
        self._reply_error(code, message)
        with contextlib.suppress(OSError):
            self._connection.send(self._output)
        self.close()

    def close(self) -> None:
        """Drop the connection, with its unread replies."""
        if self._open:
            self._open = False
            self._loop.unwatch(self._connection.fileno())
            self._connection.close()
            if self._idle is not None:
                self._idle.cancel()
            self._forget(self)

    def _expire(self) -> None:
        now = self._loop.now()
        if now - self._used >= IDLE_LIMIT:
            self.close()
        else:
            self._idle = self._loop.at(self._used + IDLE_LIMIT, self._expire)

    def _watch(self) -> None:
        events = selectors.EVENT_WRITE if self._output else 0
        # What has arrived is served before more is read: a client may send faster than it is served.
        waiting = b"\n" in self._input or len(self._output) >= OUTPUT_LIMIT
        if not (self._closing or self._ended or waiting):
            events |= selectors.EVENT_READ
        if events:
            self._loop.watch(self._connection.fileno(), events, self._ready)
        else:
            self._loop.unwatch(self._connection.fileno())

    def _ready(self, events: int) -> None:
        self._used = self._loop.now()
        try:
            if events & selectors.EVENT_READ:
                self._read()
            self._turn()
        except BlockingIOError:
            pass
        except OSError:
            self.close()

    def _read(self) -> None:
        received = self._connection.recv(LINE_LIMIT)
        self._ended = not received
        self._input += received

    def _turn(self) -> None:
        """Serve some requests, and send as much as the client takes."""
        if not self._open:
            return
        for _ in range(REQUESTS_PER_TURN):
            line, newline, rest = self._input.partition(b"\n")
            if len(line) > LINE_LIMIT:
                self._reply_error(BadRequest.code, f"cannot read the request: longer than {LINE_LIMIT} bytes")
                self._closing = True
                self._input.clear()
            if self._closing or not newline or len(self._output) >= OUTPUT_LIMIT:
                break
            self._input = rest
            self._request(bytes(line))
        self._send()
        more = b"\n" in self._input and len(self._output) < OUTPUT_LIMIT
        if not self._output and (self._closing or (self._ended and not more)):
            self.close()
            return
        if more:
            self._loop.at(self._loop.now(), self._turn_again)
        self._watch()

    def _turn_again(self) -> None:
        self._ready(0)

    def _send(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._output:
                del self._output[: self._connection.send(self._output)]

    def _request(self, line: bytes) -> None:
        try:
            name, arguments = _parse(line)
            reply = {"ok": True, "data": self._serve(name, arguments)}
        except TdsupError as error:
            self._reply_error(error.code, str(error))
        except Exception:  # noqa: BLE001 (a defect in one command must not end the fleet)
            _log.exception("cannot serve a request: a defect of tdsup, please report it")
            self._reply_error("internal", "cannot serve the request: a defect of tdsup, see the master's log")
        else:
            self._reply(reply)

    def _reply_error(self, code: str, message: str) -> None:
        self._reply({"ok": False, "error": {"code": code, "message": message}})

    def _reply(self, reply: dict[str, Any]) -> None:
        self._output += json.dumps(reply, separators=(",", ":")).encode() + b"\n"


def _parse(line: bytes) -> tuple[str, dict[str, Any]]:
    """Name and arguments of a request."""
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadRequest("cannot read the request: it is not a line of JSON") from error
    if not isinstance(request, dict) or not isinstance(request.get("cmd"), str):
        raise BadRequest('cannot read the request: it is not of the form {"cmd": name, "args": {…}}')
    arguments = request.get("args", {})
    if not isinstance(arguments, dict):
        raise BadRequest("cannot read the request: args is not an object")
    return request["cmd"], arguments
