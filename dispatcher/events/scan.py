r"""Flat rows as triggers write them, split into the values of known columns.

A row is taken only if it has the very form in which a trigger writes it: the row path reads what is left,
with the decoders of `read_change`. Values are those that they give. ``scan.c`` is the same, compiled.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import IntEnum

from .urlencoded import column_name, unquote

Values = dict[int, bytes | None]
"""Number of a column to its value; None is NULL."""

Pair = tuple[bytes, bytes | None]
"""Name and value of a column."""

Names = Mapping[bytes, int]
"""Number of each column, by its name as it stands in the text."""


class Writing(IntEnum):
    """How a row is written."""

    URLENCODED = 0
    JSON = 1
    VALUES = 2
    """An insert of sqltriga."""
    CHANGES = 3
    """An update of sqltriga: the changed columns, then the key."""
    CONDITIONS = 4
    """A delete of sqltriga: the key."""
    EITHER = 5
    """A producer's own: JSON if it begins with a brace, else url-encoded."""
    UNREAD = 6
    """It does not matter."""

    @property
    def tells_key(self) -> bool:
        """Whether the row is a part of one, with its key apart."""
        return self is Writing.CHANGES or self is Writing.CONDITIONS


SPELLINGS = 3
"""Ways to spell a column's name: url-encoded, in JSON, in SQL."""

SPELLING = {
    Writing.URLENCODED: 0,
    Writing.JSON: 1,
    Writing.VALUES: 2,
    Writing.CHANGES: 2,
    Writing.CONDITIONS: 2,
}
"""Which of them a row has."""

_MALFORMED = re.compile(rb"%(?![0-9A-Fa-f]{2})|[\\\r]")

_STRING = rb'"((?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*)"'
_NUMBER = rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"
_SPACE = rb"[ \t\r\n]*"
_JSON_PAIR = re.compile(
    rb"%b%b%b:%b(?:%b|(%b)|(true|false)|(null))%b([,}])"
    % (_SPACE, _STRING, _SPACE, _SPACE, _STRING, _NUMBER, _SPACE)
)
_JSON_ESCAPE = re.compile(rb"\\(?:u([0-9A-Fa-f]{4})|(.))")
_JSON_LETTERS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_SURROGATES = range(0xD800, 0xE000)
_HIGH = range(0xD800, 0xDC00)

_SQL_NAME = re.compile(rb'"(?:[^"]|"")+"|[A-Za-z_\x80-\xff][0-9A-Za-z_$\x80-\xff]*')
_SQL_VALUE = re.compile(rb"(null|NULL)|'((?:[^']|'')*)'|E'((?:[^'\\]|''|\\.)*)'", re.DOTALL)
_SQL_ESCAPE = re.compile(rb"''|\\(.)", re.DOTALL)


class Strange(ValueError):
    """A text is not in the form that is expected, or has columns that are not known."""


def scan(text: bytes, writing: Writing, names: Names) -> tuple[Values, Values]:
    """The values of a row; of an update of sqltriga those that changed, and the key apart.

    Raises:
        Strange: it cannot be told here.
    """
    if writing is Writing.CHANGES:
        changes, end, position = _pairs(text, 0, b",", names)
        if end != b" where ":
            raise Strange
        key, end, _ = _pairs(text, position, b" and ", names)
    elif writing is Writing.CONDITIONS:
        changes, (key, end, _) = {}, _pairs(text, 0, b" and ", names)
    else:
        return _gathered(_WHOLE[writing](text), names), {}
    if end:
        raise Strange
    return changes, key


def spelled(text: bytes, writing: Writing) -> list[bytes]:
    """Names of a row's columns as they stand in it; of an update of sqltriga, of those that changed first.

    Raises:
        Strange: they cannot be told here.
    """
    if writing in _WHOLE:
        return [name for name, _ in _WHOLE[writing](text)]
    names: list[bytes] = []
    position, joint = 0, b"," if writing is Writing.CHANGES else b" and "
    while position < len(text):
        pairs, end, position = _raw_pairs(text, position, joint)
        names += [name for name, _ in pairs]
        if end not in {b"", b" where "}:
            raise Strange
        joint = b" and "
    return names


def name_of(spelled: bytes, writing: Writing) -> bytes:
    """The name that is spelled so in a row; raises ValueError if none is."""
    if writing is Writing.URLENCODED:
        return column_name(spelled)
    if writing is Writing.JSON:
        return _json_string(spelled)
    return spelled[1:-1].replace(b'""', b'"') if spelled.startswith(b'"') else spelled


