"""The partition that a row belongs to, the tables that exist, and how missing ones are made."""

from .maker import CLONEABLE, TableMaker
from .missing import TEXT, ColumnType, Missing, MissingColumn, MissingTable
from .partitioning import Partitioning
from .period import Method, Period, PeriodCache, period_of
from .place import Range
from .tables import Tables

__all__ = [
    "CLONEABLE",
    "TEXT",
    "ColumnType",
    "Method",
    "Missing",
    "MissingColumn",
    "MissingTable",
    "Partitioning",
    "Period",
    "PeriodCache",
    "Range",
    "TableMaker",
    "Tables",
    "period_of",
]
