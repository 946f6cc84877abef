"""What people can ask of jobs by name, in one table that command line, master and web child share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class SteeredJob(Protocol):
    """A job, as people steer it.

    Each method gets the present moment and returns whether it changes anything; it may raise NotAllowed.
    """

    def start(self, now: float) -> bool:
        """Run."""

    def stop(self, now: float) -> bool:
        """Run nothing until told otherwise."""

    def restart(self, now: float) -> bool:
        """Run with a new process."""

    def pause(self, now: float) -> bool:
        """Run nothing until `resume`."""

    def resume(self, now: float) -> bool:
        """Run again if it is paused."""


@dataclass(frozen=True)
class Verb:
    """One thing that people can ask of a job.

    Attributes:
        command: its name as a command, on the control socket and the command line.
        path: its name in the URLs of the web child.
        help: what it does, in one sentence.
        apply: does it to a job; gets the present moment and returns whether that changes anything.
        can_keep: it can outlast a restart of the fleet.
        ends_keep: it ends what outlasts restarts.
    """

    command: str
    path: str
    help: str
    apply: Callable[[SteeredJob, float], bool]
    can_keep: bool = False
    ends_keep: bool = False


VERBS = (
    Verb(
        "start-job",
        "start",
        "Start jobs that are stopped, blocked or waiting for their next try.",
        lambda job, now: job.start(now),
    ),
    Verb(
        "stop-job",
        "stop",
        "Stop jobs at the end of their batches, until somebody starts them or their files change.",
        lambda job, now: job.stop(now),
    ),
    Verb(
        "restart",
        "restart",
        "End jobs after their batches and start them again; their files are not read again.",
        lambda job, now: job.restart(now),
    ),
    Verb(
        "pause",
        "pause",
        "Hold jobs at the end of their batches until `resume`, even if their files change.",
        lambda job, now: job.pause(now),
        can_keep=True,
    ),
    Verb("resume", "resume", "Let paused jobs go on.", lambda job, now: job.resume(now), ends_keep=True),
)
