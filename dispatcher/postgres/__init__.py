"""PostgreSQL as a job uses it: connections, sessions, poolers, names, COPY text, locks, named statements."""

from . import copytext, queries
from .connection import IdleConnections, canonical_dsn, connected, database_name
from .identifier import MAX_BYTES, TableName, is_possible, quote
from .locks import lock_key

__all__ = [
    "MAX_BYTES",
    "IdleConnections",
    "TableName",
    "canonical_dsn",
    "connected",
    "copytext",
    "database_name",
    "is_possible",
    "lock_key",
    "queries",
    "quote",
]
