r"""Rows as pieces of SQL, as the trigger ``pgq.sqltriga`` writes them into ``ev_data``.

An insert is ``(id,txt) values ('1',null)``, an update ``txt='x' where id='1'`` with the changed columns only,
a delete ``id='2'``. A value is NULL or a string constant, ``'it''s'`` or ``E'back\\slash'``. The text is
only read, never executed.
"""

from __future__ import annotations

import re

from .urlencoded import Remake, Row

_NAME = rb'\s*+(?:"((?:[^"]|"")++)"|([A-Za-z_\x80-\xff][\w$\x80-\xff]*+))\s*+'
# Unrolled loops: a value may be very long.
_VALUE = rb"\s*+(?:(null)|'([^']*+(?:''[^']*+)*+)'|E'([^'\\]*+(?:(?:''|\\.)[^'\\]*+)*+)')\s*+"

_NAMES = re.compile(rb"\s*+\(")
_ONE_NAME = re.compile(_NAME + rb"([,)])", re.ASCII)
_VALUES = re.compile(rb"\s*+values\s*+\(", re.IGNORECASE)
_ONE_VALUE = re.compile(_VALUE + rb"([,)])", re.IGNORECASE | re.DOTALL)
_PAIR = re.compile(_NAME + rb"=" + _VALUE + rb"(,|and\b|where\b|\Z)", re.IGNORECASE | re.DOTALL)

_ESCAPE = re.compile(rb"''|\\(.)", re.DOTALL)
_UNESCAPE = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}

_LOOK = re.compile(
    rb"\s*+\(.*?\)\s*+values\s*+\(|" + _NAME + rb"=\s*+(?:E?'|null\b)", re.IGNORECASE | re.DOTALL
)


def looks_like(data: bytes) -> bool:
    """Whether a text begins like one of these; url-encoded rows contain no quotes."""
    return _LOOK.match(data) is not None


def is_update(data: bytes) -> bool:
    """Whether a text is an update or url-encoded; a url-encoded row contains no spaces."""
    return b" where " in data


def insert(data: bytes) -> Row:
    """The columns of an inserted row.

    Raises:
        ValueError: the text has another form.
    """
    names, position = [], _skip(_NAMES, data, 0)
    while True:
        match = _find(_ONE_NAME, data, position)
        names.append(_name(match[1], match[2]))
        position = match.end()
        if match[3] == b")":
            break
    values: list[bytes | None] = []
    position = _skip(_VALUES, data, position)
    while True:
        match = _find(_ONE_VALUE, data, position)
        values.append(_value(match[1], match[2], match[3]))
        position = match.end()
        if match[4] == b")":
            break
    if data[position:].strip() or len(names) != len(values):
        raise ValueError("its data is no row of sqltriga: columns and values differ in number")
    return dict(zip(names, values, strict=True))


def update(data: bytes) -> tuple[Row, Row]:
    """The changed columns of an updated row, and its key.

    Raises:
        ValueError: the text has another form.
    """
    changed, end, position = _pairs(data, 0, b",")
    if end != b"where":
        raise ValueError("its data is no update of sqltriga: it has no where")
    key, end, _ = _pairs(data, position, b"and")
    if end:
        raise ValueError(f"its data is no update of sqltriga: it goes on with {end.decode()}")
    return changed, key


def delete(data: bytes) -> Row:
    """The key of a deleted row.

    Raises:
        ValueError: the text has another form.
    """
    key, end, _ = _pairs(data, 0, b"and")
    if end:
        raise ValueError(f"its data is no delete of sqltriga: it goes on with {end.decode()}")
    return key


def remade_insert(data: bytes, remake: Remake) -> bytes:
    """An inserted row with other values; raises ValueError as `insert` does."""
    row = insert(data)
    values = (_written(remake(name, value)) for name, value in row.items())
    return b"(" + b",".join(map(_quoted, row)) + b") values (" + b",".join(values) + b")"


def remade_update(data: bytes, remake: Remake) -> bytes:
    """An update with other values; raises ValueError as `update` does."""
    changed, key = update(data)
    return _assigned(changed, remake, b",") + b" where " + _assigned(key, remake, b" and ")


def remade_delete(data: bytes, remake: Remake) -> bytes:
    """A delete with other values; raises ValueError as `delete` does."""
    return _assigned(delete(data), remake, b" and ")


def _assigned(row: Row, remake: Remake, joint: bytes) -> bytes:
    return joint.join(_quoted(name) + b"=" + _written(remake(name, value)) for name, value in row.items())


def _quoted(name: bytes) -> bytes:
    return b'"' + name.replace(b'"', b'""') + b'"'


def _written(value: bytes | None) -> bytes:
    return b"null" if value is None else b"'" + value.replace(b"'", b"''") + b"'"


def _pairs(data: bytes, position: int, joint: bytes) -> tuple[Row, bytes, int]:
    """Pairs ``name=value`` with `joint` between them, then what follows them, and where."""
    row: Row = {}
    while True:
        match = _find(_PAIR, data, position)
        row[_name(match[1], match[2])] = _value(match[3], match[4], match[5])
        position, end = match.end(), match[6].lower()
        if end != joint:
            return row, end, position


def _find(pattern: re.Pattern[bytes], data: bytes, position: int) -> re.Match[bytes]:
    match = pattern.match(data, position)
    if match is None:
        raise ValueError(f"its data is no row of sqltriga: cannot read on at byte {position}")
    return match


def _skip(pattern: re.Pattern[bytes], data: bytes, position: int) -> int:
    return _find(pattern, data, position).end()


def _name(quoted: bytes | None, bare: bytes) -> bytes:
    return bare if quoted is None else quoted.replace(b'""', b'"')


def _value(null: bytes | None, plain: bytes | None, escaped: bytes) -> bytes | None:
    if null is not None:
        return None
    if plain is not None:
        return plain.replace(b"''", b"'")
    return _ESCAPE.sub(lambda match: _UNESCAPE.get(match[1], match[1]) if match[1] else b"'", escaped)
