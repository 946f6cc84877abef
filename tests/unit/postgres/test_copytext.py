"""The codec of COPY's text format."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tdsup.dispatcher.postgres import copytext


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, rb"\N"),
        (rb"\N", rb"\\N"),
        (rb"\.", rb"\\."),
        (b"", b""),
        (b"a\tb\nc\rd\\e", rb"a\tb\nc\rd\\e"),
    ],
)
def test_escapes_what_copy_would_misread(value: bytes | None, text: bytes) -> None:
    """NULL, its look-alike, the end marker and the separators stay distinct."""
    assert copytext.escape(value) == text
    assert copytext.unescape(text) == value


def test_reads_the_escapes_that_the_server_writes() -> None:
    """COPY TO writes control characters as letters; all of them come back."""
    assert copytext.unescape(rb"\b\f\n\r\t\v\\") == b"\b\f\n\r\t\v\\"


@given(st.lists(st.none() | st.binary(), min_size=1))
def test_a_line_survives(values: list[bytes | None]) -> None:
    """Any values make one line, and the line gives the values back."""
    line = copytext.line(values)
    assert line.count(b"\n") == 1
    assert copytext.split(line) == values
