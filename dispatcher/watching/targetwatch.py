"""Looks at who works for consumers, and at how many dead letters they have."""

from __future__ import annotations

import time
from collections.abc import Mapping

from tdsup.jobtype import WatchContext

from ..ledger import Entries
from ..postgres import Connection
from ..settings import Settings

PACE = 1.0
"""Seconds between two looks at who works."""

LETTERS = 15.0
"""Seconds between two looks at dead letters: as often as Prometheus usually asks."""

LETTERS_SHARE = 0.01
"""Share of the time that counting dead letters may take."""


class TargetWatch:
    """Looks at the consumers of some jobs in one target.

    Args:
        jobs: settings by the name of the job.
        context: of the host.
        connection: to the target.
    """

    def __init__(self, jobs: Mapping[str, Settings], context: WatchContext, connection: Connection) -> None:
        self._context = context
        self._jobs = {(settings.queue, settings.consumer_name): name for name, settings in jobs.items()}
        self._entries = Entries(connection, list(self._jobs))
        self._letters_at = 0.0

    def look(self) -> float:
        """Look at who works, and now and then at dead letters."""
        changed = self._entries.look()
        self._context.tell({self._jobs[consumer]: state for consumer, state in changed.items()})
        now = time.monotonic()
        if now >= self._letters_at:
            letters = self._entries.letters()
            took = time.monotonic() - now
            self._letters_at = now + max(LETTERS, took / LETTERS_SHARE)
            self._context.note(
                {self._jobs[consumer]: {"dead_letters_kept": count} for consumer, count in letters.items()}
            )
        return PACE
