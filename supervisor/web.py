"""The web child: ``/metrics`` and ``/healthz``.

It is an ordinary client of the control socket, hence nothing that happens to it, such as a thousand half-open
connections, reaches the master. Only it imports an HTTP server, and only after the fork.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from . import logs
from .channel import Sender
from .errors import TdsupError
from .exits import Exit
from .fleet import FleetSettings
from .lifeline import Lifeline

ANSWER_TIMEOUT = 5.0
"""Seconds that the master has for an answer; it takes milliseconds."""

ANSWER_LIMIT = 67108864
"""Bytes of one answer, some hundred times that of a large fleet."""

LOG_NAME = "tdsup-web.log"

TEXT = "text/plain; charset=utf-8"

_log = logging.getLogger("tdsup")

Response = tuple[int, str, bytes]
"""Status, content type, body."""

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def run_web(settings: FleetSettings, channel: socket.socket) -> int:
    """Be the web child; returns the exit status. Ends at once when asked to, or when the master is dead."""
    sender = Sender(channel)
    Lifeline(channel, sender.beat, lambda: os._exit(Exit.OK), _log, lambda: None, None).start()
    try:
        logs.set_level(logging.INFO)
        logs.add_file(
            Path(settings.log).with_name(LOG_NAME), settings.log_size, settings.log_count, redirect=True
        )
        listener = _listen(*settings.web_address)
    except OSError as error:
        # create_server adds the address to the text; a failed look-up of the host has numbers of its own.
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        line = f"cannot serve http://{settings.web}: {reason}"
        _log.error("%s", line)
        sender.farewell(line)
        return Exit.FAILED
    host, port = listener.getsockname()[:2]
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    sender.hello([], {"address": address})
    sender.snapshot("running", "", {})
    _serve(WebApp(settings.socket), listener)
    return Exit.OK


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


def _serve(app: WebApp, listener: socket.socket) -> None:
    import uvicorn

    class Server(uvicorn.Server):
        """A server that leaves the signals to the lifeline."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Capture none."""
            yield

    config = uvicorn.Config(
        app, loop="asyncio", http="h11", ws="none", lifespan="off", log_config=None, access_log=False
    )
    asyncio.run(Server(config).serve(sockets=[listener]))


class WebApp:
    """The ASGI application.

    Args:
        control: path of the control socket.
    """

    def __init__(self, control: str) -> None:
        self._control = control
        self._routes = {"/metrics": self._metrics, "/healthz": self._healthz}

    async def __call__(self, scope: Scope, _receive: Any, send: Send) -> None:
        """Answer one request."""
        status, kind, body = await self._answer(scope)
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answer(self, scope: Scope) -> Response:
        route = self._routes.get(scope["path"])
        if route is None:
            return 404, TEXT, f"no such page (there are: {' '.join(self._routes)})\n".encode()
        if scope["method"] not in {"GET", "HEAD"}:
            return 405, TEXT, b"only GET and HEAD\n"
        try:
            return await route(scope)
        except TdsupError as error:
            return 503, TEXT, f"{error}\n".encode()

    async def _healthz(self, _scope: Scope) -> Response:
        await self._ask("version")
        return 200, TEXT, b"ok\n"

    async def _metrics(self, scope: Scope) -> Response:
        from prometheus_client.exposition import choose_encoder

        from .metrics import FleetCollector

        accept = dict(scope["headers"]).get(b"accept", b"").decode("latin-1")
        encode, kind = choose_encoder(accept)
        return 200, kind, encode(FleetCollector(await self._ask("metrics")))

    async def _ask(self, command: str) -> Any:
        """Data of a command's answer; raises TdsupError if there is none."""
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                reader, writer = await asyncio.open_unix_connection(self._control, limit=ANSWER_LIMIT)
                with contextlib.closing(writer):
                    writer.write(json.dumps({"cmd": command}).encode() + b"\n")
                    reply = json.loads(await reader.readline())
        except (OSError, ValueError) as error:
            raise TdsupError(f"cannot reach the master: {str(error) or 'no answer'}") from error
        if not reply["ok"]:
            raise TdsupError(reply["error"]["message"])
        return reply["data"]
