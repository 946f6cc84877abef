"""PgQ's url-encoded rows, as the trigger ``pgq.logutriga`` writes them into ``ev_data``.

``id=1&note&city=`` is id '1', note NULL, city ''. A space is ``+``, and any byte other than
``0-9A-Za-z_.-`` is ``%xx``, so a row is plain ASCII, no matter what its values are.
"""

from __future__ import annotations

import re
from binascii import a2b_qp
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import quote_plus

Row = dict[bytes, bytes | None]
"""Column name, in UTF-8, to value, in the encoding of its event; None is NULL."""

Remake = Callable[[bytes, bytes | None], bytes | None]
"""Gives the value that a column is to have, by its name and its value."""

MAX_NAMES = 1024
"""Most names of columns that are remembered."""

MAX_NAME = 1024
"""Bytes of the longest name that is remembered."""

# What PgQ leaves as it is, and what url-encoders of other languages do.
_NAME = re.compile(rb"[0-9A-Za-z_.*~%+-]*")

_MALFORMED = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def column_name(name: bytes) -> bytes:
    """The name of a column, decoded; raises ValueError if it is not url-encoded."""
    return _read_column(name) if len(name) <= MAX_NAME else _read_column.__wrapped__(name)


@lru_cache(MAX_NAMES)
def _read_column(name: bytes) -> bytes:
    if not _NAME.fullmatch(name):
        shown = name[:40].decode("utf-8", "backslashreplace")
        raise ValueError(f"its data is not url-encoded: {shown!r} is no name of a column")
    return unquote(name)


def unquote(text: bytes) -> bytes:
    """Text that is not malformed, decoded."""
    if b"+" in text:
        text = text.replace(b"+", b" ")
    # Quoted-printable is the same with another sign, and much faster than urllib.
    return a2b_qp(text.replace(b"=", b"=3D").replace(b"%", b"=")) if b"%" in text else text


def decode(data: bytes) -> Row:
    """The columns of one row, in their order.

    Empty elements are skipped. If a name is given twice, the last value counts. ``=x`` is a column with an
    empty name (skytools ``db_urldecode``). Values may hold what a lenient producer has not encoded; names may
    not, so that no other text is taken for one.

    Raises:
        ValueError: a ``%`` is not followed by two hexadecimal digits, or a name is not url-encoded.
    """
    if malformed := _MALFORMED.search(data):
        raise ValueError(f"its data is not url-encoded: stray % at byte {malformed.start()}")
    row: Row = {}
    for element in data.split(b"&"):
        if element:
            name, equals, value = element.partition(b"=")
            row[column_name(name)] = unquote(value) if equals else None
    return row


def remade(data: bytes, remake: Remake) -> bytes:
    """A row with other values; other columns are not touched. Raises ValueError as `decode` does."""
    decode(data)
    return b"&".join(element and _remade(element, remake) for element in data.split(b"&"))


def _remade(element: bytes, remake: Remake) -> bytes:
    name, equals, value = element.partition(b"=")
    before = unquote(value) if equals else None
    after = remake(column_name(name), before)
    if after == before:
        return element
    return name if after is None else name + b"=" + quote_plus(after).encode()
