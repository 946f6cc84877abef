"""Columns that rows have besides those of their data: what is told of the change, and constants."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..errors import SetupError
from ..events import NO_MARK, OF_PREFIX, Event, Operation
from ..partitions import ColumnType
from ..postgres import Encoding, copytext
from ..settings import FieldMap, Word


def _table(event: Event) -> bytes | None:
    """The table in the encoding of the event's other values."""
    try:
        return event.encoding.encode(event.table.decode()) or None
    except ValueError:
        # It was none in that encoding, and stayed as it was.
        return event.table


_GOING = frozenset({Operation.DELETE, Operation.TRUNCATE})

_VALUES: dict[Word, Callable[[Event, Operation], bytes | None]] = {
    Word.OP: lambda _event, operation: operation.value.encode(),
    Word.EVID: lambda event, _operation: b"%d" % event.id,
    Word.EVTIME: lambda event, _operation: event.time or None,
    Word.TXID: lambda event, _operation: event.txid or None,
    Word.TABLE: lambda event, _operation: _table(event),
    Word.USER: lambda event, _operation: event.extra3,
    Word.DELETED: lambda event, operation: event.time if operation in _GOING else None,
}

_INT8 = ColumnType("pg_catalog", "int8", -1)
_MOMENT = ColumnType("pg_catalog", "timestamptz", -1)

TYPES = {
    Word.EVID.value: _INT8,
    Word.EVTIME.value: _MOMENT,
    Word.TXID.value: _INT8,
    Word.DELETED.value: _MOMENT,
}
"""Types of columns for what words stand for; text for others."""


class Given:
    """The given columns of rows.

    Args:
        fields: of the job.
        encoding: of its events.

    Raises:
        SetupError: a constant has a character that events cannot have.

    Attributes:
        names: their source names; constants come first.
        constants: values of constants.
        mark: number of the one that says when a row was deleted, or `NO_MARK`.
    """

    def __init__(self, fields: FieldMap, encoding: Encoding) -> None:
        self.names = tuple(name for name, _ in fields.given)
        self._contents = [_encoded(content, encoding) for _, content in fields.given]
        self.constants = tuple(each for each in self._contents if not isinstance(each, Word))
        marks = Word.DELETED in self._contents
        self.mark = self._contents.index(Word.DELETED) if marks else NO_MARK

    def values(self, event: Event, operation: Operation) -> list[bytes | None]:
        """Their values in the row of an event."""
        return [
            _VALUES[each](event, operation) if isinstance(each, Word) else each for each in self._contents
        ]

    def fields(self, columns: Sequence[str]) -> tuple[int, ...]:
        """As `Description.given`, of lines that begin with some columns of events."""
        return tuple(
            columns.index(each.column) if isinstance(each, Word) and each.column else OF_PREFIX
            for each in self._contents
        )

    def of_prefix(self, operation: Operation | None, table: bytes) -> tuple[bytes, ...]:
        """As `Prefix.given`.

        Args:
            operation: what its events ask for; None: they have no rows.
            table: as it stands in a line.
        """
        texts = {
            Word.OP: operation.value.encode() if operation else None,
            Word.TABLE: copytext.unescape(table) or None,
        }
        return tuple(
            copytext.escape(texts[each] if isinstance(each, Word) else each)
            for each in self._contents
            if not isinstance(each, Word) or each in texts
        )


def _encoded(content: Word | str, encoding: Encoding) -> Word | bytes:
    """What a column holds, as events have it; raises SetupError if they cannot."""
    if isinstance(content, Word):
        return content
    try:
        return encoding.encode(content)
    except ValueError as error:
        raise SetupError(f"cannot add {content!r} (constants) to rows of the source: {error}") from None
