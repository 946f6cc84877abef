"""The gate: clients are accepted one by one, counted at once, and shown out if they do not shake hands."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import socket
from collections.abc import Callable

from .certificate import Certificate
from .httpconnection import CROWD, Connection, Crowd

HANDSHAKE_TIMEOUT = 5.0
"""Seconds for a client to shake hands by TLS."""

HANDSHAKE_LIMIT = 64
"""Clients that shake hands at a time; for one more, the one that has taken longest is shown out."""

SWEEP = 64
"""Clients of TLS after which their garbage is collected."""

PAUSE = 0.2
"""Seconds until the next try to accept a client, when this process has no descriptor for one."""

SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

_log = logging.getLogger("tdsup")


class Gate:
    """Lets clients in.

    Args:
        listener: where they come.
        make: makes the protocol of a client's connection.
        certificate: for HTTPS; None: HTTP.
    """

    def __init__(
        self,
        listener: socket.socket,
        make: Callable[[], Connection],
        certificate: Certificate | None,
    ) -> None:
        listener.setblocking(False)
        self._listener = listener
        self._make = make
        self._certificate = certificate
        self._entering: set[asyncio.Task[None]] = set()
        self._entrants = Crowd(HANDSHAKE_LIMIT)
        self._count = 0
        self._is_short = False

    async def open(self) -> None:
        """Let clients in; never returns."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _address = await loop.sock_accept(self._listener)
            except OSError as error:
                # Others are clients that went away again.
                if error.errno in SHORTAGES:
                    await self._wait(error)
                continue
            self._is_short = False
            connection = self._make()
            task = loop.create_task(self._enter(client, connection))
            self._entering.add(task)
            task.add_done_callback(self._entering.discard)
            CROWD.hear(connection, task.cancel)
            if self._certificate:
                self._entrants.hear(connection, task.cancel)
                self._sweep()
            # A crowd at the gate must not keep those inside from being served.
            await asyncio.sleep(0)

    async def _enter(self, client: socket.socket, connection: Connection) -> None:
        """Shake hands with a client; from then on its connection answers for it."""
        context = self._certificate.context() if self._certificate else None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection,
                client,
                ssl=context,
                ssl_handshake_timeout=HANDSHAKE_TIMEOUT if context else None,
            )
        except (OSError, asyncio.CancelledError):
            CROWD.leave(connection)
            client.close()
        finally:
            self._entrants.leave(connection)

    def _sweep(self) -> None:
        """Free what clients of TLS have left behind: large buffers, in cycles that Python finds late."""
        self._count += 1
        if self._count % SWEEP == 0:
            gc.collect()

    async def _wait(self, error: OSError) -> None:
        """Wait for a descriptor; who has been silent longest gives his."""
        if not self._is_short:
            self._is_short = True
            _log.warning("web: cannot accept clients: %s; the most silent ones are dropped", error.strerror)
        CROWD.drop_one()
        await asyncio.sleep(PAUSE)
