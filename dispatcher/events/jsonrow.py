"""Rows as JSON, one object per row, as the trigger ``pgq.jsontriga`` writes them into ``ev_data``.

Its dates are in ISO style, and numbers that a JSON reader might round are strings. Producers write such rows
by ``row_to_json``, and PgQue's ``send`` takes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..postgres import UTF8, Encoding
from .urlencoded import Remake, Row


def loads(text: str) -> dict[str, Any]:
    """The object in a text, with its numbers as they are written.

    Raises:
        ValueError: it is not JSON, or not an object.
    """
    found = _loads(text)
    if not isinstance(found, dict):
        raise ValueError("no object")  # noqa: TRY004 (a fault of the data, not of a caller)
    return found


def _loads(text: str) -> Any:
    with _not_too_deep():
        return json.loads(text, parse_float=_Number, parse_int=_Number, parse_constant=_Number)


@contextmanager
def _not_too_deep() -> Iterator[None]:
    """Whatever goes into each level of JSON may meet too many; raises ValueError then."""
    try:
        yield
    except RecursionError:
        raise ValueError("nested too deeply") from None


class JsonArray(bytes):
    """The text of a JSON array, which is the value of a column."""

    __slots__ = ()


def array_literal(text: JsonArray, encoding: Encoding, *, of_json: bool) -> bytes:
    """A JSON array as PostgreSQL writes arrays (manual, "Array Input and Output Syntax").

    Args:
        text: the array.
        encoding: of the text.
        of_json: its elements are JSON themselves; else arrays in it are further dimensions.

    Raises:
        ValueError: as by `decode`.
    """
    with _not_too_deep():
        return encoding.encode(_literal(_loads(encoding.decode(text)), of_json))


def _literal(items: list[Any], of_json: bool) -> str:
    return "{" + ",".join(_element(item, of_json) for item in items) + "}"


def _element(item: Any, of_json: bool) -> str:
    if of_json:
        return _quoted(_dump(item))
    if isinstance(item, list):
        return _literal(item, of_json)
    text = _text(item)
    return "NULL" if text is None else _quoted(text)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'


def decode(data: bytes, encoding: Encoding = UTF8) -> Row:
    """The columns of one row, in their order. If a name is given twice, the last value counts.

    Args:
        data: JSON.
        encoding: of the data, and of the values.

    Raises:
        ValueError: it is not a JSON object, or contains half a surrogate pair.
    """
    try:
        found = loads(encoding.decode(data)).items()
        with _not_too_deep():
            return {name.encode(): _value(value, encoding) for name, value in found}
    except ValueError as error:
        raise ValueError(f"its data is no JSON object: {error}") from error


def remade(data: bytes, remake: Remake, encoding: Encoding) -> bytes:
    """A row with other values, which are strings then; raises ValueError as `decode` does."""
    row = decode(data, encoding)
    found = loads(encoding.decode(data))
    for name, before in row.items():
        after = remake(name, before)
        if after != before:
            found[name.decode()] = None if after is None else encoding.decode(after)
    return encoding.encode(_dump(found))


def _value(value: Any, encoding: Encoding) -> bytes | None:
    text = _text(value)
    if text is None:
        return None
    encoded = encoding.encode(text)
    return JsonArray(encoded) if isinstance(value, list) else encoded


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


def _text(value: Any) -> str | None:
    """A value as PostgreSQL reads it; objects and arrays are values of type json."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str) else _dump(value)


def _dump(value: Any) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {_dump(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_dump, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
