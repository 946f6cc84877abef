"""What an event asks for, whatever format its producer writes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from . import jsonrow, sqltext, urlencoded
from .event import Event
from .urlencoded import Row

SYSTEM_PREFIX = b"pgq."
"""Types with this prefix are PgQ's own messages to consumers, not rows."""


class Operation(Enum):
    """What is done to a row; the values are the letters of ``ev_type``."""

    INSERT = "I"
    UPDATE = "U"
    DELETE = "D"
    TRUNCATE = "R"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a table.

    Attributes:
        operation: what is done.
        row: the row after the change; of a deleted row what is known of it.
        key: names of the primary key's columns; empty if the event does not tell.
        old: the row before the change, where the event tells.
        whole: `row` holds all of the row, not the changed columns only.
    """

    operation: Operation
    row: Row
    key: tuple[bytes, ...] = ()
    old: Row | None = None
    whole: bool = True


def read(event: Event) -> Change | None:
    """The change that an event asks for; None for PgQ's own events.

    The formats are those of the triggers logutriga (type ``I:id``), jsontriga (``{"op": …}``) and sqltriga
    (``I``). Any other type is a producer's own: its data is a url-encoded row to add, as with the original.

    Raises:
        ValueError: the event is not what its type says.
    """
    if event.type.startswith(SYSTEM_PREFIX):
        return None
    if event.type.startswith(b"{"):
        return _from_jsontriga(event)
    letter, colon, key = event.type.partition(b":")
    operation = _LETTERS.get(letter)
    if operation is Operation.TRUNCATE and event.data:
        # PgQ's truncates have no data; a type R with data is a producer's own.
        operation = None
    if operation is None:
        return Change(Operation.INSERT, urlencoded.decode(_data(event)))
    if operation is Operation.TRUNCATE:
        return Change(operation, {})
    if not colon and sqltext.looks_like(_data(event)):
        return _from_sqltriga(event, operation)
    names = tuple(filter(None, key.split(b",")))
    old = urlencoded.decode(event.old) if event.old and operation is Operation.UPDATE else None
    return Change(operation, urlencoded.decode(_data(event)), names, old)


def operation_of(type_: bytes) -> Operation | None:
    """What events of a type ask for, if their data are url-encoded rows for sure; else None."""
    letter, colon, _key = type_.partition(b":")
    operation = _LETTERS.get(letter)
    if (
        type_.startswith((b"{", SYSTEM_PREFIX))
        or operation is Operation.TRUNCATE
        or (operation and not colon)
    ):
        return None
    return operation or Operation.INSERT


def _data(event: Event) -> bytes:
    if event.data is None:
        raise ValueError("its data is NULL")
    return event.data


def _names(value: object) -> tuple[bytes, ...]:
    if not isinstance(value, list):
        raise TypeError("no list of names")
    return tuple(name.encode() for name in value)


def _from_jsontriga(event: Event) -> Change:
    try:
        header = jsonrow.loads(event.type)
        operation, key = _WORDS[header["op"]], _names(header.get("pkey", []))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError("its type is not one of jsontriga's") from error
    if operation is Operation.TRUNCATE:
        return Change(operation, {})
    old = jsonrow.decode(event.old) if event.old else None
    return Change(operation, jsonrow.decode(_data(event)), key, old)


def _from_sqltriga(event: Event, operation: Operation) -> Change:
    data = _data(event)
    if operation is Operation.INSERT:
        return Change(operation, sqltext.insert(data))
    if operation is Operation.DELETE:
        key = sqltext.delete(data)
        return Change(operation, key, tuple(key), whole=False)
    changed, key = sqltext.update(data)
    # The old row is url-encoded whatever the format of the new one.
    old = urlencoded.decode(event.old) if event.old else None
    return Change(operation, (old or key) | changed, tuple(key), old or key, whole=old is not None)


_LETTERS = {operation.value.encode(): operation for operation in Operation}
_WORDS = {operation.name: operation for operation in Operation}
