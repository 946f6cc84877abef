"""What watchers have told of a job."""

from __future__ import annotations

import socket

from ..worker import tell


class News:
    """What watchers have told of one job, and how much of it the job's present process knows."""

    def __init__(self) -> None:
        self._told: dict[str, int | None] = {}
        self._given: dict[str, int | None] = {}

    def set(self, what: str, news: int | None) -> None:
        """A watcher of that has told a number; 0: it looks now, None: nobody does."""
        if news != 0 or self._told.get(what) is None:
            self._told[what] = news

    def begin(self) -> None:
        """There is a new process, which knows nothing."""
        self._given.clear()

    def give(self, channel: socket.socket) -> int:
        """Tell the process what it does not know; without room, try again at its next sign of life.

        Returns:
            How many messages that took.
        """
        given = 0
        for what, news in self._told.items():
            if self._given.get(what) != news and tell(channel, what, news):
                self._given[what] = news
                given += 1
        return given
