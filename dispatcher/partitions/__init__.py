"""Which partition a row belongs to, which tables are there, and how missing ones are made."""

from .maker import CLONEABLE, TableMaker
from .missing import MissingColumn, MissingTable
from .partitioning import Partitioning
from .period import SUFFIXES, Method, Period, PeriodCache, period_of
from .tables import Tables

__all__ = [
    "CLONEABLE",
    "SUFFIXES",
    "Method",
    "MissingColumn",
    "MissingTable",
    "Partitioning",
    "Period",
    "PeriodCache",
    "TableMaker",
    "Tables",
    "period_of",
]
