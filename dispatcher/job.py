"""The job type ``table_dispatcher``: connects, works, waits, and connects again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg2
from psycopg2.extensions import connection as Connection
from tdsup.jobtype import Action, Condition, Context, Metric, Order, Snapshot

from .actions import ACTIONS
from .consumer import Consumer
from .errors import Outage, SetupError, is_infrastructure, one_line
from .ledger import Claim, Position
from .metrics import METRICS, Tally
from .postgres import canonical_dsn, connected, database_name, quote
from .settings import Settings

RETRY_FIRST = 0.25
"""Seconds before a lost database is tried again; doubled each time."""

RETRY_LIMIT = 1.0
"""Most seconds between tries to reach a server: rows flow soon after it returns."""

REFUSED_LIMIT = 30.0
"""The same while the server answers with errors: each try may read a whole batch again."""

STANDBY_DELAY = 1.0
"""Seconds between the tries of a standby to take over."""


@dataclass(frozen=True, slots=True)
class TableDispatcher:
    """The job type itself; there is one, and it has no state."""

    settings: type[Settings] = Settings
    metrics: tuple[Metric, ...] = METRICS
    actions: tuple[Action, ...] = ACTIONS
    orders: tuple[Order, ...] = ()

    def labels(self, settings: Settings) -> Mapping[str, str]:
        """Queue and table; a job does not change them."""
        return {"queue": settings.queue, "table": str(settings.dest_table)}

    def claims(self, settings: Settings) -> Mapping[str, str]:
        """The consumer on its queue, and its position in the target."""
        consumer = f"consumer {settings.consumer_name} of queue {settings.queue}"
        return {
            "src_db": f"{consumer} in database {database_name(settings.src_db)}",
            "dst_db": f"the position of {consumer} in database {database_name(settings.dst_db)}",
        }

    def shares(self, _settings: Settings) -> Mapping[str, str]:
        """Nothing."""
        return {}

    def sources(self, settings: Settings) -> Sequence[str]:
        """The source database, in one spelling of its connection string."""
        return (canonical_dsn(settings.src_db),)

    def targets(self, settings: Settings) -> Sequence[str]:
        """The target database, in one spelling of its connection string."""
        return (canonical_dsn(settings.dst_db),)

    def reads(self, settings: Settings) -> Sequence[tuple[str, str]]:
        """Its queue, by its consumer."""
        return ((settings.queue, settings.consumer_name),)

    def leaving(self, settings: Settings) -> str:
        """The consumer: while it is registered, the queue keeps every event for it."""
        names = ", ".join(map(_literal, (settings.queue, settings.consumer_name)))
        return (
            f"{self.claims(settings)['src_db']}: nobody reads it any more, and the queue keeps its events; "
            f"run there: select {quote(settings.pgq_schema)}.unregister_consumer({names})"
        )

    def run(self, settings: Settings, context: Context) -> None:
        """Load batches until asked to stop or, with loop_delay 0 or below, until the queue is empty.

        Raises:
            SetupError: a person must do something first; its exit_code is 78.
        """
        _Run(settings, context).run()


TABLE_DISPATCHER = TableDispatcher()


class _Run:
    """One run of a job from start to end, over as many connections as that takes."""

    def __init__(self, settings: Settings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._logger = context.logger
        self._tally = Tally()
        self._retry_delay = RETRY_FIRST
        self._failure: Outage | None = None
        # The last report said RUNNING, and nothing has happened since.
        self._idle = False
        # What a session remembers of tables may be outdated: a fault counts only on new connections.
        self._proven = True

    def run(self) -> None:
        done = False
        while not done and not self._context.stopping():
            try:
                done = self._session()
            except Outage as error:
                self._retry(error)
            except SetupError as error:
                if self._proven:
                    raise
                self._logger.info("%s: %s; looking again", self._settings.job_name, error)

    def _session(self) -> bool:
        """Work over one pair of connections; returns whether the job is done."""
        settings = self._settings
        name = f"tdsup {settings.job_name}"
        self._proven = True
        with connected("target", settings.dst_db, name) as target, _outages(target=target):
            position = Position(settings.queue, settings.consumer_name)
            if not self._claim(Claim(target, position)):
                return False
            with connected("source", settings.src_db, name) as source, _outages(source=source, target=target):
                consumer = Consumer(source, target, position, settings, self._tally, self._context)
                consumer.register()
                if self._failure is None:
                    self._report(Condition.RUNNING)
                return self._loop(consumer)

    def _claim(self, claim: Claim) -> bool:
        """Wait as standby while another process works for the consumer; False if asked to stop."""
        holder = ""
        while found := claim.take():
            reason = f"consumer {self._settings.consumer_name} works elsewhere: {found}"
            if reason != holder:
                self._logger.info("%s: standby: %s", self._settings.job_name, reason)
                holder = reason
            self._report(Condition.STANDBY, reason)
            if self._context.wait(STANDBY_DELAY):
                return False
        return True

    def _loop(self, consumer: Consumer) -> bool:
        settings = self._settings
        opened = idle_since = time.monotonic()
        while not self._context.stopping():
            started = time.monotonic()
            events = self._tally.total
            more = consumer.work()
            self._recovered()
            if more or not self._idle:
                self._report(Condition.RUNNING)
            self._idle = not more
            ended = time.monotonic()
            count = self._tally.total - events
            if count or ended - idle_since >= settings.keepalive_stats > 0:
                self._logger.info(
                    "{count: %d, duration: %.4f, idle: %.4f}", count, ended - started, started - idle_since
                )
                idle_since = ended
            if more:
                self._proven = False
            if settings.loop_delay < 0 or (settings.loop_delay == 0 and not more):
                return True
            if not more:
                self._context.wait(consumer.rest())
            if 0 < settings.connection_lifetime <= ended - opened:
                break
        return False

    def _report(self, condition: Condition, reason: str = "") -> None:
        self._idle = False
        self._context.report(Snapshot(condition, reason, self._tally.values()))

    def _retry(self, error: Outage) -> None:
        """Wait a while; log the failure unless it is the known one, however it is worded."""
        if self._failure is None or _differ(self._failure, error):
            self._logger.warning("%s: %s; trying again", self._settings.job_name, error)
            self._logger.debug("traceback", exc_info=error)
        self._failure = error
        self._report(Condition.RETRYING, str(error))
        limit = REFUSED_LIMIT if error.answered else RETRY_LIMIT
        self._context.wait(min(self._retry_delay, limit))
        self._retry_delay = min(self._retry_delay * 2, limit)

    def _recovered(self) -> None:
        if self._failure is not None:
            self._logger.info("%s: works again", self._settings.job_name)
        self._failure = None
        self._retry_delay = RETRY_FIRST


def _literal(text: str) -> str:
    """A string as SQL has it, whatever the server takes a backslash for."""
    quoted = "'" + text.replace("'", "''") + "'"
    return quoted if "\\" not in text else "E" + quoted.replace("\\", "\\\\")


def _differ(one: Outage, other: Outage) -> bool:
    """Whether the failing database or the kind of failure differs; lost and unreachable count as one kind."""
    elsewhere = bool(one.which and other.which) and one.which != other.which
    return elsewhere or one.answered != other.answered


@contextmanager
def _outages(**connections: Connection) -> Iterator[None]:
    """Turn psycopg2's errors of a session into ours: an `Outage` if a retry may help, else a `SetupError`."""
    try:
        yield
    except psycopg2.Error as error:
        if not is_infrastructure(error):
            raise SetupError(f"cannot run: {one_line(error)}") from error
        lost = [which for which, connection in connections.items() if connection.closed]
        where = f"lost the {lost[0]} database" if lost else "a database failed"
        answered = not lost and error.pgcode is not None
        raise Outage(f"{where}: {one_line(error)}", lost[0] if lost else "", answered) from error
