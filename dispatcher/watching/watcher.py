"""A watcher looks at one database again and again, whatever becomes of that meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import psycopg2
from tdsup.jobtype import Condition, Snapshot, WatchContext

from ..address import Address
from ..errors import Outage, one_line
from ..postgres import Connection, connected

LEAST = 0.005
"""Seconds between two looks at least."""

RETRY_FIRST, RETRY_LIMIT = 1.0, 30.0
"""Seconds before a lost database is tried again, doubled each time, and most of them: jobs poll meanwhile."""


class Looks(Protocol):
    """What is looked at over one connection."""

    def look(self) -> float:
        """Look, and tell what there is; returns the seconds until the next look."""


class Watcher:
    """Looks at a database until asked to stop.

    Args:
        address: of the database.
        begin: makes what looks at it over a new connection.
        context: of the host.
    """

    def __init__(self, address: Address, begin: Callable[[Connection], Looks], context: WatchContext) -> None:
        self._address = address
        self._begin = begin
        self._context = context
        self._failure = ""
        self._retry = RETRY_FIRST

    def run(self) -> None:
        """Watch until asked to stop."""
        while not self._context.stopping():
            try:
                self._watch()
            except Outage as error:
                self._fail(str(error))
            except psycopg2.Error as error:
                self._fail(f"lost the {self._address.which} database: {one_line(error)}")

    def _watch(self) -> None:
        with connected(self._address, "tdsup watcher") as connection:
            looks = self._begin(connection)
            while not self._context.stopping():
                began = time.monotonic()
                pace = looks.look()
                self._recover()
                self._context.wait(pace, connection.session.fileno())
                # However many notifications come.
                self._context.wait(began + LEAST - time.monotonic())

    def _fail(self, reason: str) -> None:
        if reason != self._failure:
            self._context.logger.warning("%s; trying again", reason)
        self._failure = reason
        self._context.report(Snapshot(Condition.RETRYING, reason))
        self._context.wait(self._retry)
        self._retry = min(2 * self._retry, RETRY_LIMIT)

    def _recover(self) -> None:
        if self._failure:
            self._context.logger.info("works again")
        self._failure, self._retry = "", RETRY_FIRST
        self._context.report(Snapshot(Condition.RUNNING))
