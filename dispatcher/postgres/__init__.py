"""PostgreSQL as a job uses it: connections, sessions, poolers, names, COPY text, locks, named statements."""

from . import copytext, queries
from .connection import Connection, IdleConnections, canonical_dsn, connected, database_name
from .encoding import SERVER_ENCODINGS, UTF8, Encoding, find_encoding
from .identifier import DEFAULT_SCHEMA, MAX_BYTES, TableName, hint, is_possible, nearest, quote, shortened
from .locks import lock_key
from .styles import AS_SHIPPED, INTERVAL_STYLES, STRICT, DateStyle, Doubt, Styles, apply_styles, read_styles

__all__ = [
    "AS_SHIPPED",
    "DEFAULT_SCHEMA",
    "INTERVAL_STYLES",
    "MAX_BYTES",
    "SERVER_ENCODINGS",
    "STRICT",
    "UTF8",
    "Connection",
    "DateStyle",
    "Doubt",
    "Encoding",
    "IdleConnections",
    "Styles",
    "TableName",
    "apply_styles",
    "canonical_dsn",
    "connected",
    "copytext",
    "database_name",
    "find_encoding",
    "hint",
    "is_possible",
    "lock_key",
    "nearest",
    "queries",
    "quote",
    "read_styles",
    "shortened",
]
