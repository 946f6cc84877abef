"""The life of a child process: its set-up, its lifeline and what it tells the master."""

from .channel import Sender, give, open_channel, receive, tell
from .context import Start, Surroundings
from .lifeline import Heartbeat, Lifeline
from .pidfile import PidFile
from .processmetrics import Vitals, vitals
from .setup import open_log_of_child
from .skylog import inspect_skylog
from .standalone import StandaloneJob
from .watching import Watch, run_watcher
from .worker import explain, run_worker

__all__ = [
    "Heartbeat",
    "Lifeline",
    "PidFile",
    "Sender",
    "StandaloneJob",
    "Start",
    "Surroundings",
    "Vitals",
    "Watch",
    "explain",
    "give",
    "inspect_skylog",
    "open_channel",
    "open_log_of_child",
    "receive",
    "run_watcher",
    "run_worker",
    "tell",
    "vitals",
]
