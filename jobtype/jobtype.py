"""A kind of job, as a host sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from .action import Action
from .context import Context, WatchContext
from .metric import Metric
from .order import Order

if TYPE_CHECKING:
    from pydantic import BaseModel

GROUP = "tdsup.jobs"
"""Group of the entry points that name job types."""


class JobType(Protocol):
    """A kind of job. An instance is what the entry point names."""

    @property
    def settings(self) -> type[BaseModel]:
        """Model of the section's keys, without those that the host reads itself.

        Every option has a default and a description. ``job_name`` is always given. An option that is
        accepted but changes nothing is marked by `no_effect`.
        """

    @property
    def metrics(self) -> Sequence[Metric]:
        """The numbers that it reports; `STATUS_NUMBERS`, `EVENTS` and `LAG` name those that status shows."""

    @property
    def actions(self) -> Sequence[Action]:
        """What people can have it do besides run.

        Hosts offer the actions with these names:

        - ``check``;
        - ``register``, ``unregister``, ``rewind``, ``reset``, ``skip``, ``takeover`` and ``retire`` (the
          consumer); with the argument ``dry-run``, ``rewind`` only tells;
        - ``list``, ``show``, ``replay`` and ``purge`` (dead letters);
        - ``stand`` (where the consumer stands in both databases, and who works for it);
        - ``consumers``, asked of one job for each of `sources`: all consumers of queues there. The arguments
          are the fleet's readers, in threes: job, queue, consumer (see `reads`);
        - ``partitions`` (of the tables that the job loads, and what becomes of them); with the argument
          ``json``, an object a line, with ``dry-run``, the statements that would be run next;
        - ``schema``, asked of one job for each of `targets`: what the target keeps for such jobs; with the
          argument ``sql``, the statements that would bring it up to date.
        """

    @property
    def orders(self) -> Sequence[Order]:
        """The orders that a running job obeys itself; for the others the host ends its process.

        A type obeys both or none. A job that obeys keeps its process while it is paused, and may be paused or
        let go from elsewhere too; a new process finds out by itself that the job is paused. An order is given
        again to the next process if one dies before it has reported the outcome.
        """

    @property
    def about(self) -> str:
        """Which of its parts are in use where there is a choice, in a few words; empty: no choice."""

    def labels(self, settings: Any) -> Mapping[str, str]:
        """Constant labels of the job's metrics, such as its queue and table."""

    def claims(self, settings: Any) -> Mapping[str, str]:
        """What this job needs for itself alone, in words without secrets, by the key that says so."""

    def shares(self, settings: Any) -> Mapping[str, str]:
        """What two jobs may share but probably should not, as `claims`; each is a sentence's subject."""

    def sources(self, settings: Any) -> Sequence[str]:
        """The connections that the job reads from; equal strings mean the same source.

        The host groups jobs by these strings and does not look into them. They may hold secrets: never show
        them.
        """

    def targets(self, settings: Any) -> Sequence[str]:
        """The connections that the job writes to, as `sources`."""

    def reads(self, settings: Any) -> Sequence[tuple[str, str]]:
        """What the job reads in its sources: queues, each with the name of the job's consumer there."""

    def watched(self, settings: Any) -> Mapping[str, str]:
        """What watchers look at for this job, by a word for it: one watches for all jobs that say the same.

        Empty: the job looks for itself. The values may hold secrets: never show them.
        """

    def watch(self, what: str, jobs: Mapping[str, Any], context: WatchContext) -> None:
        """Look for news of some jobs, until asked to stop.

        Args:
            what: to look at, a key of `watched`, for which the jobs all say the same.
            jobs: settings by the name of the job.
            context: the host's.

        Raises:
            Exception: as by `run`; the host starts another watcher after a while.
        """

    def leaving(self, settings: Any) -> str:
        """What stays behind when the job's file is removed, and how to end it by hand: one line, no secrets.

        Empty if nothing does. Equal lines mean the same thing: while another job has it, nothing is left.
        """

    def run(self, settings: Any, context: Context) -> None:
        """Work until done or asked to stop.

        When it returns, the job is done (exit status 0). An exception ends the process with exit status 1, or
        with its attribute ``exit_code`` if it has one: 78 (``EX_CONFIG``) means that a restart is pointless
        until somebody changes something. The exception's text is one line for a person.
        """
