"""The decoder of the block path, compiled and pure: both read rows as skytools does."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote_plus

import pytest
import skytools
from hypothesis import example, given
from hypothesis import strategies as st
from tdsup.dispatcher.events import _decoder, decoder, urlencoded
from tdsup.dispatcher.events.decoder import BY_EVENT_TIME, MAX_DAYS, NOT_PARTITIONED
from tdsup.dispatcher.partitions.period import period_of
from tdsup.dispatcher.postgres import copytext

PREFIX = b"I:id\tpublic.orders\t"
NAMES = (b"id", b"day", b"note")

DECODERS = pytest.mark.parametrize(
    "decode", [_decoder.decode_block, decoder.decode_block_purely], ids=["compiled", "pure"]
)
Decode = Callable[..., tuple[int, dict[bytes, bytes], tuple[int, ...]]]


def line(data: bytes, prefix: bytes = PREFIX, rest: bytes = b"7") -> bytes:
    """A line as the source writes it."""
    return prefix + data + b"\t" + rest + b"\n"


ODD = st.sampled_from(
    [
        b"%",
        b"%4",
        b"%zz",
        b"&",
        b"=",
        b"\\",
        b"\\N",
        b"\t",
        b"\n",
        b"+",
        b"%00",
        b"%5C",
        b"%5cN",
        b"%0a",
        b"%09",
    ]
)
DAYS = st.sampled_from(
    """2026-11-24 2026-11-24+23%3A59%3A59 2026-11-24+23:59:59.9999999 2024-02-29 2023-02-29 1900-02-29
    2026-11-24T10:00 2026-11-24+10%3A00%3A00.5%2B02 2026-11-24+10:00:00+02:30 2026-11-24+24:00:00 2026-1-5
    0000-01-01 0001-01-01 9998-12-31 9999-12-31 2026-13-01 2026-00-10 2026-11-00 2026-11-31 infinity
    2026-11-24+10:00:00+UTC 2026-11-24+10:00: 2026-11-24+10:00:00. 2026-11-24+ 10000-01-01 2026%2D11%2D24
    2026-11-24+10:00:60 2026-11-24+10:60 2026-11-24+BC 2026-11-24+10:00:00+ 2026_11_24""".split()
).map(str.encode)
TEXT = st.lists(st.one_of(ODD, st.binary(max_size=4).map(quote_plus).map(str.encode)), max_size=4).map(
    b"".join
)
ELEMENT = st.tuples(
    st.sampled_from([b"id", b"day", b"note", b"i", b"", b"idx"]), st.one_of(st.none(), TEXT, DAYS)
).map(lambda pair: pair[0] if pair[1] is None else pair[0] + b"=" + pair[1])
SOUND = st.tuples(TEXT, DAYS, TEXT).map(lambda row: b"id=%b&day=%b&note=%b" % row)
DATA = st.one_of(SOUND, SOUND, SOUND, st.lists(ELEMENT, max_size=4).map(b"&".join))
PREFIXES = st.sampled_from(
    [PREFIX, PREFIX, b"U:id\tpublic.orders\t", b"D:id\tpublic.orders\t", b"pgq.x\t\\N\t", b"\t"]
)
LINES = st.lists(
    st.builds(line, DATA, PREFIXES, st.sampled_from([b"7", b"2026-11-24 10:00:00.1+00\t7", b"x\t7", b""])),
    max_size=6,
)


@given(
    LINES,
    st.sampled_from([0, 1, 2, NOT_PARTITIONED, BY_EVENT_TIME]),
    st.permutations(range(3)),
    st.integers(0, 3),
)
@example([line(b"id=1&day=2026-11-24&note")], 1, [0, 1, 2], 3)
def test_the_compiled_decoder_is_the_pure_one(
    lines: list[bytes], part: int, order: list[int], count: int
) -> None:
    """For any lines, both give the same rows and counts, and stop at the same byte."""
    block, prefixes = b"".join(lines), (PREFIX, b"U:id\tpublic.orders\t")
    ignored = (b"D:id\tpublic.orders\t",)
    picked = tuple(order[:count])
    start = 0
    while True:
        compiled = _decoder.decode_block(block, start, prefixes, ignored, NAMES, picked, part)
        assert compiled == decoder.decode_block_purely(block, start, prefixes, ignored, NAMES, picked, part)
        following = block.find(b"\n", compiled[0])
        if following < 0:
            break
        start = following + 1


VALUE = st.one_of(
    st.none(), st.text(st.characters(codec="utf-8"), max_size=6), st.sampled_from(["%", "\\N", "\t"])
)


def element(name: str, value: str | None) -> str:
    """A column as the trigger writes it."""
    return name if value is None else f"{name}={quote_plus(value)}"


ROWS = st.tuples(VALUE, VALUE, VALUE).map(
    lambda values: "&".join(map(element, ["id", "day", "note"], values)).encode()
)


@DECODERS
@given(data=st.lists(ROWS, min_size=1, max_size=5))
def test_rows_are_those_of_skytools(decode: Decode, data: list[bytes]) -> None:
    """Rows as a trigger writes them are all taken, and have the values that skytools reads."""
    block = b"".join(map(line, data))
    end, rows, counts = decode(block, 0, (PREFIX,), (), NAMES, (0, 1, 2), NOT_PARTITIONED)
    assert (end, counts) == (len(block), (len(data),))
    for text, row in zip(re.findall(rb"[^\n]*\n", rows[b""]), data, strict=True):
        expected = skytools.db_urldecode(row.decode())
        values = [None if value is None else value.decode() for value in copytext.split(text)]
        assert values == [expected[name.decode()] for name in NAMES]


@DECODERS
@given(value=DAYS)
def test_days_are_those_of_the_row_path(decode: Decode, value: bytes) -> None:
    """A row that is taken has the day that period.py finds for its value."""
    _end, rows, _counts = decode(line(b"id=1&day=" + value + b"&note"), 0, (PREFIX,), (), NAMES, (0,), 1)
    for day in rows:
        plain = urlencoded.decode(b"day=" + value)[b"day"]
        period = period_of(plain, "daily")
        assert day.decode() == period.start.isoformat()


@DECODERS
def test_null_and_empty_are_told_apart(decode: Decode) -> None:
    """A name alone is NULL, a name with = is empty."""
    _end, rows, _counts = decode(line(b"id&day=&note"), 0, (PREFIX,), (), NAMES, (0, 1, 2), NOT_PARTITIONED)
    assert rows == {b"": b"\\N\t\t\\N\n"}


@DECODERS
def test_columns_are_written_in_the_order_asked_for(decode: Decode) -> None:
    """A column that is left out is decoded all the same, to see whether it is sound."""
    block = line(b"id=1&day=2&note=3") + line(b"id=1&day=%&note=3")
    end, rows, _counts = decode(block, 0, (PREFIX,), (), NAMES, (2, 0), NOT_PARTITIONED)
    assert rows == {b"": b"3\t1\n"}
    assert end == len(block) // 2


@DECODERS
def test_rows_are_divided_by_day(decode: Decode) -> None:
    """Rows of one day come together, in the order they have in the block."""
    block = b"".join(line(b"id=%d&day=2026-11-%02d&note" % (n, 1 + n % 2)) for n in range(4))
    _end, rows, counts = decode(block, 0, (PREFIX,), (), NAMES, (0,), 1)
    assert rows == {b"2026-11-01": b"0\n2\n", b"2026-11-02": b"1\n3\n"}
    assert counts == (4,)


@DECODERS
def test_one_day_too_many_ends_a_call(decode: Decode) -> None:
    """No call returns more than MAX_DAYS days; the next one goes on."""
    days = [b"%04d-01-01" % (1000 + number) for number in range(MAX_DAYS + 1)]
    block = b"".join(line(b"id=1&day=" + day + b"&note") for day in days)
    end, rows, _counts = decode(block, 0, (PREFIX,), (), NAMES, (0,), 1)
    assert list(rows) == days[:-1]
    assert decode(block, end, (PREFIX,), (), NAMES, (0,), 1)[1] == {days[-1]: b"1\n"}


def test_the_compiled_decoder_refuses_columns_that_are_not_there() -> None:
    """An index out of range is an error, never a byte of somebody else's memory."""
    wrong = [((3,), NOT_PARTITIONED, 0), ((-1,), NOT_PARTITIONED, 0), ((), 3, 0), ((), -3, 0), ((), 0, 99)]
    for picked, part, start in wrong:
        with pytest.raises(IndexError):
            _decoder.decode_block(line(b""), start, (PREFIX,), (), NAMES, picked, part)
    with pytest.raises(TypeError):
        _decoder.decode_block(line(b""), 0, ("text",), (), NAMES, (), NOT_PARTITIONED)  # type: ignore[arg-type]
