"""Rows as JSON, as the trigger ``pgq.jsontriga`` writes them into ``ev_data``: one flat object per row.

Its dates are in ISO style, and numbers that a JSON reader might round are strings.
"""

from __future__ import annotations

import json
from typing import Any

from ..postgres import UTF8, Encoding
from .urlencoded import Row


def loads(text: str) -> dict[str, Any]:
    """The object in a text, with its numbers as they are written.

    Raises:
        ValueError: it is not JSON, or not an object.
    """
    try:
        found = json.loads(text, parse_float=_Number, parse_int=_Number, parse_constant=_Number)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("no object")  # noqa: TRY004 (a fault of the data, not of a caller)
    return found


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
        texts = ((name.encode(), _text(value)) for name, value in found)
        return {name: None if text is None else encoding.encode(text) for name, text in texts}
    except ValueError as error:
        raise ValueError(f"its data is no JSON object: {error}") from error


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
