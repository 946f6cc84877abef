"""Lines of COPY text that hold events, read as far as a fold needs it; ``lines.c`` is the same, compiled."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..postgres import copytext
from .folded import BY_EVENT_TIME, OF_PREFIX, Deed, Description, Prefix
from .scan import SPELLING, SPELLINGS, Strange, Values, Writing, check_urlencoded, scan

_ESCAPED = re.compile(rb"[\\\r]")

Key = tuple[bytes, ...]
"""What names a row, as COPY text."""


class Line(NamedTuple):
    """An event.

    Attributes:
        prefix: number of its prefix.
        deed: what it does.
        time: ``ev_time``, if that tells the period.
        values: of its columns, loaded or not.
        key: what names its row.
        before: what named the row before, if the event tells.
        is_whole: no column is left out.
    """

    prefix: int
    deed: Deed
    time: bytes
    values: Values
    key: Key = ()
    before: Key | None = None
    is_whole: bool = True


class LineReader:
    """Reads lines that are as described.

    Args:
        description: of the lines.
    """

    def __init__(self, description: Description) -> None:
        self._described = description
        self._prefixes = {(each.type, each.table): number for number, each in enumerate(description.prefixes)}
        self._names = [
            {names[spelling]: number for number, names in enumerate(description.columns) if names[spelling]}
            for spelling in range(SPELLINGS)
        ]

    def read(self, text: bytes) -> Line:
        """Read a line without its newline; raises Strange if it is not as described."""
        fields = [*text.split(b"\t"), rb"\N"]
        if len(fields) < self._described.first + 4:
            raise Strange
        type_, data, table, old = fields[self._described.first : self._described.first + 4]
        number = self._prefixes.get((type_, table))
        if number is None:
            raise Strange
        prefix = self._described.prefixes[number]
        time = fields[1] if self._described.part == BY_EVENT_TIME else b""
        if prefix.deed is Deed.NOTHING and prefix.writing in {Writing.URLENCODED, Writing.UNREAD}:
            if prefix.writing is Writing.URLENCODED:
                check_urlencoded(data)
            return Line(number, prefix.deed, time, {})
        given = self._given(prefix, fields)
        if prefix.writing.tells_key:
            return self._sql(Line(number, prefix.deed, time, given), prefix.writing, data, old)
        values, before = {**given, **self._scan(data, prefix.writing)[0]}, None
        if not _is_null(old) and (prefix.writing is Writing.JSON or prefix.deed is Deed.UPDATE):
            told = self._scan(old, prefix.writing)[0]
            before = self.key(told) if prefix.deed is Deed.UPDATE else None
        key = self.key(values) if self._described.key else ()
        return Line(number, prefix.deed, time, values, key, before)

    def _given(self, prefix: Prefix, fields: list[bytes]) -> Values:
        """The columns that are not of the data; raises Strange if one is not as it is written back."""
        texts = iter(prefix.given)
        found = {}
        for number, field in enumerate(self._described.given):
            text = next(texts) if field == OF_PREFIX else fields[field]
            found[number] = copytext.unescape(text)
            if field != OF_PREFIX and text != copytext.NULL and _ESCAPED.search(text):
                raise Strange
            if number == self._described.mark and prefix.deed is not Deed.DELETE:
                found[number] = None
        return found

    def _sql(self, line: Line, writing: Writing, data: bytes, old: bytes) -> Line:
        """An update or delete of sqltriga."""
        values, where = self._scan(data, writing)
        if self._described.key and where.keys() != set(self._described.key):
            raise Strange
        if writing is Writing.CHANGES and not _is_null(old) and b" where " not in old:
            # The old row is url-encoded, though the new one is not.
            before = self._scan(old, Writing.URLENCODED)[0]
            values = {**before, **values}
            key = self.key(values)
            return line._replace(values={**line.values, **values}, key=key, before=self.key(before))
        if values.keys() & where.keys():
            raise Strange
        values = {**line.values, **values, **where}
        return line._replace(values=values, key=self.key(where), is_whole=False)

    def _scan(self, text: bytes, writing: Writing) -> tuple[Values, Values]:
        if writing is Writing.EITHER:
            looks_like_json = text.lstrip(b" \t\r\n").startswith(b"{")
            writing = Writing.JSON if looks_like_json else Writing.URLENCODED
        if writing is not Writing.URLENCODED:
            text = copytext.unescape(text) or b""
        return scan(text, writing, self._names[SPELLING[writing]])

    def key(self, values: Values) -> Key:
        """What names the row of some values; raises Strange if a part of it is missing."""
        found = tuple(values.get(number) for number in self._described.key)
        if None in found:
            raise Strange
        return tuple(map(copytext.escape, found))


def _is_null(field: bytes) -> bool:
    return field in {b"", rb"\N"}
