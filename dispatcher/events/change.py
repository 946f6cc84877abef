"""One change of a table, read from an event of any format."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..postgres import Encoding
from . import jsonrow, sqltext, urlencoded
from .event import Event
from .header import Format, Header, Operation
from .urlencoded import Remake, Row


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a table.

    Attributes:
        operation: what is done.
        row: the row after the change; of a deleted row, what is known of it.
        key: names of the primary key's columns; empty if the event does not tell.
        old: the row before the change, where the event tells.
        whole: `row` holds the whole row, not only the changed columns.
    """

    operation: Operation
    row: Row
    key: tuple[bytes, ...] = ()
    old: Row | None = None
    whole: bool = True


def read_change(header: Header, event: Event) -> Change:
    """The change that an event asks for.

    Args:
        header: the event's, not of PgQ's own messages.
        event: the event.

    Raises:
        ValueError: the data is not what the header says, or it cannot be read for whatever reason.
    """
    operation = header.operation
    assert operation is not None, "PgQ's own messages change nothing"
    try:
        return _read(operation, header, event)
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(f"its data cannot be read: {type(error).__name__}") from error


def _read(operation: Operation, header: Header, event: Event) -> Change:
    if header.format is Format.NO_ROW:
        return Change(operation, {})
    if event.data is None:
        raise ValueError("its data is NULL")
    encoding = event.encoding
    if header.format is Format.JSON:
        old = jsonrow.decode(event.old, encoding) if event.old else None
        return Change(operation, jsonrow.decode(event.data, encoding), header.key, old)
    if header.format is Format.SQL and sqltext.looks_like(event.data):
        change = _from_sqltriga(operation, event.data, event.old)
        key = tuple(map(encoding.utf8, change.key))
        before = change.old and _named(change.old, encoding)
        return replace(change, row=_named(change.row, encoding), key=key, old=before)
    if header.format is not Format.URLENCODED and event.looks_like_json:
        return Change(operation, jsonrow.decode(event.data, encoding), header.key)
    old = None
    if event.old and operation is Operation.UPDATE:
        old = _named(urlencoded.decode(event.old), encoding)
    return Change(operation, _named(urlencoded.decode(event.data), encoding), header.key, old)


def _named(row: Row, encoding: Encoding) -> Row:
    """The row with its names as UTF-8; raises ValueError if one is none in its encoding."""
    if encoding.name == "UTF8":
        return row
    return {encoding.utf8(name): value for name, value in row.items()}


def _from_sqltriga(operation: Operation, data: bytes, old: bytes | None) -> Change:
    if operation is Operation.INSERT:
        return Change(operation, sqltext.insert(data))
    if operation is Operation.DELETE:
        key = sqltext.delete(data)
        return Change(operation, key, tuple(key), whole=False)
    changed, key = sqltext.update(data)
    if not old:
        return Change(operation, key | changed, tuple(key), key, whole=False)
    if sqltext.is_update(old):
        # PgQ without C writes what the changed columns were, as it writes what they are.
        before, _ = sqltext.update(old)
        return Change(operation, key | changed, tuple(key), key | before, whole=False)
    # The old row is url-encoded, though the new one is not.
    before = urlencoded.decode(old)
    return Change(operation, before | changed, tuple(key), before)


_REMADE = {
    Operation.INSERT: sqltext.remade_insert,
    Operation.UPDATE: sqltext.remade_update,
    Operation.DELETE: sqltext.remade_delete,
}
"""Data of sqltriga with other values."""


def remade(event: Event, remake: Remake) -> Event:
    """An event with other values in its rows, in the format that it has. A text that is not read is left out.

    Args:
        event: the event.
        remake: gives the values, by names in UTF-8; values are in the event's encoding.

    Raises:
        ValueError: the event cannot be read.
    """
    header, encoding = event.header(), event.encoding
    if header.operation is None or header.format is Format.NO_ROW or event.data is None:
        return replace(event, data=None, old=None)
    old = event.old if header.operation is Operation.UPDATE else None
    read_change(header, event)

    def named(name: bytes, value: bytes | None) -> bytes | None:
        return remake(encoding.utf8(name), value)

    is_sql = header.format is Format.SQL and sqltext.looks_like(event.data)
    if header.format is Format.JSON or (
        not is_sql and header.format is not Format.URLENCODED and event.looks_like_json
    ):
        old = event.old if header.format is Format.JSON else None
        return replace(
            event,
            data=jsonrow.remade(event.data, remake, encoding),
            old=old and jsonrow.remade(old, remake, encoding),
        )
    if not is_sql:
        data = urlencoded.remade(event.data, named)
        return replace(event, data=data, old=old and urlencoded.remade(old, named))
    if old:
        is_update = sqltext.is_update(old)
        old = sqltext.remade_update(old, named) if is_update else urlencoded.remade(old, named)
    return replace(event, data=_REMADE[header.operation](event.data, named), old=old)
