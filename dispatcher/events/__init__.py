"""What producers write, decoded."""

from .change import Change, read_change
from .decoder import BY_EVENT_TIME, NOT_PARTITIONED, decode_block
from .event import COLUMNS, Event
from .header import PASSED_OVER, Format, Header, Operation, read_header
from .jsonrow import JsonArray, array_literal
from .urlencoded import Row

__all__ = [
    "BY_EVENT_TIME",
    "COLUMNS",
    "NOT_PARTITIONED",
    "PASSED_OVER",
    "Change",
    "Event",
    "Format",
    "Header",
    "JsonArray",
    "Operation",
    "Row",
    "array_literal",
    "decode_block",
    "read_change",
    "read_header",
]
