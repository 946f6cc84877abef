"""HTTP connections that nobody can hold open for ever. Only the web child imports this, after its fork."""

from __future__ import annotations

import asyncio
from typing import ClassVar, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE = 20.0
"""Seconds for a request to arrive and its answer to be read; several times `link.ANSWER_TIMEOUT`."""

CONNECTION_LIMIT = 256
"""Connections at a time; for one more, the one that has been silent longest is dropped."""


class Connection(H11Protocol):
    """A connection that is dropped when it takes too long, or when there are too many that are less silent.

    uvicorn's own limits are not enough. Its keep-alive timeout begins after the first answer, so half a
    request stays for ever; and over its limit of connections it refuses new clients and keeps dead ones.
    """

    patience: ClassVar[float] = PATIENCE
    limit: ClassVar[int] = CONNECTION_LIMIT
    _open: ClassVar[dict[H11Protocol, None]] = {}
    """All connections, the one that has been silent longest first."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        super().connection_made(cast(asyncio.Transport, transport))
        if len(self._open) >= self.limit:
            most_silent = next(iter(self._open))
            del self._open[most_silent]
            most_silent.transport.abort()
        self._alive()

    def on_response_complete(self) -> None:
        """A request is answered; the next one has its own time."""
        if not self.transport.is_closing():
            self._alive()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        super().connection_lost(exc)
        self._open.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()

    def _alive(self) -> None:
        self._open.pop(self, None)
        self._open[self] = None
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(self.patience, self._drop)

    def _drop(self) -> None:
        self.transport.abort()
