"""The master: which jobs there are, what state they are in, and their processes."""

from .master import Master
from .state import CAUSES, State
from .tally import SUM

__all__ = [
    "CAUSES",
    "SUM",
    "Master",
    "State",
]
