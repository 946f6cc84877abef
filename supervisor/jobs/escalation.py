"""What the master does to processes, and how one is asked to end: ever more urgently, signal by signal."""

from __future__ import annotations

import math
import signal
from dataclasses import dataclass, replace
from enum import Enum, auto


class Action(Enum):
    """What the master has to do for a job."""

    NONE = auto()
    SPAWN = auto()
    ORDER = auto()
    INTERRUPT = auto()
    TERMINATE = auto()
    KILL = auto()


SIGNALS = {
    Action.INTERRUPT: signal.SIGINT,
    Action.TERMINATE: signal.SIGTERM,
    Action.KILL: signal.SIGKILL,
}
"""The signal of each action that asks a process to end, from the mildest to the last."""

_STEPS = tuple(SIGNALS)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long the master waits for a process, in seconds.

    Attributes:
        heartbeat: silence before a process counts as frozen.
        stop: from SIGINT to SIGTERM.
        kill: from SIGTERM to SIGKILL.
    """

    heartbeat: float = 30.0
    stop: float = 30.0
    kill: float = 5.0


@dataclass(frozen=True, slots=True)
class Escalation:
    """How urgently one process has been asked to end so far.

    Attributes:
        timeouts: the waits between the signals.
        at: moment of the latest signal; before the first one, the moment at which the process should end.
        sent: how many signals it was sent.
    """

    timeouts: Timeouts
    at: float
    sent: int = 0

    @property
    def due(self) -> float:
        """The moment of the next signal; infinity after SIGKILL."""
        return self.at + (0.0, self.timeouts.stop, self.timeouts.kill, math.inf)[self.sent]

    @property
    def action(self) -> Action:
        """What is due then; NONE after SIGKILL."""
        return (*_STEPS, Action.NONE)[self.sent]

    def after(self, action: Action, now: float) -> Escalation:
        """The same once an action was taken; a later action skips those before it."""
        return replace(self, at=now, sent=_STEPS.index(action) + 1)
