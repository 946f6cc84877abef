"""The states of a job, and what a worker's report and the end of a process make of them."""

from __future__ import annotations

from enum import Enum, auto

from tdsup.jobtype import Condition


class State(Enum):
    """What a job is doing."""

    STARTING = "starting"
    """A process is due, or has not reported yet."""
    RUNNING = "running"
    BACKOFF = "backoff"
    """It failed and will be tried again: by a new process, or by the living one."""
    STOPPING = "stopping"
    """Its process has been asked to end."""
    STOPPED = "stopped"
    PAUSED = "paused"
    """A person holds it, and only a person lets it go on; it has a process if its type obeys orders."""
    STANDBY = "standby"
    """Another process of the same consumer works; this one waits for it to end."""
    BLOCKED = "blocked"
    """It failed, and a restart is pointless until somebody changes something."""


class AfterExit(Enum):
    """What comes after the end of a process that was asked to end."""

    STOPPED = auto()
    PAUSED = auto()
    START = auto()
    BACKOFF = auto()
    REMOVED = auto()


CONDITIONS = {
    Condition.RUNNING: State.RUNNING,
    Condition.STANDBY: State.STANDBY,
    Condition.RETRYING: State.BACKOFF,
    Condition.PAUSED: State.PAUSED,
}
"""States by the condition that a worker reports."""

ALIVE = frozenset({State.STARTING, State.RUNNING, State.STANDBY, State.BACKOFF, State.PAUSED})
"""States in which a worker's report decides the state."""

CAUSES = ("crash", "signal", "heartbeat", "fork", "reload", "restart")
"""Why another process is forked."""
