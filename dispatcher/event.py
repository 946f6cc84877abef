"""Events as they come out of a queue, and what each asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from . import copytext
from .errors import EventError

COLUMNS: Final = ("ev_id", "ev_time", "ev_type", "ev_data")
"""What is read of an event, in this order (PgQ ``event_template``)."""

SYSTEM_PREFIX: Final = b"pgq."
"""Types with this prefix are PgQ's own messages to consumers, not rows."""

INSERT: Final = b"I"
# What else pgq.logutriga writes before the colon, or alone.
CHANGES: Final = {b"U": "an update", b"D": "a delete", b"R": "a truncate"}


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        id: ``ev_id``.
        time: ``ev_time`` as the source writes it in DateStyle ISO and its time zone.
        operation: the part of ``ev_type`` before the colon, or all of it.
        key: names of the primary key's columns.
        data: ``ev_data``, still encoded; None if NULL.
    """

    id: int
    time: bytes
    operation: bytes
    key: tuple[bytes, ...]
    data: bytes | None

    @classmethod
    def from_line(cls, line: bytes) -> Event:
        """Read a line of COPY TO that holds `COLUMNS`."""
        identity, time, type_, data = copytext.split(line)
        operation, _, key = (type_ or b"").partition(b":")
        return cls(int(identity or 0), time or b"", operation, tuple(filter(None, key.split(b","))), data)

    @property
    def is_system(self) -> bool:
        """Whether it is a message of PgQ itself."""
        return self.operation.startswith(SYSTEM_PREFIX)

    def row_data(self) -> bytes:
        """The encoded row that it adds.

        Types other than logutriga's are a producer's own: their data is a row, as with the original.

        Raises:
            EventError: it adds no row, but changes or removes some.
        """
        if change := CHANGES.get(self.operation):
            raise EventError(self.id, f"it is {change}, and only inserts can be loaded")
        if self.data is None:
            raise EventError(self.id, "its data is NULL")
        return self.data
