"""What producers write, decoded."""

from .change import SYSTEM_PREFIX, Change, Operation, operation_of, read
from .decoder import EVENT_TIME, NO_PART, decode
from .event import COLUMNS, Event
from .urlencoded import Row

__all__ = [
    "COLUMNS",
    "EVENT_TIME",
    "NO_PART",
    "SYSTEM_PREFIX",
    "Change",
    "Event",
    "Operation",
    "Row",
    "decode",
    "operation_of",
    "read",
]
