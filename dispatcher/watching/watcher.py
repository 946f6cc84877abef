"""Looks for news of several jobs over one connection, so that none of them has to ask."""

from __future__ import annotations

import time
from collections.abc import Mapping

import psycopg2
from tdsup.jobtype import Condition, Snapshot, WatchContext

from ..address import Address
from ..errors import Outage, one_line
from ..metrics import health_values
from ..pgq import Bulletin, Ticks
from ..postgres import connected
from ..settings import Settings

PACES = ((10.0, 0.015), (60.0, 0.05))
"""Seconds between two looks, within some seconds of an event of the source."""

SLOWEST = 0.25
"""The same of a source that has been idle for longer."""

CONSUMERS = 15.0
"""Seconds between two looks at where consumers stand: as often as Prometheus usually asks."""

RETRY_FIRST, RETRY_LIMIT = 1.0, 30.0
"""Seconds before a lost source is tried again, doubled each time, and most of them: jobs poll meanwhile."""


class Watcher:
    """Watches the queues of some jobs, which name the same source.

    Args:
        jobs: settings by the name of the job.
        context: of the host.
    """

    def __init__(self, jobs: Mapping[str, Settings], context: WatchContext) -> None:
        self._context = context
        self._names: dict[str, list[str]] = {}
        for name, settings in jobs.items():
            self._names.setdefault(settings.queue, []).append(name)
        self._jobs = list(jobs)
        self._consumers = [(settings.queue, settings.consumer_name) for settings in jobs.values()]
        self._settings = next(iter(jobs.values()))
        self._slowest = min([SLOWEST, *(job.loop_delay for job in jobs.values() if job.loop_delay > 0)])
        self._events_at = -float("inf")
        self._failure = ""
        self._retry = RETRY_FIRST

    def run(self) -> None:
        """Watch until asked to stop."""
        while not self._context.stopping():
            try:
                self._watch(self._settings.source)
            except Outage as error:
                self._fail(str(error))
            except psycopg2.Error as error:
                self._fail(f"lost the source database: {one_line(error)}")

    def _watch(self, source: Address) -> None:
        with connected(source, "tdsup watcher") as connection:
            bulletin = Bulletin()
            ticks = Ticks(connection, self._settings.pgq_schema, self._consumers, bulletin)
            consumers_at = time.monotonic()
            while not self._context.stopping():
                had_events = ticks.look()
                now = time.monotonic()
                if now >= consumers_at:
                    self._note(ticks.look_at_consumers())
                    consumers_at = now + CONSUMERS
                self._recover()
                self._tell(bulletin.due(now))
                if had_events:
                    self._events_at = now
                self._context.wait(self._pace())

    def _tell(self, news: Mapping[str, int]) -> None:
        """Tell the jobs of some queues."""
        self._context.tell({name: number for queue, number in news.items() for name in self._names[queue]})

    def _note(self, health: Mapping[tuple[str, str], tuple[float | None, float]]) -> None:
        """Publish how the jobs' queues fare."""
        self._context.note(
            {
                job: health_values(*health[consumer])
                for job, consumer in zip(self._jobs, self._consumers, strict=True)
                if consumer in health
            }
        )

    def _pace(self) -> float:
        """Seconds until the next look."""
        age = time.monotonic() - self._events_at
        pace = next((pace for within, pace in PACES if age < within), SLOWEST)
        return min(pace, self._slowest)

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
