"""The decoder of the block path: events whose rows have the same columns become COPY text, day by day.

It stops at the first line that is not as described; the row path takes what is left. `decode_block` is
compiled (``_decoder.c``) where the installation had a compiler. `decode_block_purely` is its reference, and
stands in for it elsewhere.
"""

from __future__ import annotations

import re
from calendar import monthrange
from functools import lru_cache

from ..postgres import copytext

NOT_PARTITIONED = -1
"""Rows are not partitioned."""

BY_EVENT_TIME = -2
"""Rows are partitioned by the event's time."""

MAX_MOMENT = 64
"""Bytes of a partition value as it stands in ``ev_data``; longer ones name no day."""

MAX_DAYS = 256
"""Days of one call; one more ends the call."""

_MALFORMED = re.compile(rb"%(?![0-9A-Fa-f]{2})")

# Part of what period.py takes for a date: what PostgreSQL writes in DateStyle ISO.
_MOMENT = re.compile(
    rb"(\d{4})-(\d\d)-(\d\d)"
    rb"(?:[ T](?!23:59:59\.\d{7})(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:[+-][0-9:]+)?)?"
)
_YEARS = range(1, 9999)

# By two digits, of either case: what the byte is in COPY text.
_BYTES = {
    b"%c%c" % (high, low): copytext.escape(bytes([int(chr(high) + chr(low), 16)]))
    for high in b"0123456789ABCDEFabcdef"
    for low in b"0123456789ABCDEFabcdef"
}


# Long: a call for each line would take too long.
def decode_block_purely(
    block: bytes,
    start: int,
    prefixes: tuple[bytes, ...],
    ignored: tuple[bytes, ...],
    names: tuple[bytes, ...],
    picked: tuple[int, ...],
    part: int,
) -> tuple[int, dict[bytes, bytes], tuple[int, ...]]:
    """Decode the lines of a block from `start` on, up to the first one that is not as described.

    A line is COPY text of ``ev_type``, ``ev_extra1``, ``ev_data`` and further columns. With `BY_EVENT_TIME`
    the first of these is ``ev_time``.

    Args:
        block: whole lines.
        start: byte where to begin.
        prefixes: what lines begin with that become rows, up to the tab before ``ev_data``.
        ignored: what lines begin with that become nothing.
        names: names of all columns of a row, in order, as they stand in ``ev_data``.
        picked: numbers of the columns that are written, in the order in which they are written.
        part: number of the column that tells the day, or `NOT_PARTITIONED`, or `BY_EVENT_TIME`.

    Returns:
        The byte where the first line begins that was not taken; rows as COPY text by day, ``YYYY-MM-DD``
        (empty with `NOT_PARTITIONED`); and the number of lines taken for each of `prefixes` and `ignored`.
    """
    counts = [0] * (len(prefixes) + len(ignored))
    rows_by_day: dict[bytes, list[bytes]] = {}
    line = _line(prefixes, ignored, names, part)
    while match := line.match(block, start):
        prefix, *texts, ignored_prefix, data = match.groups()
        if prefix is None:
            if _MALFORMED.search(data):
                break
            counts[len(prefixes) + ignored.index(ignored_prefix)] += 1
            start = match.end()
            continue
        moment = texts.pop() if part == BY_EVENT_TIME else b""
        if b"%" in match[0] and any(text and _MALFORMED.search(text) for text in texts):
            break
        if part >= 0:
            text = texts[part]
            moment = _decoded(text[1:]) if text and len(text) <= MAX_MOMENT + 1 else None
        day = _day(moment) if part != NOT_PARTITIONED else b""
        if day is None or (day not in rows_by_day and len(rows_by_day) == MAX_DAYS):
            break
        values = [text[1:] if text else copytext.NULL for text in texts]
        rows_by_day.setdefault(day, []).append(b"\t".join([values[number] for number in picked]))
        counts[prefixes.index(prefix)] += 1
        start = match.end()
    return (
        start,
        {day: _decoded(b"\n".join([*rows, b""])) for day, rows in rows_by_day.items()},
        tuple(counts),
    )


@lru_cache
def _line(
    prefixes: tuple[bytes, ...], ignored: tuple[bytes, ...], names: tuple[bytes, ...], part: int
) -> re.Pattern[bytes]:
    """What a line looks like: a prefix, values with their ``=``, the event's time; or a prefix to ignore."""
    columns = rb"&".join(re.escape(name) + rb"(=[^&\t\\\n]*)?" for name in names) or rb"(?!)"
    time = rb"\t([^\t\n]*)" if part == BY_EVENT_TIME else b""
    row = rb"(%b)%b%b\t[^\n]*\n" % (_either(prefixes), columns, time)
    return re.compile(rb"%b|(%b)([^\t\\\n]*)\t[^\n]*\n" % (row, _either(ignored)))


def _either(texts: tuple[bytes, ...]) -> bytes:
    """A pattern of one of some texts, or of nothing at all."""
    return rb"|".join(map(re.escape, texts)) or rb"(?!)"


def _decoded(text: bytes) -> bytes:
    """Url-encoded text as COPY text; a ``%`` has its digits."""
    text = text.replace(b"+", b" ")
    if b"%" not in text:
        return text
    first, *others = text.split(b"%")
    return b"".join([first, *[_BYTES[other[:2]] + other[2:] for other in others]])


def _day(moment: bytes | None) -> bytes | None:
    """The day of a partition value as it is written; None if the row path has to look at it."""
    if moment is None or len(moment) > MAX_MOMENT:
        return None
    match = _MOMENT.fullmatch(moment)
    if match is None:
        return None
    year, month, day = map(int, match.groups())
    sound = year in _YEARS and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]
    return moment[:10] if sound else None


try:
    from ._decoder import decode_block as decode_block
except ImportError:
    decode_block = decode_block_purely

IS_COMPILED = decode_block is not decode_block_purely
"""Whether `decode_block` is the compiled one."""
