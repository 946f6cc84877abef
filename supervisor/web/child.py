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
from typing import TYPE_CHECKING

from tdsup.jobtype import Condition, Snapshot

from .. import logs
from ..config import FleetSettings
from ..errors import TdsupError
from ..exits import Exit
from ..worker import Heartbeat, Lifeline, Sender, open_log_of_child
from .access import HostNames, ReadingKey, Rules, WebToken, is_local, load_secret

if TYPE_CHECKING:
    import uvicorn

    from .certificate import Certificate
    from .observer import Observer
    from .site import Site

LOG_NAME = "tdsup-web"

HEAD_LIMIT = 16384
"""Bytes of a request's line and headers."""

_log = logging.getLogger("tdsup")


def run_web(settings: FleetSettings, channel: socket.socket) -> int:
    """Be the web child; returns the exit status. It ends at once when asked to, or when the master dies."""
    sender = Sender(channel)
    Lifeline(
        _log,
        Heartbeat(channel, settings.beat, sender.beat, lambda _message: None),
        stop=lambda: os._exit(Exit.OK),
        reload=lambda: None,
        terminate=None,
    ).start()
    scheme = "https" if settings.web_cert else "http"
    try:
        logs.set_level(logging.INFO)
        open_log_of_child(LOG_NAME, settings)
        rules = _rules(settings)
        certificate = _certificate(settings)
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
    sender.snapshot(Snapshot(Condition.RUNNING, f"the page is {scheme}://{address}/"))
    link = MasterLink(settings.socket)
    observer = Observer(link, time.monotonic)
    _serve(Site(link, observer, rules, certificate, settings.stream), observer, listener, certificate)
    return Exit.OK


def _rules(settings: FleetSettings) -> Rules:
    """Who may do what, as the fleet's settings say; a person is told if anybody may read from afar."""
    files = {"web_token_file": settings.web_token_file, "web_read_file": settings.web_read_file}
    token, reading = (load_secret(key, path) if path else b"" for key, path in files.items())
    host, _port = settings.web_address
    if not (reading or is_local(host)):
        _log.warning("web: whoever reaches %s can read all pages; web_read_file would ask for a secret", host)
    return Rules(
        HostNames([*settings.web_hosts, host]),
        WebToken(token) if token else None,
        ReadingKey(reading) if reading else None,
    )


def _certificate(settings: FleetSettings) -> Certificate | None:
    if not settings.web_cert:
        return None
    from .certificate import Certificate

    return Certificate(settings.web_cert, settings.web_key)


def _reason(error: OSError | TdsupError) -> str:
    if isinstance(error, TdsupError):
        return str(error)
    # create_server adds the address to the text; a failed look-up of the host has its own numbers.
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


def _serve(site: Site, observer: Observer, listener: socket.socket, certificate: Certificate | None) -> None:
    import asyncio

    from .gate import Gate
    from .httpconnection import Connection

    server = _server(site)

    def connect() -> Connection:
        return Connection(server.config, server.server_state, {})

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(observer.watch())
            group.create_task(site.learn_names())
            group.create_task(Gate(listener, connect, certificate).open())
            # It keeps time; clients come through the gate.
            await server.serve(sockets=[])

    asyncio.run(run())


def _server(site: Site) -> uvicorn.Server:
    """A server that listens nowhere, for connections of ours."""
    import asyncio

    import uvicorn

    from .httpconnection import Connection

    class Server(uvicorn.Server):
        """A server that leaves signals to the lifeline."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Capture no signals."""
            yield

        async def main_loop(self) -> None:
            """Keep the date of answers, and wake for nothing else."""
            while not await self.on_tick(0):
                await asyncio.sleep(1.0)

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
    )
    config.load()
    return Server(config)
