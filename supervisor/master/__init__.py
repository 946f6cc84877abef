"""The master: which jobs there are, what state they are in, and their processes."""

from .lock import Lock, wait_free
from .master import Master
from .state import CAUSES, State
from .tally import SUM

__all__ = [
    "CAUSES",
    "SUM",
    "Lock",
    "Master",
    "State",
    "wait_free",
]
