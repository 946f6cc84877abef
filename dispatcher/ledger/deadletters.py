"""Dead letters: events that could not be loaded, with their reasons, in the target's ``tdsup.dead_letter``.

They are written in the transaction that loads the rest of their batch. A replay removes each in the
transaction that loads it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2.errors import InsufficientPrivilege
from psycopg2.extensions import cursor as Cursor

from ..events import COLUMNS
from ..postgres import UTF8, Connection, Encoding, copytext, queries
from .schema import make_dead_letters, schema_facts

_COPY = (
    f"copy tdsup.dead_letter (queue_name, consumer_name, reason, sqlstate, {', '.join(COLUMNS)}, event) "
    "from stdin"
)

_NOT_ASCII = re.compile(rb"[\x80-\xff]")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that could not be loaded.

    Attributes:
        event: all of it, as COPY wrote it.
        reason: why, in one line.
        sqlstate: of the target's error; None if it was not the target that refused.
    """

    event: bytes
    reason: str
    sqlstate: str | None


class DeadLetters:
    """The dead letters of one consumer. Errors of the database are raised as psycopg2's.

    Args:
        connection: to the target.
        queue: its name.
        consumer: its name.
        encoding: of events that are written.
    """

    def __init__(self, connection: Connection, queue: str, consumer: str, encoding: Encoding = UTF8) -> None:
        self._connection = connection
        self._encoding = encoding
        self._names = {"queue": queue, "consumer": consumer}
        self._there = False

    @property
    def exact(self) -> bool:
        """Whether the target's text columns hold any UTF-8 as it is."""
        return self._connection.session.get_parameter_status("server_encoding") == "UTF8"

    def exist(self) -> bool:
        """Whether their table exists; a yes is remembered."""
        if not self._there:
            with self._connection.cursor() as cursor:
                self._there = schema_facts(cursor).dead_letters
        return self._there

    def create(self) -> None:
        """Create their table, in a transaction of its own.

        Raises:
            SetupError: it cannot be created, and what to do.
        """
        make_dead_letters(self._connection)

    def write(self, cursor: Cursor, letters: Iterable[DeadLetter]) -> None:
        """Store dead letters."""
        cursor.copy_expert(_COPY, io.BytesIO(b"".join(map(self._line, letters))))

    def _line(self, letter: DeadLetter) -> bytes:
        """A dead letter as COPY text; where an event cannot be shown as it is, its bytes come along."""
        event = letter.event
        names = [name.encode() for name in self._names.values()]
        head = [*names, self._text(letter.reason), letter.sqlstate.encode() if letter.sqlstate else None]
        is_utf8 = self._encoding.name == "UTF8" and _is_utf8(event)
        if not _NOT_ASCII.search(event) or (self.exact and is_utf8):
            return copytext.line(head).removesuffix(b"\n") + b"\t" + event.removesuffix(b"\n") + b"\t\\N\n"
        readable = self._encoding.shown
        shown = [value if value is None else self._text(readable(value)) for value in copytext.split(event)]
        return copytext.line([*head, *shown, b"\\x" + event.hex().encode()])

    def _text(self, text: str) -> bytes:
        text = text.replace("\0", r"\x00")
        return text.encode("utf-8", "backslashreplace") if self.exact else _ascii(text)

    def count(self) -> int | None:
        """How many there are, in a transaction of its own; None if the role may only write them."""
        try:
            with self._connection, self._connection.cursor() as cursor:
                return int(self._rows(cursor, "count_letters")[0][0]) if self.exist() else 0
        except InsufficientPrivilege:
            return None

    def listing(
        self, cursor: Cursor, given: Sequence[int], limit: int | None = None
    ) -> list[tuple[Any, ...]]:
        """Id, event id, time of death, type, source table, SQLSTATE and reason of each, or of the first."""
        return self._rows(cursor, "list_letters", ids=list(given) or None, limit=limit)

    def by_reason(self, cursor: Cursor, limit: int) -> list[tuple[Any, ...]]:
        """Of those alike: count, first and last id, source table, SQLSTATE, reason; most frequent first."""
        return self._rows(cursor, "letters_by_reason", limit=limit)

    def show(self, cursor: Cursor, letter: int) -> dict[str, Any] | None:
        """Everything about one dead letter, by name; None if there is none with that id."""
        for row in self._rows(cursor, "show_letter", id=letter):
            return dict(zip([column.name for column in cursor.description or ()], row, strict=True))
        return None

    def take(self, cursor: Cursor, letter: int, zone: str) -> tuple[bytes, float] | None:
        """A dead letter, locked until the transaction ends; None if it is gone.

        Args:
            cursor: of the transaction.
            letter: id of the dead letter.
            zone: the source's time zone, in which the event's time is written.

        Returns:
            Its event as COPY wrote it, and when it died, in seconds since 1970.
        """
        for died, event, *values in self._rows(cursor, "take_letter", id=letter, zone=zone):
            if event is not None:
                return bytes(event), died
            return copytext.line([None if value is None else value.encode() for value in values]), died
        return None

    def explain(self, cursor: Cursor, letter: int, reason: str, sqlstate: str | None) -> None:
        """Keep a dead letter with a new reason."""
        queries.run(
            cursor, "explain_letter", id=letter, reason=self._text(reason).decode(), sqlstate=sqlstate
        )

    def delete(self, cursor: Cursor, given: Sequence[int]) -> int:
        """Delete the given ones, or all if none are given; returns how many there were."""
        return len(self._rows(cursor, "delete_letters", ids=list(given) or None))

    def _rows(self, cursor: Cursor, name: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of a query on the consumer's dead letters; none if there is no table."""
        return queries.rows(cursor, name, **self._names, **parameters) if self.exist() else []


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _ascii(text: str) -> bytes:
    """Text that fits every server encoding."""
    return text.encode("ascii", "backslashreplace")
