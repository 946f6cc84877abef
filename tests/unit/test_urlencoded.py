"""The codec of logutriga rows."""

from __future__ import annotations

from urllib.parse import quote_plus

import pytest
import skytools
from hypothesis import given
from hypothesis import strategies as st
from tdsup.dispatcher.urlencoded import decode

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
