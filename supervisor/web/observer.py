"""What the web child knows of the fleet: the latest status and the history."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable
from typing import Any

from ..errors import TdsupError
from .history import History
from .link import MasterLink

FRESH = 1.0
"""Seconds for which one answer serves everybody who looks."""


class Observer:
    """Asks the master for its status: rarely by itself, more often while somebody looks, never twice at once.

    Args:
        link: the way to the master.
        clock: gives the present moment, as ``time.monotonic()``.
    """

    def __init__(self, link: MasterLink, clock: Callable[[], float]) -> None:
        self._link = link
        self._clock = clock
        self._history = History()
        self._status: dict[str, Any] = {}
        self._at = -math.inf
        self._asking: asyncio.Task[None] | None = None

    async def watch(self) -> None:
        """Keep the history; never returns."""
        while True:
            # Without an answer there is a gap; people who look are told why.
            with contextlib.suppress(TdsupError):
                await self._renew()
            await asyncio.sleep(self._history.wait(self._clock()))

    async def status(self) -> dict[str, Any]:
        """The answer of the `status` command, at most `FRESH` seconds old.

        Raises:
            TdsupError: the master does not answer.
        """
        if self._clock() - self._at >= FRESH:
            await self._renew()
        return self._status

    async def describe(self, after: int | None) -> dict[str, Any]:
        """Status and history together; for ``after`` see `History.describe`.

        Raises:
            TdsupError: the master does not answer.
        """
        return {**await self.status(), "history": self._history.describe(after)}

    def forget(self) -> None:
        """The status is about to change: ask again when somebody wants it next."""
        self._at = -math.inf

    async def _renew(self) -> None:
        # All who come in the meantime wait for the same answer, even if the first of them goes away.
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        await asyncio.shield(self._asking)

    async def _ask(self) -> None:
        self._status = await self._link.ask("status")
        self._at = self._clock()
        self._history.record(self._status["jobs"], self._at)
