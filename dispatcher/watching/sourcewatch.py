"""Looks for new ticks, and at where consumers stand."""

from __future__ import annotations

import time
from collections.abc import Mapping

from tdsup.jobtype import WatchContext

from ..metrics import standing_values
from ..pgq import Bulletin, Consumers, Ticks, listen
from ..postgres import Connection
from ..settings import Settings

BUSY = 60.0
"""Seconds after an event for which a source counts as busy."""

DOUBTS = 1.0
"""Seconds between two looks for events that queues do not count, in a source that is not busy."""

PACES = ((10.0, 0.0), (BUSY, 0.05))
"""Least seconds between two looks, within some seconds of an event of the source."""

SLOWEST = 0.25
"""The same of a source that has been idle for longer."""

NOTIFIED = 5.0
"""Seconds between two looks at a source that notifies of ticks, in case one gets lost."""

CONSUMERS = 15.0
"""Seconds between two looks at where consumers stand: as often as Prometheus usually asks."""


class SourceWatch:
    """Looks at the queues of some jobs in one source.

    Args:
        jobs: settings by the name of the job.
        context: of the host.
        connection: to the source.
    """

    def __init__(self, jobs: Mapping[str, Settings], context: WatchContext, connection: Connection) -> None:
        self._context = context
        self._names: dict[str, list[str]] = {}
        for name, settings in jobs.items():
            self._names.setdefault(settings.queue, []).append(name)
        self._jobs = {name: (settings.queue, settings.consumer_name) for name, settings in jobs.items()}
        self._quickest = min(job.news_interval for job in jobs.values())
        self._slowest = min(job.loop_delay for job in jobs.values())
        schema = next(iter(jobs.values())).pgq_schema
        self._connection = connection
        self._bulletin = Bulletin()
        self._ticks = Ticks(connection, schema, list(self._jobs.values()), self._bulletin)
        # Before the first look, so that no tick is between the two.
        self._is_notified = listen(connection, schema, self._names)
        self._events_at = -float("inf")
        self._consumers_at = self._doubts_at = 0.0

    def look(self) -> float:
        """Look for ticks, and now and then at consumers."""
        session = self._connection.session
        session.poll()
        session.notifies.clear()
        had_events = self._ticks.look()
        now = time.monotonic()
        if had_events:
            self._events_at = now
        is_busy = now - self._events_at < BUSY
        if is_busy or now - self._doubts_at >= min(DOUBTS, self._slowest):
            self._ticks.look_for_events()
            self._doubts_at = now
        if now >= self._consumers_at:
            self._note(self._ticks.look_at_consumers())
            self._consumers_at = now + CONSUMERS
        news = self._bulletin.due(now)
        self._context.tell({name: number for queue, number in news.items() for name in self._names[queue]})
        # What was notified meanwhile may have come too late for this look.
        return 0.0 if session.notifies else self._pace(now)

    def _note(self, found: Consumers) -> None:
        """Publish how the jobs' queues fare."""
        self._context.note(
            {
                job: standing_values(found[consumer])
                for job, consumer in self._jobs.items()
                if consumer in found
            }
        )

    def _pace(self, now: float) -> float:
        """Seconds until the next look."""
        if self._is_notified:
            return min(NOTIFIED, self._slowest)
        age = now - self._events_at
        pace = next((pace for within, pace in PACES if age < within), SLOWEST)
        return min(max(pace, self._quickest), self._slowest)
