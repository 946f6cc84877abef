"""The codec of logutriga rows."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote_plus

import pytest
import skytools
from hypothesis import example, given
from hypothesis import strategies as st
from skytools import _cquoting, _pyquoting
from tdsup.dispatcher.events.urlencoded import decode

NAME = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.*~%+-")
"""Bytes of a url-encoded name."""

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@pytest.mark.parametrize(
    ("data", "row"),
    [
        (b"id=1&txt=text1&val", {b"id": b"1", b"txt": b"text1", b"val": None}),
        (b"note=&city", {b"note": b"", b"city": None}),
        (b"a+b=c+d%2be", {b"a b": b"c d+e"}),
        (b"a=1&&b=2&", {b"a": b"1", b"b": b"2"}),
        (b"a=1&a=2", {b"a": b"2"}),
        (b"=x", {b"": b"x"}),
        (b"a=b=c", {b"a": b"b=c"}),
        (b"a=%c3%BC", {b"a": b"\xc3\xbc"}),
        (b"", {}),
    ],
)
def test_decodes_as_the_format_says(data: bytes, row: dict[bytes, bytes | None]) -> None:
    """Each corner of the format has the outcome that the reference gives it."""
    assert decode(data) == row


@pytest.mark.parametrize("data", [b"a=%", b"a=%zz", b"a=%a", b"%=1", b"a=%2"])
def test_malformed_escape_is_an_error(data: bytes) -> None:
    """A % without two hexadecimal digits is refused, never guessed at."""
    with pytest.raises(ValueError, match="stray %"):
        decode(data)


@given(st.dictionaries(TEXT, st.none() | TEXT, min_size=1))
def test_agrees_with_the_original(columns: dict[str, str | None]) -> None:
    """Any row of any text decodes to what skytools makes of it."""
    data = "&".join(
        quote_plus(name) if value is None else f"{quote_plus(name)}={quote_plus(value)}"
        for name, value in columns.items()
    )
    ours = {
        name.decode(): None if value is None else value.decode()
        for name, value in decode(data.encode()).items()
    }
    assert ours == skytools.db_urldecode(data)


PIECES = (
    "a",
    "b c",
    "1",
    "&",
    "=",
    "+",
    "%",
    "%2",
    "%zz",
    "%41",
    "%00",
    "%C3%bc",
    "%c3",
    "%ff",
    "é",
    "😀",
    ";",
    "\0",
)
"""What url-encoded text is made of, whole or broken."""

ENCODED = st.lists(st.sampled_from(PIECES) | st.text(st.characters(codec="utf-8"), max_size=3)).map("".join)


def original(decoder: Callable[[str], dict[str, str | None]], data: str) -> dict[bytes, bytes | None] | None:
    """What a decoder of the original makes of the text, in UTF-8; None if it refuses."""
    try:
        row = decoder(data)
    except ValueError:
        return None
    return {name.encode(): None if value is None else value.encode() for name, value in row.items()}


def ours(data: bytes) -> dict[bytes, bytes | None] | None:
    """What ours makes of the bytes; None if it refuses."""
    try:
        return decode(data)
    except ValueError:
        return None


def is_utf8(row: dict[bytes, bytes | None]) -> bool:
    """Whether all names and values are UTF-8."""
    try:
        for text in (*row, *row.values()):
            (text or b"").decode()
    except UnicodeDecodeError:
        return False
    return True


def may_be_refused(data: bytes) -> bool:
    """Whether ours is right to refuse it: a ``%`` may be malformed, or a name is not encoded."""
    names = [element.partition(b"=")[0] for element in data.split(b"&")]
    return b"%" in data or any(set(name) - NAME for name in names)


@given(ENCODED)
@example("a=%")
@example("a=1&a")
@example("%ff=1")
def test_agrees_with_the_c_decoder(data: str) -> None:
    """Any text is decoded to the same row, or refused by both, unless a name is not encoded.

    Two differences are deliberate. The C decoder takes a second bare ``=`` in an element, which no encoder
    writes, for the start of another column; ours, like the Python decoder, takes it for part of the value.
    And it refuses bytes that are not UTF-8; ours passes them on, because `fields` may leave their column out.
    If it does not, the target refuses them.
    """
    data = "&".join(element.replace("=", "%3d").replace("%3d", "=", 1) for element in data.split("&"))
    row = ours(data.encode())
    expected = original(_cquoting.db_urldecode, data)
    if row is not None and not is_utf8(row):
        assert expected is None
    elif row is not None or not may_be_refused(data.encode()):
        assert row == expected


@given(ENCODED)
@example("a=b=c")
def test_agrees_with_the_python_decoder(data: str) -> None:
    """Any text is decoded to the same row, with two exceptions.

    The Python decoder never refuses: it leaves a stray ``%`` as it is, takes any text for a name, and
    replaces bytes that are not UTF-8 with U+FFFD. Ours never guesses: it refuses the first two and leaves the
    third.
    """
    row = ours(data.encode())
    if row is None:
        assert may_be_refused(data.encode())
    elif is_utf8(row):
        assert row == original(_pyquoting.db_urldecode, data)


@given(st.binary())
@example(b"%ff=\xff")
def test_any_bytes_are_a_row_or_refused(data: bytes) -> None:
    """The only error is ValueError, and what is accepted can be encoded and decoded to the same row."""
    row = ours(data)
    if row is None:
        assert may_be_refused(data)
        return
    encoded = "&".join(
        quote_plus(name) if value is None else f"{quote_plus(name)}={quote_plus(value)}"
        for name, value in row.items()
        if name or value is not None
    )
    assert decode(encoded.encode()) == {
        name: value for name, value in row.items() if name or value is not None
    }
