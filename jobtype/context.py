"""What a running job can ask of its host, and what it reports."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from .condition import Condition
from .order import Order

if TYPE_CHECKING:
    from logging import Logger


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a job reports of itself.

    Attributes:
        condition: how it is doing.
        reason: why, in one line; empty while it is running.
        values: its numbers by the name of their metric, cumulative since the process began. A number; for a
            metric with labels, a mapping from comma-separated label values to numbers; for a histogram, a
            mapping with ``sum``, the sum of all values, and ``counts``, a list of how many values fell
            between each bound and the one before it, the last number being those beyond all bounds.
        totals: names of those counters in `values` that count all that the job has ever done, whichever
            process did it. The others count since the process began. One that a process has named here it
            names in each later snapshot.
        present: gives values that change between two reports, such as since when something lasts; they count
            more than `values`. It may be called at any time, in another thread.
        unwritten: an order that was obeyed is written nowhere, so the host gives it to the next process too.
    """

    condition: Condition
    reason: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    totals: frozenset[str] = frozenset()
    present: Callable[[], Mapping[str, Any]] | None = field(default=None, compare=False)
    unwritten: bool = False


class Context(Protocol):
    """The host of a running job."""

    @property
    def logger(self) -> Logger:
        """Where the job's messages go."""

    @property
    def asked(self) -> bool:
        """Whether somebody asked for this start; if not, it replaces a process that died."""

    @property
    def identity(self) -> str:
        """Random; the processes of a job in a fleet share it, as each begins only after the one before."""

    def report(self, snapshot: Snapshot) -> None:
        """Publish a snapshot. Never blocks: the newest snapshot wins, and one without news is not sent."""

    def stopping(self) -> bool:
        """Whether the job has been asked to end, which it should do at the next batch boundary."""

    def order(self) -> Order | None:
        """Take the newest order that has not been taken yet; None if there is none."""

    def news(self, what: str) -> int | None:
        """What a watcher has told of this job last, see `WatchContext.tell`; 0: nothing yet.

        None: nobody watches, and the job has to look for itself.

        Args:
            what: is watched, a key of `JobType.watched`.
        """

    def wait(self, seconds: float, *, for_news: Collection[str] = ()) -> bool:
        """Sleep that long, or until the job is asked to end or has an order; returns `stopping()`.

        Args:
            seconds: at most.
            for_news: also until the `news` of one of these has changed since it was last asked for.
        """

    def run_program(self, command: Sequence[str], environment: Mapping[str, str], seconds: float) -> str:
        """Run a program to its end, without a shell; what it prints goes to the job's log.

        It is killed, with all that it has started, after some time, once the job is asked to end, and with
        the job's process.

        Args:
            command: its file, found as a shell finds it, and its arguments.
            environment: variables that it has besides the job's own.
            seconds: that it may take.

        Returns:
            Why it did not succeed, in one line; empty if it did, which is exit status 0.
        """


class WatchContext(Protocol):
    """The host of a watcher; see `JobType.watch`."""

    @property
    def logger(self) -> Logger:
        """Where the watcher's messages go."""

    def report(self, snapshot: Snapshot) -> None:
        """Publish the watcher's condition: jobs rely on it only while it is running."""

    def stopping(self) -> bool:
        """Whether the watcher has been asked to end."""

    def wait(self, seconds: float, descriptor: int | None = None) -> bool:
        """Sleep that long, or until the watcher is asked to end; returns `stopping()`.

        Args:
            seconds: at most.
            descriptor: of a file; also until something can be read from it.
        """

    def note(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Publish gauges and ages of jobs, which leave them out while there is a watcher.

        An age that a job reports as well counts as the older of the two says.

        Args:
            values: by the name of the job, as in `Snapshot`.
        """

    def tell(self, news: Mapping[str, int]) -> None:
        """Wake jobs that have something to do.

        Args:
            news: by the name of the job, a number that tells what there is, above 0; another one than before
                wakes the job.
        """
