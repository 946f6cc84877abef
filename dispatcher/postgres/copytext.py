"""The text format of COPY (PostgreSQL manual, COPY, "Text Format"): tab-separated, one line per row."""

from __future__ import annotations

import re
from collections.abc import Iterable

NULL = rb"\N"

_SPECIAL = re.compile(rb"[\\\t\n\r]")
_ESCAPE = {b"\\": rb"\\", b"\t": rb"\t", b"\n": rb"\n", b"\r": rb"\r"}
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
# COPY TO writes only these; any other escaped character stands for itself.
_UNESCAPE = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


def escape(value: bytes | None) -> bytes:
    """A value as the text of a line; None is NULL."""
    if value is None:
        return NULL
    if _SPECIAL.search(value):
        return _SPECIAL.sub(lambda match: _ESCAPE[match[0]], value)
    return value


def unescape(text: bytes) -> bytes | None:
    """The value of a text in a line that COPY TO wrote; None is NULL."""
    if text == NULL:
        return None
    if b"\\" in text:
        return _ESCAPED.sub(lambda match: _UNESCAPE.get(match[1], match[1]), text)
    return text


def line(values: Iterable[bytes | None]) -> bytes:
    """A whole line of some values, with its newline."""
    return b"\t".join([escape(value) for value in values]) + b"\n"


def split(text: bytes) -> list[bytes | None]:
    """The values of a line that COPY TO wrote."""
    return [unescape(value) for value in text.removesuffix(b"\n").split(b"\t")]
