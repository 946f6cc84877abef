"""The time in which a process does not work for its consumer: another one does, or a person holds it."""

from __future__ import annotations

import time
from typing import Protocol

from tdsup.jobtype import Condition, Context, Order

from ..ledger import Ownership, Wait, owner_is_idle
from ..pgq import Registry, tick_of
from ..settings import Settings
from .sessions import Sessions

DELAY = 1.0
"""Seconds between two looks at who works, if no watcher looks."""

LOOK_ANYWAY = 3600.0
"""The same whatever a watcher tells."""


class Report(Protocol):
    """Publishes how a job fares."""

    def __call__(self, condition: Condition, reason: str = "", *, works: bool = True) -> None:
        """Say condition and reason, and whether any process works for the consumer."""


class Standby:
    """Waits until this process may work, and obeys orders. One for all sessions of a process.

    Args:
        settings: the job's.
        context: the job's.
        report: publishes how the job fares.

    Attributes:
        is_held: whether it is paused, and that cannot be written in the target, which keeps no owners.
    """

    def __init__(self, settings: Settings, context: Context, report: Report) -> None:
        self._settings = settings
        self._context = context
        self._report = report
        self._order: Order | None = None
        self.is_held = False
        self._news_since: float | None = None
        self._tick = 0
        self._news = 0
        self._tries_again = context.asked

    def wait(self, ownership: Ownership, registry: Registry, sessions: Sessions) -> bool:
        """Become the owner of the consumer, as soon as that may be; False if asked to stop.

        While watchers look, it waits without connections.

        Raises:
            Outage: a database cannot be reached again.
            SetupError: as by `Ownership.take`.
        """
        told = ""
        self._news_since = None
        while not self._context.stopping():
            if self._tries_again:
                self._tries_again = not ownership.row.unblock()
            self.obey(ownership)
            if told:
                self._look_for_news(ownership, registry)
            found = self._try(ownership, registry)
            if found is None:
                return True
            condition = Condition.PAUSED if found.paused else Condition.STANDBY
            reason = found.of(self._settings.consumer_name)
            if reason != told:
                self._context.logger.info("%s: %s: %s", self._settings.job_name, condition, reason)
                told = reason
            self._report(condition, reason, works=not found.blocked)
            is_told = 0 < found.state == self._context.news("target")
            if is_told and (found.late_in is None or found.late_in > DELAY) and sessions.are_watched():
                self._sleep(ownership, sessions, found)
            else:
                self._context.wait(DELAY)
        return False

    def hear(self) -> bool:
        """Take an order, to be carried out when both databases can be reached; else no wait would last.

        Returns whether there is one.
        """
        self._order = self._context.order() or self._order
        return self._order is not None

    def obey(self, ownership: Ownership) -> bool:
        """Carry out an order, if there is one; returns whether the job is to pause now."""
        if not self.hear() or self._order is None:
            return False
        order, is_pause = self._order, self._order is Order.PAUSE
        if not ownership.row.kept:
            self.is_held = is_pause
        elif not (ownership.row.pause(ownership.process.host) if is_pause else ownership.row.resume()):
            return False
        self._order = None
        self._context.logger.info("%s: obeyed: %s", self._settings.job_name, order)
        return is_pause

    def _try(self, ownership: Ownership, registry: Registry) -> Wait | None:
        if self.is_held:
            return Wait("paused here alone, as the target keeps no owners (tdsup schema)", paused=True)
        since = self._news_since
        news_for = 0.0 if since is None else time.monotonic() - since
        if wait := ownership.why_wait(news_for=news_for):
            return wait
        # Who cannot reach the source leaves the consumer to others.
        registry.reach()
        return ownership.take(news_for=news_for)

    def _sleep(self, ownership: Ownership, sessions: Sessions, wait: Wait) -> None:
        """Wait without connections until a watcher tells something, or the owner is late."""
        late_at = time.monotonic() + (LOOK_ANYWAY if wait.late_in is None else wait.late_in)

        def has_news() -> bool:
            nonlocal late_at
            news = self._context.news("source") or 0
            is_new = self._news_since is None and owner_is_idle(wait.state) and news != self._news
            if is_new and tick_of(news) > self._tick:
                # The owner was told as well, and has its time to come back.
                self._news, self._news_since = news, time.monotonic()
                late_at = self._news_since + self._settings.takeover_after
            return self._context.news("target") not in {0, wait.state}

        source = sessions.sleep(self.hear, has_news, lambda: late_at - time.monotonic())
        if source is not None:
            ownership.source = source

    def _look_for_news(self, ownership: Ownership, registry: Registry) -> None:
        """Note since when an owner without sessions has had something to read, and has read nothing."""
        if not ownership.has_idle_rival():
            self._news_since = None
            return
        tick = ownership.row.tick()
        if tick != self._tick:
            # It may have come and gone between two looks.
            self._news_since, self._tick = None, tick
        if not registry.has_news(tick):
            self._news_since = None
        elif self._news_since is None:
            self._news_since = time.monotonic()
