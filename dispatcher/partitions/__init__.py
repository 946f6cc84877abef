"""The partition that a row belongs to, the tables that exist, and how missing ones are made."""

from .maker import CLONEABLE, TableMaker
from .missing import TEXT, ColumnType, Missing, MissingColumn, MissingTable
from .naming import Method, check_template
from .partitioning import EPOCH, Partitioning
from .period import Period, PeriodCache, period_of
from .permit import NotPermitted, Permit
from .references import References
from .tables import Tables

__all__ = [
    "CLONEABLE",
    "EPOCH",
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
    "check_template",
    "period_of",
]
