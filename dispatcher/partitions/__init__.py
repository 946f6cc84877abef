"""The partition that a row belongs to, the tables that exist, and how missing ones are made."""

from .maker import CLONEABLE, TableMaker
from .missing import TEXT, ColumnType, Missing, MissingColumn, MissingTable
from .partitioning import EPOCH, Partitioning
from .period import SUFFIXES, Method, Period, PeriodCache, period_of
from .permit import NotPermitted, Permit
from .references import References
from .tables import Tables

__all__ = [
    "CLONEABLE",
    "EPOCH",
    "SUFFIXES",
    "TEXT",
    "ColumnType",
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
    "TableMaker",
    "Tables",
    "period_of",
]
