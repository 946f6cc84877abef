"""The web child: its start, and its HTTP server.

It is an ordinary client of the control socket. So nothing that happens to it, such as a thousand half-open
connections, reaches the master. Only it imports an event loop and an HTTP server, and only after the fork.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tdsup.jobtype import Condition, Snapshot

from .. import logs
from ..config import FleetSettings
from ..errors import TdsupError
from ..exits import Exit
from ..worker import Heartbeat, Lifeline, Sender
from .token import load_token

if TYPE_CHECKING:
    from .observer import Observer
    from .site import Site

LOG_NAME = "tdsup-web.log"

HEAD_LIMIT = 16384
"""Bytes of a request's line and headers."""

_log = logging.getLogger("tdsup")


def run_web(settings: FleetSettings, channel: socket.socket) -> int:
    """Be the web child; returns the exit status. It ends at once when asked to, or when the master dies."""
    sender = Sender(channel)
    Lifeline(
        _log,
        Heartbeat(channel, settings.beat, sender.beat, lambda _order: None),
        stop=lambda: os._exit(Exit.OK),
        reload=lambda: None,
        terminate=None,
    ).start()
    scheme = "https" if settings.web_cert else "http"
    try:
        logs.set_level(logging.INFO)
        logs.add_file(
            Path(settings.log).with_name(LOG_NAME), settings.log_size, settings.log_count, redirect=True
        )
        token = load_token(settings.web_token_file) if settings.web_token_file else None
        if settings.web_cert:
            from .certificate import check_certificate

            check_certificate(settings.web_cert, settings.web_key)
        listener = _listen(*settings.web_address)
    except (OSError, TdsupError) as error:
        line = f"cannot serve {scheme}://{settings.web}: {_reason(error)}"
        _log.error("%s", line)
        sender.farewell(line)
        return Exit.FAILED
    from .link import MasterLink
    from .observer import Observer
    from .site import Site

    host, port = listener.getsockname()[:2]
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    sender.hello([], {"address": f"https://{address}" if settings.web_cert else address})
    sender.snapshot(Snapshot(Condition.RUNNING))
    link = MasterLink(settings.socket)
    observer = Observer(link, time.monotonic)
    _serve(Site(link, observer, token), observer, listener, settings)
    return Exit.OK


def _reason(error: OSError | TdsupError) -> str:
    if isinstance(error, TdsupError):
        return str(error)
    # create_server adds the address to the text; a failed look-up of the host has its own numbers.
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


def _serve(site: Site, observer: Observer, listener: socket.socket, settings: FleetSettings) -> None:
    import asyncio

    import uvicorn

    from .httpconnection import Connection

    class Server(uvicorn.Server):
        """A server that leaves signals to the lifeline."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Capture no signals."""
            yield

    config = uvicorn.Config(
        site,
        loop="asyncio",
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level=logging.ERROR,
        access_log=False,
        server_header=False,
        # The client is whoever connects: anybody can send a header that says otherwise.
        proxy_headers=False,
        h11_max_incomplete_event_size=HEAD_LIMIT,
        ssl_certfile=settings.web_cert or None,
        ssl_keyfile=settings.web_key or None,
    )

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(observer.watch())
            await Server(config).serve(sockets=[listener])

    asyncio.run(run())
