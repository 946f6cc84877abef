"""HTTP connections that nobody can hold open for ever. Only the web child imports this, after its fork."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import ClassVar, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE = 20.0
"""Seconds for a request to arrive and its answer to be read; several times `link.ANSWER_TIMEOUT`."""

CONNECTION_LIMIT = 256
"""Connections at a time, from the moment when they are accepted; for one more, the most silent is dropped."""


class Crowd:
    """All who are connected, the one that has been silent longest first.

    Args:
        limit: most of them.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._drops: dict[object, Callable[[], object]] = {}

    def hear(self, who: object, drop: Callable[[], object]) -> None:
        """Somebody has come, or has shown that he lives.

        Args:
            who: he.
            drop: ends his connection.
        """
        if self._drops.pop(who, None) is None and len(self._drops) >= self._limit:
            self.drop_one()
        self._drops[who] = drop

    def leave(self, who: object) -> None:
        """Somebody has gone."""
        self._drops.pop(who, None)

    def drop_one(self) -> None:
        """End the most silent connection, if there is any."""
        if self._drops:
            most_silent = next(iter(self._drops))
            self._drops.pop(most_silent)()


CROWD = Crowd(CONNECTION_LIMIT)
"""All connections of this process."""


class Connection(H11Protocol):
    """A connection that is dropped when it takes too long, or when there are too many that are less silent.

    uvicorn's own limits are not enough. Its keep-alive timeout begins after the first answer, so half a
    request stays for ever; and over its limit of connections it refuses new clients and keeps dead ones.
    """

    patience: ClassVar[float] = PATIENCE

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected, and has shaken hands if that is asked of it."""
        super().connection_made(cast(asyncio.Transport, transport))
        self._alive()

    def on_response_complete(self) -> None:
        """A request is answered; the next one has its own time."""
        if not self.transport.is_closing():
            self._alive()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """A client has sent nonsense; what it asked for before that is not answered any more."""
        if self.cycle is not None:
            self.cycle.disconnected = True
        # Where no answer fits any more, such as one with a body to HEAD, there is none.
        with contextlib.suppress(h11.LocalProtocolError):
            super().send_400_response(msg)
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        super().connection_lost(exc)
        CROWD.leave(self)
        if self._deadline is not None:
            self._deadline.cancel()

    def _alive(self) -> None:
        CROWD.hear(self, self._drop)
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(self.patience, self._drop)

    def _drop(self) -> None:
        self.transport.abort()
