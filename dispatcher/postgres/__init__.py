"""PostgreSQL as a job uses it: connections, names, COPY text, locks, named statements."""

from . import copytext, queries
from .connection import Lines, canonical, connected, place
from .identifier import MAX_BYTES, TableName, is_possible, quote
from .locks import lock_key

__all__ = [
    "MAX_BYTES",
    "Lines",
    "TableName",
    "canonical",
    "connected",
    "copytext",
    "is_possible",
    "lock_key",
    "place",
    "queries",
    "quote",
]
