"""Which partition a row belongs to, which tables are there, and how missing ones are made."""

from .period import SUFFIXES, Method, Period, PeriodCache, period_of
from .tables import CLONEABLE, NewColumn, Tables, Wanted

__all__ = [
    "CLONEABLE",
    "SUFFIXES",
    "Method",
    "NewColumn",
    "Period",
    "PeriodCache",
    "Tables",
    "Wanted",
    "period_of",
]
