"""The master: which jobs there are, what state they are in, and their processes."""

from .job import CAUSES, State
from .lock import Lock, wait_free
from .master import Master
from .tally import SUM

__all__ = [
    "CAUSES",
    "SUM",
    "Lock",
    "Master",
    "State",
    "wait_free",
]
