"""What a job is doing, decided without doing anything: its states, restarts and numbers."""

from .backoff import Backoff, Schedule
from .escalation import SIGNALS, Action, Timeouts
from .job import Job
from .state import CAUSES, State
from .tally import SUM

__all__ = [
    "CAUSES",
    "SIGNALS",
    "SUM",
    "Action",
    "Backoff",
    "Job",
    "Schedule",
    "State",
    "Timeouts",
]
