"""Fleets of either kind, started and observed in the same way."""

from __future__ import annotations

from typing import Protocol

from harness.programs.fleet import Fleet
from harness.programs.supervised import Supervised


class Contestant(Protocol):
    """A fleet that can be started and observed."""

    def start(self) -> None:
        """Start all jobs."""

    def pids(self) -> tuple[list[int], list[int]]:
        """Processes that do the jobs, and processes that supervise them."""

    def trouble(self) -> str:
        """What may explain that it does not consume."""


class Ours:
    """A fleet of tdsup."""

    def __init__(self, made: Fleet) -> None:
        self.fleet = made

    def start(self) -> None:
        """Start all jobs."""
        self.fleet.start()

    def pids(self) -> tuple[list[int], list[int]]:
        """Jobs; master and web child."""
        workers = [job["pid"] for job in self.fleet.status()["jobs"]]
        master = self.fleet.pid
        return workers, [master, *(pid for pid in self.fleet.children() if pid not in workers)]

    def trouble(self) -> str:
        """The log."""
        return self.fleet.log()


class Originals:
    """The original's consumers under supervisord."""

    def __init__(self, made: Supervised) -> None:
        self._made = made

    def start(self) -> None:
        """Start all jobs."""
        self._made.start()

    def pids(self) -> tuple[list[int], list[int]]:
        """Jobs; supervisord."""
        return self._made.workers(), [self._made.pid]

    def trouble(self) -> str:
        """The log."""
        return self._made.trouble()
