"""The decoder: whole blocks of events whose rows have the same columns become COPY text, by day.

What it does not take it leaves alone, for the general way. `decode` is compiled (``_decoder.c``) where the
installation had a compiler. `decode_purely` is its reference, and stands in for it elsewhere.
"""

from __future__ import annotations

import re
from calendar import monthrange
from functools import lru_cache

from ..postgres import copytext

NO_PART = -1
"""Rows are not partitioned."""

EVENT_TIME = -2
"""Rows are partitioned by the event's time."""

MAX_MOMENT = 64
"""Bytes of a partition value as it stands in ``ev_data``; longer ones are none."""

MAX_DAYS = 256
"""Days of one call; a further one ends it."""

_MALFORMED = re.compile(rb"%(?![0-9A-Fa-f]{2})")

# A part of what partition.py takes for a date: what PostgreSQL writes in DateStyle ISO.
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


def decode_purely(
    block: bytes,
    start: int,
    heads: tuple[bytes, ...],
    skipped: tuple[bytes, ...],
    names: tuple[bytes, ...],
    picked: tuple[int, ...],
    part: int,
) -> tuple[int, dict[bytes, bytes], tuple[int, ...]]:
    """Decode lines of a block from `start` on, up to the first that is not as described.

    A line is COPY text of ``ev_type``, ``ev_extra1``, ``ev_data`` and further columns, ``ev_time`` being the
    first of these with `EVENT_TIME`.

    Args:
        block: whole lines.
        start: where to begin.
        heads: what lines begin with that become rows, up to the tab before ``ev_data``.
        skipped: what lines begin with that ask for nothing.
        names: of all columns of a row, in order, as they stand in ``ev_data``.
        picked: which of these columns are written, and in which order.
        part: the column that tells the day, or `NO_PART`, or `EVENT_TIME`.

    Returns:
        Where the first line begins that is left; rows as COPY text, by their day as ``YYYY-MM-DD`` (empty
        with `NO_PART`), without days that have none; lines taken, for each of `heads` and `skipped`.
    """
    counts = [0] * (len(heads) + len(skipped))
    lots: dict[bytes, list[bytes]] = {}
    line = _line(heads, skipped, names, part)
    while match := line.match(block, start):
        head, *texts, skip, ignored = match.groups()
        if head is None:
            if _MALFORMED.search(ignored):
                break
            counts[len(heads) + skipped.index(skip)] += 1
            start = match.end()
            continue
        moment = texts.pop() if part == EVENT_TIME else b""
        if b"%" in match[0] and any(text and _MALFORMED.search(text) for text in texts):
            break
        if part >= 0:
            text = texts[part]
            moment = _decoded(text[1:]) if text and len(text) <= MAX_MOMENT + 1 else None
        day = _day(moment) if part != NO_PART else b""
        if day is None or (day not in lots and len(lots) == MAX_DAYS):
            break
        values = [text[1:] if text else copytext.NULL for text in texts]
        lots.setdefault(day, []).append(b"\t".join([values[number] for number in picked]))
        counts[heads.index(head)] += 1
        start = match.end()
    return start, {day: _decoded(b"\n".join([*rows, b""])) for day, rows in lots.items()}, tuple(counts)


@lru_cache
def _line(
    heads: tuple[bytes, ...], skipped: tuple[bytes, ...], names: tuple[bytes, ...], part: int
) -> re.Pattern[bytes]:
    """What a line looks like: head, values with their ``=``, the event's time; or a head to be skipped."""
    columns = rb"&".join(re.escape(name) + rb"(=[^&\t\\\n]*)?" for name in names) or rb"(?!)"
    time = rb"\t([^\t\n]*)" if part == EVENT_TIME else b""
    row = rb"(%b)%b%b\t[^\n]*\n" % (_either(heads), columns, time)
    return re.compile(rb"%b|(%b)([^\t\\\n]*)\t[^\n]*\n" % (row, _either(skipped)))


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
    """The day of a partition value as it is written; None if that takes a closer look."""
    if moment is None or len(moment) > MAX_MOMENT:
        return None
    match = _MOMENT.fullmatch(moment)
    if match is None:
        return None
    year, month, day = map(int, match.groups())
    sound = year in _YEARS and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]
    return moment[:10] if sound else None


try:
    from ._decoder import decode as decode
except ImportError:
    decode = decode_purely

IS_COMPILED = decode is not decode_purely
"""Whether `decode` is the compiled one."""
