"""One run of a ticker from start to end: sessions, the wait for its turn, ticks, outages."""

from __future__ import annotations

import time

from tdsup.jobtype import Condition, Context, Snapshot

from ..errors import Outage
from ..postgres import Connection, connected, queries
from .readiness import outages, require
from .tickernumbers import TickerTally
from .tickersettings import TickerSettings
from .turn import Turn
from .upkeep import Upkeep

STANDBY_PAUSE = 1.0
"""Seconds between two looks whether it is this process's turn."""

LOST_FIRST = 0.25
"""Seconds before a lost database is tried again; doubled each time."""

LOST_LIMIT, ANSWERED_LIMIT = 1.0, 30.0
"""Most seconds between tries to reach a server, and while it answers with errors."""


class TickerRun:
    """One run of a ticker, over as many connections as that takes."""

    def __init__(self, settings: TickerSettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._tally = TickerTally(settings.ticker_period)
        self._pause = LOST_FIRST
        self._failure = ""
        self._standby = ""

    def run(self) -> None:
        """Tick until asked to stop.

        Raises:
            SetupError: a person must do something first.
        """
        while not self._context.stopping():
            try:
                self._session()
            except Outage as error:
                self._retry(error)

    def _session(self) -> None:
        """Tick over one connection, once that has the lock."""
        settings = self._settings
        with (
            connected(settings.address, f"tdsup {settings.job_name}") as connection,
            outages(connection, settings.pgq_schema),
        ):
            connection.set_session(autocommit=True)
            with connection.cursor() as cursor:
                require(cursor, settings.pgq_schema)
            if self._wait_for_turn(Turn(connection, settings.pgq_schema)):
                with Upkeep(settings, self._tally, self._context.logger) as upkeep:
                    self._tick(connection, upkeep)

    def _wait_for_turn(self, turn: Turn) -> bool:
        """Wait until no other process ticks; False if asked to stop."""
        while not self._context.stopping():
            if turn.take():
                if self._standby:
                    self._say("info", "it is this process's turn")
                self._standby = ""
                return True
            self._recovered()
            self._tally.called_at = None
            reason = turn.holder()
            if reason != self._standby:
                self._say("info", f"{Condition.STANDBY}: {reason}")
            self._standby = reason
            self._report(Condition.STANDBY, reason)
            self._context.wait(STANDBY_PAUSE)
        return False

    def _tick(self, connection: Connection, upkeep: Upkeep) -> None:
        """Ask for ticks, each period, until asked to stop."""
        with connection.cursor() as cursor:
            while not self._context.stopping():
                began = time.monotonic()
                self._tally.ticks += queries.value(cursor, "tick", pgq=self._settings.pgq_schema) or 0
                self._tally.called_at = time.monotonic()
                self._recovered()
                self._report(Condition.RUNNING, upkeep.trouble)
                self._context.wait(max(0.0, began + self._settings.ticker_period - time.monotonic()))

    def _report(self, condition: Condition, reason: str = "") -> None:
        tally = self._tally
        self._context.report(Snapshot(condition, reason, tally.values(), present=tally.present))

    def _retry(self, error: Outage) -> None:
        """Wait a while; log the failure unless it is the known one."""
        if str(error) != self._failure:
            self._say("warning", f"{error}; trying again")
        self._failure = str(error)
        self._report(Condition.RETRYING, str(error))
        limit = ANSWERED_LIMIT if error.answered else LOST_LIMIT
        self._context.wait(min(self._pause, limit))
        self._pause = min(self._pause * 2, limit)

    def _recovered(self) -> None:
        if self._failure:
            self._say("info", "works again")
        self._failure, self._pause = "", LOST_FIRST

    def _say(self, level: str, text: str) -> None:
        getattr(self._context.logger, level)("%s: %s", self._settings.job_name, text)
