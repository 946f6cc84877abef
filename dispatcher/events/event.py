"""Events as they come out of a queue."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from ..postgres import UTF8, Encoding, copytext
from .header import Header, read_header

COLUMNS: Final = (
    "ev_id",
    "ev_time",
    "ev_txid",
    "ev_retry",
    "ev_type",
    "ev_data",
    "ev_extra1",
    "ev_extra2",
    "ev_extra3",
    "ev_extra4",
)
"""The columns of an event that are read, in this order (PgQ ``event_template``)."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        id: ``ev_id``.
        time: ``ev_time`` as the source writes it, in DateStyle ISO and its own time zone.
        type: ``ev_type``; empty if NULL.
        data: ``ev_data``, still encoded; None if NULL.
        table: ``ev_extra1``, the source's table as ``schema.table``; empty if the producer names none.
        old: ``ev_extra2``, the row before an update, still encoded, if the trigger has the option ``backup``.
        line: all `COLUMNS` as COPY wrote them; empty if they were not all read.
        encoding: of `data`, `old`, `line` and `extra3`; `type` and `table` are UTF-8.
        txid: ``ev_txid``; empty if it was not read.
        extra3: ``ev_extra3``; None if NULL, or if it was not read.
    """

    id: int
    time: bytes
    type: bytes
    data: bytes | None
    table: bytes
    old: bytes | None
    line: bytes
    encoding: Encoding = UTF8
    txid: bytes = b""
    extra3: bytes | None = None

    def header(self) -> Header:
        """What the event says before its data is read; raises ValueError as `read_header` does."""
        return read_header(self.type, self.table, bool(self.data))

    @property
    def looks_like_json(self) -> bool:
        """Whether its data begins like a JSON object; url-encoded rows do not."""
        return (self.data or b"").lstrip(b" \t\r\n").startswith(b"{")

    @classmethod
    def from_line(cls, line: bytes, encoding: Encoding = UTF8) -> Event:
        """Read a line of COPY TO that holds `COLUMNS`."""
        identity, time, txid, _retry, type_, data, table, old, extra3, _extra4 = copytext.split(line)
        type_, table = type_ or b"", table or b""
        if encoding.name != "UTF8":
            type_, table = encoding.utf8_or_raw(type_), encoding.utf8_or_raw(table)
        time, txid = time or b"", txid or b""
        return cls(int(identity or 0), time, type_, data, table, old, line, encoding, txid, extra3)

    @property
    def remade_line(self) -> bytes:
        """The line with `data` and `old` as they are now, and without ``ev_extra4``, which nobody reads."""
        fields = copytext.split(self.line)
        fields[5], fields[7], fields[9] = self.data, self.old, None
        return copytext.line(fields)

    @property
    def bare_line(self) -> bytes:
        """The line without the rows, and without ``ev_extra4``."""
        return replace(self, data=None, old=None).remade_line
