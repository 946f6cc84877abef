"""What an event says before its data is read: ``ev_type`` and ``ev_extra1``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

from . import jsonrow

SYSTEM_PREFIX = b"pgq."
"""Types with this prefix are PgQ's own messages to consumers."""

PASSED_OVER = b"pgq.passed-over"
"""Type in place of an event's own where ``table_filter`` leaves its table out; such events have no data."""

MAX_HEADERS = 256
"""Most headers remembered. A queue has few, unless its producer makes up types."""

MAX_HEADER_BYTES = 1024
"""Most bytes of a header that is remembered."""


class Operation(Enum):
    """What is done to a row; the values are the letters of ``ev_type``."""

    INSERT = "I"
    UPDATE = "U"
    DELETE = "D"
    TRUNCATE = "R"


class Format(Enum):
    """How the data of an event is written."""

    NO_ROW = auto()
    """It holds no row: PgQ's own messages and truncates."""
    URLENCODED = auto()
    """As logutriga does."""
    OWN = auto()
    """As producers with types of their own do: url-encoded or a JSON object, which only the data tells."""
    JSON = auto()
    """As jsontriga does."""
    SQL = auto()
    """As sqltriga does; or as in `OWN`, which only the data can tell."""


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of an event without its data.

    Attributes:
        operation: what it asks for; None for PgQ's own messages.
        format: how its data is written.
        table: ``ev_extra1``, the table of the source; empty if the producer names none.
        key: names of the primary key's columns; empty if the type does not tell.
    """

    operation: Operation | None
    format: Format
    table: bytes
    key: tuple[bytes, ...] = ()


def read_header(type_: bytes, table: bytes, has_data: bool) -> Header:
    """The header of an event.

    The formats are those of the triggers logutriga (type ``I:id``), jsontriga (``{"op": …}``) and sqltriga
    (``I``). Any other type is a producer's own: its data is a row to add, url-encoded, as with the original,
    or a JSON object.

    Args:
        type_: ``ev_type``; empty if NULL.
        table: ``ev_extra1``; empty if NULL.
        has_data: ``ev_data`` is neither NULL nor empty. PgQ's truncates (type ``R``) have none.

    Raises:
        ValueError: the type looks like jsontriga's and is not.
    """
    read = _read if len(type_) + len(table) <= MAX_HEADER_BYTES else _read.__wrapped__
    return read(type_, table, has_data)


@lru_cache(MAX_HEADERS)
def _read(type_: bytes, table: bytes, has_data: bool) -> Header:
    if type_.startswith(SYSTEM_PREFIX):
        return Header(None, Format.NO_ROW, table)
    if type_.startswith(b"{"):
        return _from_jsontriga(type_, table)
    letter, colon, key = type_.partition(b":")
    operation = _LETTERS.get(letter)
    if operation is Operation.TRUNCATE and not has_data:
        return Header(operation, Format.NO_ROW, table)
    if operation is None or operation is Operation.TRUNCATE:
        return Header(Operation.INSERT, Format.OWN, table)
    if not colon:
        return Header(operation, Format.SQL, table)
    return Header(operation, Format.URLENCODED, table, tuple(filter(None, key.split(b","))))


def _from_jsontriga(type_: bytes, table: bytes) -> Header:
    try:
        content = jsonrow.loads(type_.decode())
        operation, key = _WORDS[content["op"]], _names(content.get("pkey", []))
    except Exception as error:
        raise ValueError("its type is not one of jsontriga's") from error
    return Header(operation, Format.NO_ROW if operation is Operation.TRUNCATE else Format.JSON, table, key)


def _names(value: object) -> tuple[bytes, ...]:
    if not isinstance(value, list):
        raise TypeError("no list of names")
    return tuple(name.encode() for name in value)


_LETTERS = {operation.value.encode(): operation for operation in Operation}
_WORDS = {operation.name: operation for operation in Operation}