def check_urlencoded(text: bytes) -> None:
    """Raise Strange if a text cannot be decoded."""
    if _MALFORMED.search(text):
        raise Strange


def _gathered(pairs: Iterable[Pair], names: Names) -> Values:
    values: Values = {}
    for name, value in pairs:
        number = names.get(name)
        if number is None or number in values:
            raise Strange
        values[number] = value
    return values


def _urlencoded(text: bytes) -> Iterator[Pair]:
    check_urlencoded(text)
    for element in text.split(b"&"):
        name, equals, value = element.partition(b"=")
        yield name, unquote(value) if equals else None


def _json(text: bytes) -> Iterator[Pair]:
    try:
        text.decode()
    except UnicodeDecodeError:
        raise Strange from None
    text = text.strip(b" \t\r\n")
    if not text.startswith(b"{"):
        raise Strange
    position, end = 1, b","
    while end == b",":
        match = _JSON_PAIR.match(text, position)
        if match is None:
            raise Strange
        name, string, number, word, null, end = match.groups()
        yield name, None if null else _json_string(string) if string is not None else number or word
        position = match.end()
    if position != len(text):
        raise Strange


def _json_string(text: bytes) -> bytes:
    found = bytearray()
    position, high = 0, 0
    for match in _JSON_ESCAPE.finditer(text):
        between, position = text[position : match.start()], match.end()
        code = int(match[1], 16) if match[1] else 0
        if high and (between or code not in _SURROGATES or code in _HIGH):
            raise Strange
        found += between
        if match[2]:
            found += _JSON_LETTERS.get(match[2], match[2])
        elif code in _HIGH:
            high = code
        elif high:
            found += chr(0x10000 + (high - 0xD800 << 10) + code - 0xDC00).encode()
            high = 0
        elif not code or code in _SURROGATES:
            raise Strange
        else:
            found += chr(code).encode()
    if high:
        raise Strange
    return bytes(found + text[position:])


def _insert(text: bytes) -> Iterator[Pair]:
    names: list[bytes] = []
    position = _past(b"(", text, 0)
    while not names or text[position - 1 : position] == b",":
        found = _found(_SQL_NAME, text, position)
        names.append(found[0])
        position = _past(b",", text, found.end(), b")")
    position = _past(b" values (", text, position)
    for number, name in enumerate(names):
        match = _found(_SQL_VALUE, text, position)
        position = _past(b"," if number < len(names) - 1 else b")", text, match.end())
        yield name, _sql_value(match)
    if position != len(text):
        raise Strange


def _pairs(text: bytes, position: int, joint: bytes, names: Names) -> tuple[Values, bytes, int]:
    """As `_raw_pairs`, by columns."""
    found, end, position = _raw_pairs(text, position, joint)
    return _gathered(found, names), end, position


def _raw_pairs(text: bytes, position: int, joint: bytes) -> tuple[list[Pair], bytes, int]:
    """Pairs with a joint between them; then what follows, ``where`` or nothing, and its end."""
    found: list[Pair] = []
    while True:
        name = _found(_SQL_NAME, text, position)
        match = _found(_SQL_VALUE, text, _past(b"=", text, name.end()))
        found.append((name[0], _sql_value(match)))
        position = match.end()
        if text.startswith(joint, position):
            position += len(joint)
            continue
        end = text[position : position + len(b" where ")]
        return found, end, position + len(end)


def _sql_value(match: re.Match[bytes]) -> bytes | None:
    if match[1]:
        return None
    if match[2] is not None:
        return match[2].replace(b"''", b"'")
    return _SQL_ESCAPE.sub(lambda each: _JSON_LETTERS.get(each[1], each[1]) if each[1] else b"'", match[3])


def _found(pattern: re.Pattern[bytes], text: bytes, position: int) -> re.Match[bytes]:
    match = pattern.match(text, position)
    if match is None:
        raise Strange
    return match


def _past(expected: bytes, text: bytes, position: int, otherwise: bytes | None = None) -> int:
    """Where a text goes on after what is expected."""
    for each in (expected, otherwise):
        if each is not None and text.startswith(each, position):
            return position + len(each)
    raise Strange


_WHOLE: dict[Writing, Callable[[bytes], Iterator[Pair]]] = {
    Writing.URLENCODED: _urlencoded,
    Writing.JSON: _json,
    Writing.VALUES: _insert,
}
