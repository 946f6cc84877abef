"""The contract between the supervisor and a job type, and how a job type is found.

A job type is an entry point of group ``tdsup.jobs``; its name is the section header of the ini file.
Neither side imports the other: the types here are structural.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Literal, Protocol

from pydantic import BaseModel

from .errors import ConfigError

GROUP = "tdsup.jobs"


class Metric(Protocol):
    """One number that a job reports."""

    @property
    def name(self) -> str:
        """Name in the field's terms, such as ``events``."""

    @property
    def kind(self) -> Literal["counter", "gauge", "age", "histogram"]:
        """What it means.

        ``counter`` only grows within one process. ``gauge`` is a value. ``age`` is the moment, in seconds
        of ``time.monotonic()``, since which something is true; it is shown as the seconds that have passed;
        None means 0 for as long as nothing else is reported and the process lives.
        ``histogram`` tells how often values were up to each of some bounds.
        """

    @property
    def help(self) -> str:
        """One sentence for people."""

    @property
    def labels(self) -> Sequence[str]:
        """Names of labels that tell its series apart; empty if it is one number."""

    @property
    def buckets(self) -> Sequence[float]:
        """Upper bounds of a histogram, ascending, without infinity."""


class Action(Protocol):
    """One thing that a person may want done about a job besides running it."""

    @property
    def name(self) -> str:
        """How it is called, such as ``register``."""

    @property
    def help(self) -> str:
        """What it does, in one sentence."""

    def run(self, settings: Any, arguments: Sequence[str]) -> Iterable[str]:
        """Do it; yields lines for the person. Errors are raised as by `JobType.run`.

        Args:
            settings: the job's, an instance of `JobType.settings`.
            arguments: what it is to be done to, in the action's own terms; empty for all.
        """


class Board(Protocol):
    """Numbers that all jobs of a fleet can read and write, by keys from 1 to 2**62; any may get lost."""

    def read(self, key: int) -> tuple[int, float] | None:
        """A number and the moment, by ``time.monotonic()``, at which it was true; None if it is not known."""

    def post(self, key: int, number: int, moment: float) -> None:
        """Post a number."""

    def update(self, numbers: Mapping[int, int], moment: float) -> None:
        """Post those of the numbers whose keys somebody has posted before."""


class Context(Protocol):
    """What a running job may ask of its host."""

    @property
    def board(self) -> Board | None:
        """Numbers that the fleet's jobs share; None without a fleet."""

    @property
    def logger(self) -> logging.Logger:
        """Where the job's messages go."""

    def report(self, snapshot: Mapping[str, Any]) -> None:
        """Publish the job's numbers and condition; never blocks, the newest report wins.

        One that says nothing new is not sent.

        Keys: ``condition`` (``running``, ``standby`` or ``retrying``), ``reason`` (one line, empty while
        running) and ``values``, by metric name, cumulative since the process began: a number; for a metric
        with labels a mapping from comma-separated label values to numbers; for a histogram a mapping of
        ``sum`` to the sum of all values and of ``counts`` to how many fell between each bound and the one
        before it, the last one beyond all bounds.
        """

    def stopping(self) -> bool:
        """Whether the job has been asked to end; it does so at the next batch boundary."""

    def wait(self, seconds: float) -> bool:
        """Sleep that long or until asked to end, whichever is first; returns `stopping()`."""


class JobType(Protocol):
    """A kind of job. An instance is what the entry point names."""

    @property
    def settings(self) -> type[BaseModel]:
        """Model of the section's keys, less those that the supervisor reads itself.

        Every option is declared with default and description. ``job_name`` is always given. An option that
        is accepted but has no effect carries ``json_schema_extra={"moot": reason}``.
        """

    @property
    def metrics(self) -> Sequence[Metric]:
        """The numbers that it reports."""

    @property
    def actions(self) -> Sequence[Action]:
        """What people may have done besides running it.

        Names that hosts offer where the job type has them: ``register``, ``unregister``, ``rewind`` and
        ``reset`` (the consumer), ``list``, ``show``, ``replay`` and ``purge`` (dead letters).
        """

    def labels(self, settings: Any) -> Mapping[str, str]:
        """Constant labels of the job's metrics, such as its queue and table."""

    def claims(self, settings: Any) -> Mapping[str, str]:
        """What no other job of the fleet may have too, in words, by the key that says so; no secrets."""

    def run(self, settings: Any, context: Context) -> None:
        """Work until done or asked to stop.

        Returning means done (exit 0). An exception ends the process with exit status 1, or with the
        exception's attribute ``exit_code`` if it has one: 78 (``EX_CONFIG``) means that a restart is
        pointless until somebody changes something. The exception's text is one line for a person.
        """


def job_types() -> Iterator[JobType]:
    """All installed job types; one that cannot be imported is left out."""
    for entry in entry_points(group=GROUP):
        # Another package's module may raise anything.
        with contextlib.suppress(Exception):
            yield entry.load()


@cache
def find_job_type(name: str) -> JobType:
    """Load the job type of that name, once: what is imported stays, whatever is installed later.

    Raises:
        ConfigError: no installed package offers it.
    """
    found = entry_points(group=GROUP)
    for entry in found:
        if entry.name == name:
            job_type: JobType = entry.load()
            return job_type
    known = ", ".join(sorted(found.names)) or "none"
    raise ConfigError(f"no job type is called {name} (installed: {known})")
