"""PostgreSQL as a job uses it: connections, sessions, poolers, names, COPY text, locks, named statements."""

from . import copytext, queries
from .connection import IdleConnections, canonical_dsn, connected, database_name
from .identifier import MAX_BYTES, TableName, is_possible, quote
from .locks import lock_key
from .styles import AS_SHIPPED, INTERVAL_STYLES, STRICT, DateStyle, Doubt, Styles, apply_styles, read_styles

__all__ = [
    "AS_SHIPPED",
    "INTERVAL_STYLES",
    "MAX_BYTES",
    "STRICT",
    "DateStyle",
    "Doubt",
    "IdleConnections",
    "Styles",
    "TableName",
    "apply_styles",
    "canonical_dsn",
    "connected",
    "copytext",
    "database_name",
    "is_possible",
    "lock_key",
    "queries",
    "quote",
    "read_styles",
]
