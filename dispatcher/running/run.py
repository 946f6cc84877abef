"""One run of a job from start to end: sessions, the wait for its turn, batches, outages."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from functools import partial

import psycopg2
from tdsup.jobtype import TROUBLE, Condition, Context, Snapshot

from ..errors import Displaced, Outage, SetupError
from ..ledger import (
    NO_OWNERS,
    ConsumerRow,
    Ownership,
    Position,
    Process,
    find_position,
    open_schema,
)
from ..metrics import TOTALS, Tally
from ..pgq import ASK_ANYWAY, Queue, Registry
from ..postgres import Connection, connected
from ..settings import Settings
from .consumer import Consumer
from .explained import explained
from .onlooker import Onlooker
from .outages import differ, outages
from .registration import Registration
from .sessions import WATCHED, Sessions
from .standby import Standby
from .worklog import WorkLog

RETRY_FIRST = 0.25
"""Seconds before a lost database is tried again; doubled each time."""

RETRY_LIMIT = 1.0
"""Most seconds between tries to reach a server: rows flow soon after it returns."""

START_AGAIN = "remove start = {start} from its file: after a restore it would count again"

REFUSED_LIMIT = 30.0
"""The same while the server answers with errors: each try may read a batch again, or count as an attack."""


class Run:
    """One run of a job, over as many connections as that takes."""

    def __init__(self, settings: Settings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._logger = context.logger
        self._process = Process(context.identity)
        self._tally = Tally()
        self._totals: frozenset[str] = frozenset()
        self._standby = Standby(settings, context, self._report)
        self._retry_delay = RETRY_FIRST
        self._failure: Outage | None = None
        self._advice = self._remark = ""
        self._told: set[str] = set()
        self._roots: dict[bytes, bytes] = {}
        say = partial(self._report, Condition.RUNNING)
        self._onlooker = Onlooker(settings, self._process.identity, say, context.logger)
        self._log = WorkLog(settings.job_name, context.logger, settings.keepalive_stats)
        # When the last event was loaded.
        self._busy_at = time.monotonic()
        # The last report said RUNNING, and nothing has happened since.
        self._idle = False
        # What a session remembers of tables may be outdated: a fault counts only on new connections.
        self._proven = True

    def run(self) -> None:
        """Load batches until asked to stop or, with loop_delay 0 or below, until the queue is empty.

        Raises:
            SetupError: a person must do something first.
        """
        done = False
        while not done and not self._context.stopping():
            try:
                done = self._session()
            except Outage as error:
                self._retry(error)
            except SetupError as error:
                if self._proven:
                    raise explained(error, self._settings) from error
                self._logger.info("%s: %s; looking again", self._settings.job_name, error)

    def _session(self) -> bool:
        """Work over one pair of connections; returns whether the job is done."""
        settings = self._settings
        name = f"tdsup {settings.job_name}", self._process.identity
        self._proven = True
        with connected(settings.target, *name) as target, outages(target=target):
            position = self._position(target)
            with (
                connected(settings.source, *name) as source,
                outages(source=source, target=target),
            ):
                queue = Queue(source, settings, self._roots)
                sessions = Sessions(source, target, self._context)
                row = ConsumerRow(target, position)
                its = sessions.source_session()
                ownership = Ownership(row, self._process, its, settings.takeover_after)
                with self._leaving(ownership, queue, sessions), outages(source=source, target=target):
                    return self._work(sessions, queue, position, ownership)

    def _position(self, target: Connection) -> Position:
        facts = open_schema(target)
        with target, target.cursor() as cursor:
            position = find_position(cursor, facts, self._settings.queue, self._settings.consumer_name)
        assert position is not None, "the schema has a place for positions"
        position.prepare(target)
        return position

    @contextmanager
    def _leaving(self, ownership: Ownership, queue: Queue, sessions: Sessions) -> Iterator[None]:
        """Say in the target why this process stops working, so that others know whether to take over."""
        try:
            yield
        except SetupError as error:
            with suppress(psycopg2.Error):
                if self._proven:
                    ownership.give_up(f"blocked on host {self._process.host}: {error}")
                else:
                    ownership.rest(0)
            raise
        except Outage as error:
            since = time.monotonic() - max(queue.heard, sessions.woke)
            with suppress(psycopg2.Error):
                ownership.rest(-since if error.which == "source" else self._retry_delay)
            raise

    def _work(self, sessions: Sessions, queue: Queue, position: Position, ownership: Ownership) -> bool:
        """Work whenever it is this process's turn; returns whether the job is done."""
        settings, context, target = self._settings, self._context, sessions.target
        registry = Registry(queue.connection, settings)
        while self._standby.wait(ownership, registry, sessions):
            with queue.connection.cursor() as cursor:
                ownership.end_former(cursor)
            if ownership.former is not None:
                self._tally.restore(ownership.former.counters)
                self._totals = TOTALS
            try:
                self._onlooker.begin(sessions)
                try:
                    Registration(registry, target, position, ownership, settings, self._logger).settle()
                finally:
                    self._onlooker.end()
                consumer = Consumer(queue, target, (position, ownership), settings, self._tally, context)
                self._advice = self._advise(ownership)
                # What a server has refused, it may refuse again: that shows with the first batch.
                if self._failure is None or not self._failure.answered:
                    self._report(Condition.RUNNING, self._advice)
                return self._loop(consumer, ownership, sessions)
            except Displaced as error:
                self._logger.info("%s: %s", settings.job_name, error)
        return False

    def _loop(self, consumer: Consumer, ownership: Ownership, sessions: Sessions) -> bool:
        settings = self._settings
        opened = time.monotonic()
        while not self._context.stopping():
            if self._standby.obey(ownership):
                ownership.give_up()
                raise Displaced("paused")
            started, events = time.monotonic(), self._tally.total
            self._onlooker.begin(sessions)
            try:
                more = consumer.work()
            finally:
                self._idle = not self._onlooker.end() and self._idle
            self._recovered()
            self._tell(consumer.notices)
            if not self._tally.is_watched and self._log.trouble(str(self._tally.standing.get(TROUBLE, ""))):
                self._idle = False
            ended = time.monotonic()
            remark = "; ".join(filter(None, [self._advice, consumer.maintenance.trouble]))
            if more or not self._idle or remark != self._remark:
                self._remark = remark
                self._report(Condition.RUNNING, self._onlooker.why_slow(started, more) or remark)
            self._idle = not more
            count = self._tally.total - events
            self._log.tell(count, started, ended)
            self._busy_at = ended if count else self._busy_at
            if more:
                self._proven = False
            if settings.loop_delay < 0 or (settings.loop_delay == 0 and not more):
                ownership.give_up()
                return True
            if self._may_sleep(consumer):
                self._sleep(consumer, ownership, sessions)
            elif 0 < settings.connection_lifetime <= ended - opened:
                ownership.rest(0)
                return False
            elif not more:
                self._rest(consumer)
        ownership.give_up()
        return False

    def _may_sleep(self, consumer: Consumer) -> bool:
        """Whether there has been no event for long, and watchers look for the next one."""
        limit = self._settings.idle_disconnect
        return 0 < limit <= time.monotonic() - self._busy_at and consumer.may_sleep()

    def _rest(self, consumer: Consumer) -> None:
        """Wait for news, and do what is due next by then."""
        idle_for, limit = time.monotonic() - self._busy_at, self._settings.idle_disconnect
        sleeps_in = limit - idle_for if idle_for < limit else math.inf
        self._context.wait(min(consumer.rest(), sleeps_in, self._log.rest()), for_news=WATCHED)

    def _sleep(self, consumer: Consumer, ownership: Ownership, sessions: Sessions) -> None:
        """Wait for news without connections, and be the owner again.

        Raises:
            Outage: a database cannot be reached again.
            Displaced: another process has become the owner, or a person holds the consumer.
        """

        def seconds() -> float:
            now = time.monotonic()
            self._log.tell(0, now, now)
            return min(ASK_ANYWAY, self._log.rest(), consumer.maintenance.rest())

        ownership.rest(None)
        source = sessions.sleep(self._standby.hear, consumer.has_news, seconds)
        if source is None:
            # Others take over at once if they are told.
            with suppress(Outage, SetupError):
                sessions.target.open()
            return
        ownership.source = source
        if wait := ownership.take():
            raise Displaced(wait.reason)
        former = ownership.former
        if former is not None and former.owner != self._process.identity:
            raise Displaced(f"somebody else has had consumer {self._settings.consumer_name} meanwhile")

    def _advise(self, ownership: Ownership) -> str:
        """What a person should do although the job works; told in the log when it is new."""
        start = self._settings.start
        advice = "; ".join([
            *([] if ownership.row.kept else [f"{NO_OWNERS} (tdsup schema)"]),
            *([START_AGAIN.format(start=start)] if start else []),
        ])  # fmt: skip
        if advice and advice != self._advice:
            self._logger.warning("%s: %s", self._settings.job_name, advice)
        return advice

    def _report(self, condition: Condition, reason: str = "", *, works: bool = True) -> None:
        """Say how the job fares, and whether any process works for the consumer, here or elsewhere."""
        self._idle = False
        self._tally.works = works
        known = {"", self._advice, self._remark}
        self._tally.held_up = condition is Condition.RUNNING and reason not in known
        held = self._standby.is_held
        self._context.report(
            Snapshot(condition, reason, self._tally.values(), self._totals, self._tally.present, held)
        )

    def _tell(self, notices: Collection[str]) -> None:
        for notice in notices:
            if notice not in self._told:
                self._logger.info("%s: %s", self._settings.job_name, notice)
                self._told.add(notice)

    def _retry(self, error: Outage) -> None:
        """Wait a while; log the failure unless it is the known one, however it is worded."""
        if self._failure is None or differ(self._failure, error):
            self._logger.warning("%s: %s; trying again", self._settings.job_name, error)
            self._logger.debug("traceback", exc_info=error)
        self._failure = error
        limit = REFUSED_LIMIT if error.answered or error.refused else RETRY_LIMIT
        every = f"; it is tried again at least every {limit:.0f} s" if limit == REFUSED_LIMIT else ""
        self._report(Condition.RETRYING, f"{error}{every}")
        self._standby.hear()
        self._context.wait(limit if error.refused else min(self._retry_delay, limit))
        self._retry_delay = min(self._retry_delay * 2, limit)

    def _recovered(self) -> None:
        if self._failure is not None:
            self._logger.info("%s: works again", self._settings.job_name)
        self._failure = None
        self._retry_delay = RETRY_FIRST
