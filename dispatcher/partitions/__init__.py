"""The partition that a row belongs to, the tables that exist, and how missing ones are made."""

from .branches import Branch, Spot
from .making.clones import CLONEABLE
from .making.extension import Extension, extension_of
from .making.guard import drop_left
from .making.maker import TableMaker
from .making.otherkey import other_key
from .making.pending import take_alone
from .making.record import detached, is_detached, mark, mark_pattern, read_record, with_line, without_mark
from .making.template import refuse_strange_words
from .missing import TEXT, ColumnType, Missing, MissingColumn, MissingTable
from .naming import Method, check_template
from .partitioning import (
    BATCH_TIME,
    EPOCH,
    EVENT_TIME,
    NOW,
    SOURCES_OF_TIME,
    Action,
    Kind,
    LateEvents,
    Lifespan,
    Partitioning,
    filled,
    unknown_word,
)
from .period import Period, as_time, period_of
from .periodcache import PeriodCache, Stretch
from .permit import LateRow, NotPermitted, Permit
from .references import References
from .tables import Tables
from .zones import Zone

__all__ = [
    "BATCH_TIME",
    "CLONEABLE",
    "EPOCH",
    "EVENT_TIME",
    "NOW",
    "SOURCES_OF_TIME",
    "TEXT",
    "Action",
    "Branch",
    "ColumnType",
    "Extension",
    "Kind",
    "LateEvents",
    "LateRow",
    "Lifespan",
    "Method",
    "Missing",
    "MissingColumn",
    "MissingTable",
    "NotPermitted",
    "Partitioning",
    "Period",
    "PeriodCache",
    "Permit",
    "References",
    "Spot",
    "Stretch",
    "TableMaker",
    "Tables",
    "Zone",
    "as_time",
    "check_template",
    "detached",
    "drop_left",
    "extension_of",
    "filled",
    "is_detached",
    "mark",
    "mark_pattern",
    "other_key",
    "period_of",
    "read_record",
    "refuse_strange_words",
    "take_alone",
    "unknown_word",
    "with_line",
    "without_mark",
]
