"""The two connections of a run, and sleep without them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from tdsup.jobtype import Context

from ..ledger import Source
from ..postgres import Connection

GRACE = 1.0
"""Seconds in which a watcher that is gone is replaced, usually: not all jobs shall connect at once."""

WATCHED = ("source", "target")


@dataclass(slots=True)
class Sessions:
    """The connections of a run.

    Attributes:
        source: to the source.
        target: to the target.
        context: the job's.
        woke: the moment, by ``time.monotonic()``, when the last sleep ended.
    """

    source: Connection
    target: Connection
    context: Context
    woke: float = -math.inf

    def are_watched(self) -> bool:
        """Whether watchers look at both databases for this job."""
        # All of them: what is not asked for would end the next wait at once.
        return None not in [self.context.news(what) for what in WATCHED]

    def sleep(
        self, is_called: Callable[[], bool], has_news: Callable[[], bool], seconds: Callable[[], float]
    ) -> Source | None:
        """Sleep without connections for as long as watchers look, then open them again.

        Args:
            is_called: whether there is something to do besides; asked at each wake.
            has_news: whether watchers have told something; asked while they look.
            seconds: until there is something to do anyway; asked before each sleep.

        Returns:
            What the new session says of the source; None, and no connections, if asked to stop.

        Raises:
            Outage, SetupError: as by `Connection.open`.
        """
        self.source.close()
        self.target.close()
        seen = time.monotonic()
        while not (self.context.stopping() or is_called()):
            now = time.monotonic()
            if self.are_watched():
                seen = now
                left = 0.0 if has_news() else seconds()
            else:
                left = seen + GRACE - now
            if left <= 0:
                break
            self.context.wait(left, for_news=WATCHED)
        if self.context.stopping():
            return None
        self.woke = time.monotonic()
        self.target.open()
        self.source.open()
        return self.source_session()

    def source_session(self) -> Source:
        """What the present session says of the source."""
        with self.source.cursor() as cursor:
            return Source.read(cursor)
