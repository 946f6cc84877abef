"""What reads text of strangers takes no longer than their text is long."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from tdsup.dispatcher.events import Event, JsonArray, array_literal, read_change
from tdsup.dispatcher.partitions import period_of
from tdsup.dispatcher.postgres import UTF8
from tdsup.dispatcher.postgres.styles import _SIGNED, _WORDED
from tdsup.jobtype import brief
from tdsup.supervisor.redact import redact

SIZE, FACTOR = 2_000, 8
"""Characters of the small text, and how much longer the large one is."""

MOST = 3 * FACTOR
"""How much longer the large text may take: a quadratic reader takes `FACTOR` squared."""

LEAST = 0.01
"""Seconds that are short enough, whatever the factor."""

Reader = Callable[[str], object]


def _event(type_: bytes, data: bytes) -> Event:
    return Event(1, b"", type_, data, b"public.t", None, b"")


def _change(type_: bytes) -> Reader:
    def read(text: str) -> object:
        event = _event(type_, text.encode())
        return read_change(event.header(), event)

    return read


def _header(text: str) -> object:
    return _event(text.encode(), b"a=1").header()


READERS: dict[str, Reader] = {
    "url-encoded": _change(b"I:id"),
    "sqltriga's insert": _change(b"I"),
    "sqltriga's update": _change(b"U"),
    "sqltriga's delete": _change(b"D"),
    "jsontriga's": _change(b'{"op":"INSERT"}'),
    "a type of the producer's own": _change(b"x"),
    "a header": _header,
    "an array": lambda text: array_literal(JsonArray(text.encode()), UTF8, of_json=False),
    "a date": lambda text: period_of(text.encode(), "daily", "MDY"),
    "an interval": lambda text: [doubt.pattern.search(text.encode()) for doubt in (_SIGNED, _WORDED)],
    "a reason": brief,
    "secrets": redact,
}

PIECES = [
    *"a1&%+=,()[]{}'\"\\:- \n\x1b\u202e@/",
    *(
        "a=1&",
        "%41",
        "a,",
        "(a,",
        "('",
        "''",
        "E'",
        "\\'",
        "null,",
        "id='1' and ",
        "id='1',",
        " where ",
        ") ",
    ),
    *('{"a":', '"a":1,', "[1,", '"\\u0041', "-1 a ", "-1 1", "\t-1 a", "2026-", "01/", "Mon "),
    *("password=", "password='", "password=\\", "://", "x://a:", "x://a:b", "postgresql://", "x://:@"),
]
"""What texts are made of: each is one of these again and again, perhaps after another one."""


def _seconds(read: Reader, text: str) -> float:
    """The least time of a few tries."""
    times = []
    for _ in range(3):
        began = time.process_time()
        with suppress(ValueError):
            read(text)
        times.append(time.process_time() - began)
    return min(times)


@pytest.mark.parametrize("name", READERS)
def test_time_grows_with_the_text(name: str) -> None:
    """Eight times the length takes three times eight as long at most: of each piece, after each beginning."""
    read = READERS[name]
    slow = []
    for begin in ("", "(", "'", "{", "-1 ", "I:", "a='", "x://a:", "password="):
        for piece in PIECES:
            small, large = (begin + piece * (size // len(piece)) for size in (SIZE, SIZE * FACTOR))
            taken = _seconds(read, large)
            if taken > LEAST and taken > MOST * _seconds(read, small):
                slow.append((begin, piece, taken))
    assert not slow
