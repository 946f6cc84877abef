"""What producers write, decoded."""

from .change import Change, read_change, remade
from .event import COLUMNS, Event
from .fold import IS_COMPILED, Fold
from .folded import (
    BY_EVENT_TIME,
    NO_MARK,
    NOT_PARTITIONED,
    OF_PREFIX,
    Act,
    Deed,
    Description,
    Group,
    Prefix,
    Some,
    Stop,
)
from .header import PASSED_OVER, Format, Header, Operation, read_header
from .jsonrow import JsonArray, array_literal
from .moment import LOCAL, Dial, second_of
from .scan import SPELLING, SPELLINGS, Writing, name_of, spelled
from .urlencoded import Row

__all__ = [
    "BY_EVENT_TIME",
    "COLUMNS",
    "IS_COMPILED",
    "LOCAL",
    "NOT_PARTITIONED",
    "NO_MARK",
    "OF_PREFIX",
    "PASSED_OVER",
    "SPELLING",
    "SPELLINGS",
    "Act",
    "Change",
    "Deed",
    "Description",
    "Dial",
    "Event",
    "Fold",
    "Format",
    "Group",
    "Header",
    "JsonArray",
    "Operation",
    "Prefix",
    "Row",
    "Some",
    "Stop",
    "Writing",
    "array_literal",
    "name_of",
    "read_change",
    "read_header",
    "remade",
    "second_of",
    "spelled",
]
