"""Says what a job waits for, once that takes long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from logging import Logger

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_ACTIVE
from tdsup.jobtype import duration

from ..address import Address
from ..errors import Outage, SetupError
from ..metrics import PATIENCE
from ..postgres import connected, queries
from ..settings import Settings
from .sessions import Sessions

SELDOM = 60.0
"""Most seconds between two looks: many jobs may wait for one lock."""

LONGEST = 100
"""Characters of a statement that are shown."""


class Onlooker:
    """Looks at the work of the main thread from a thread of its own, which ends while nothing is to be seen.

    It asks over a connection of its own, and only once the work takes long.

    Args:
        settings: the job's.
        identity: how the names of the job's sessions end.
        say: publishes what is waited for; called in the other thread.
        logger: the job's.

    Attributes:
        has_spoken: it has said something of the present work.
    """

    def __init__(self, settings: Settings, identity: str, say: Callable[[str], None], logger: Logger) -> None:
        self._name = settings.job_name
        self._identity = identity
        self._addresses = settings.target, settings.source
        self._say = say
        self._logger = logger
        self._lock = threading.Condition()
        self._thread: threading.Thread | None = None
        self._sessions: Sessions | None = None
        self._since: float | None = None
        self.has_spoken = False
        self._said = ""
        self._logged: float | None = None

    def begin(self, sessions: Sessions) -> None:
        """Look from now on at a piece of work over these connections. It is quick: each batch calls it."""
        self._sessions, self._since = sessions, time.monotonic()
        if self._thread is None:
            self._thread = threading.Thread(target=self._look, name="onlooker", daemon=True)
            self._thread.start()

    def end(self) -> bool:
        """The work is done; returns whether something was said, which is no longer true."""
        self._since = None
        if not self.has_spoken:
            self._said = ""
            return False
        with self._lock:
            self.has_spoken = False
            # It may sleep for long.
            self._lock.notify()
        self._logger.info("%s: goes on", self._name)
        return True

    def why_slow(self, started: float, more: bool) -> str:
        """Why the last batch took so long, while there are more to come; empty if it did not.

        Args:
            started: when it began, by ``time.monotonic()``.
            more: there may be more.
        """
        if not (self._said and more):
            return ""
        took = duration(time.monotonic() - started)
        return f"the last batch took {took}, and there is more to do: {self._said}"

    def _look(self) -> None:
        while True:
            since, sessions = self._since, self._sessions
            if since is None or sessions is None:
                self._thread = None
                # Work may have begun after the look, and seen that there is a thread.
                if self._since is None:
                    return
                self._thread = threading.current_thread()
                continue
            waited = time.monotonic() - since
            if waited >= PATIENCE:
                # A connection that is lost meanwhile is the main thread's affair.
                with suppress(psycopg2.Error):
                    self._tell(since, sessions)
            with self._lock:
                if self._since == since:
                    self._lock.wait(PATIENCE - waited if waited < PATIENCE else min(waited, SELDOM))

    def _tell(self, since: float, sessions: Sessions) -> None:
        """Say at once which database does not answer, then what it says itself."""
        silent = [address for address in self._addresses if _is_asked(sessions, address.which)]
        if not silent:
            return
        text = _unanswered(silent[0], since)
        if self._logged != since:
            self._publish(since, text)
        known = list(filter(None, (self._ask(address, since) for address in silent)))
        # A lock has a holder, who can be called: it comes first.
        known.sort(key=lambda each: "lock" not in each)
        text = known[0] if known else text
        self._publish(since, text)
        if self._logged != since:
            self._logged = since
            self._logger.warning("%s: %s", self._name, text)

    def _publish(self, since: float, text: str) -> None:
        with self._lock:
            if self._since == since:
                self.has_spoken, self._said = True, text
                self._say(text)

    def _ask(self, address: Address, since: float) -> str:
        """What the job's session in a database does; empty if that waits for the job."""
        try:
            with connected(address, f"tdsup {self._name} asks") as connection, connection.cursor() as cursor:
                row = queries.row(cursor, "waited_for", identity=self._identity)
        except (Outage, SetupError, psycopg2.Error):
            row = None
        if row is None:
            return _unanswered(address, since)
        pid, own, seconds, kind, event, table, *held_by = row
        where = f"in the {address.which} database"
        if held_by[0] is not None:
            what = f"a lock on {table}" if table else "a lock"
            return f"has waited for {what} {where} for {duration(seconds)}: {_holder(*held_by)}"
        if kind == "Client":
            return ""
        waits = f", waits for {kind} {event}" if kind else ""
        shown = _brief(queries.without_names(own))
        return f"a statement {where} has taken {duration(seconds)} so far (pid {pid}{waits}): {shown}"


def _holder(pid: int, user: str | None, program: str | None, state: str | None, statement: str | None) -> str:
    """Who has a lock, and how to end that session."""
    who = ", ".join(filter(None, (f"user {user}", program, state)))
    last = "its statement" if state == "active" else "its last statement"
    return f"pid {pid} ({who}) has it; pg_terminate_backend ends that; {last}: {_brief(statement)}"


def _brief(statement: str | None) -> str:
    return " ".join(str(statement or "").split())[:LONGEST]


def _is_asked(sessions: Sessions, which: str) -> bool:
    """Whether a statement runs in one of the databases."""
    session = (sessions.source if which == "source" else sessions.target).session
    return not session.closed and session.info.transaction_status == TRANSACTION_STATUS_ACTIVE


def _unanswered(address: Address, since: float) -> str:
    return f"the {address.which} database has not answered for {duration(time.monotonic() - since)}"
