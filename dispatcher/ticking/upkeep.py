"""Maintenance beside the ticks: in a thread and over connections of its own, so that no tick waits for it.

A vacuum, a function that users have added and a lock that somebody holds take as long as they take.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from logging import Logger
from types import TracebackType
from typing import Self

import psycopg2

from ..errors import DispatcherError, one_line
from ..postgres import Connection, connected
from .operations import Maintenance
from .tickernumbers import TickerTally
from .tickersettings import TickerSettings

END_WAIT = 5.0
"""Seconds within which the thread ends, unless its server has fallen silent: then it ends by itself."""

RETRIES = "putting back events to be tried again"
MAINTENANCE = "maintenance"


class Upkeep:
    """Looks after the queues of one PgQ for as long as the context lasts.

    Args:
        settings: the ticker's.
        tally: is told what was done.
        logger: is told what fails, once.
    """

    def __init__(self, settings: TickerSettings, tally: TickerTally, logger: Logger) -> None:
        self._settings = settings
        self._tally = tally
        self._logger = logger
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._failures: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        with self._lock:
            # After an error the server may be cut off, and a request to cancel would hang.
            if error is None and self._connection is not None and not self._connection.closed:
                self._connection.session.cancel()
        self._thread.join(END_WAIT)

    @property
    def trouble(self) -> str:
        """What fails at present, in one line; empty if nothing does."""
        return "; ".join(f"{what} fails: {reason}" for what, reason in self._failures.copy().items())

    def _run(self) -> None:
        """Do what is due, each kind of work at its own period."""
        work: dict[str, tuple[float, Callable[[Maintenance], None]]] = {
            RETRIES: (self._settings.retry_period, self._retry),
            MAINTENANCE: (self._settings.maint_period, self._maintain),
        }
        due = dict.fromkeys(work, time.monotonic())
        while not self._stop.wait(max(0.0, min(due.values()) - time.monotonic())):
            for what, (period, act) in work.items():
                if due[what] <= time.monotonic():
                    self._attempt(what, act)
                    due[what] = time.monotonic() + period

    def _attempt(self, what: str, act: Callable[[Maintenance], None]) -> None:
        """Do one kind of work over a new connection, as it is seldom done."""
        settings = self._settings
        try:
            with connected(settings.address, f"tdsup {settings.job_name} upkeep") as connection:
                self._share(connection)
                try:
                    act(Maintenance(connection, settings.pgq_schema, self._stop.is_set))
                finally:
                    self._share(None)
            self._note(what, "")
        except DispatcherError as error:
            self._note(what, str(error))
        except psycopg2.Error as error:
            self._note(what, one_line(error))

    def _share(self, connection: Connection | None) -> None:
        """Let the other thread cancel what this one waits for."""
        with self._lock:
            self._connection = connection

    def _retry(self, maintenance: Maintenance) -> None:
        for count in maintenance.retry():
            self._tally.retried += count

    def _maintain(self, maintenance: Maintenance) -> None:
        """One round; what fails leaves the rest to be done."""
        failed = {RETRIES: self._failures.get(RETRIES, "")}
        for operation in maintenance.wanted():
            if self._stop.is_set():
                return
            failed[str(operation)] = maintenance.perform(operation)
            self._note(str(operation), failed[str(operation)])
        self._tally.rotations += maintenance.rotations
        # What PgQ no longer asks for fails no longer.
        self._failures = {what: reason for what, reason in failed.items() if reason}

    def _note(self, what: str, reason: str) -> None:
        """Keep and log a failure that is new, or its end; at the end of the work, failures are no news."""
        known = self._failures.get(what, "")
        if self._stop.is_set() or reason == known:
            return
        name = self._settings.job_name
        if reason:
            self._logger.warning("%s: %s fails: %s; trying again", name, what, reason)
            self._failures = {**self._failures, what: reason}
        else:
            self._logger.info("%s: %s works again", name, what)
            self._failures = {each: why for each, why in self._failures.items() if each != what}
