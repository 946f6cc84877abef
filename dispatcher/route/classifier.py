"""What events of a type and table are: which of them the block path takes, and how their rows are written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from ..events import PASSED_OVER, Deed, Format, Header, Operation, Writing, read_header
from ..postgres import UTF8, Encoding, copytext
from .routes import Router


class Handling(Enum):
    """What is done with events of a prefix."""

    ADD = auto()
    """Each is a row to add, whichever rows are there."""
    CHANGE = auto()
    """They change rows, so their order matters."""
    IGNORE = auto()
    IN_ORDER = auto()
    """They are for the row path, and may change rows."""


@dataclass(frozen=True, slots=True)
class EventKind:
    """Events of one ``ev_type`` and ``ev_extra1``.

    Attributes:
        handling: what is done with them.
        deed: the same, for a fold.
        writing: how their rows are written.
        operation: what they ask for; None if they do not tell.
        table: of the source.
        key: source names of the key's columns; empty if the type does not tell.
        is_passed_over: they are of a table that ``table_filter`` leaves out.
    """

    handling: Handling
    deed: Deed
    writing: Writing
    operation: Operation | None
    table: bytes
    key: tuple[bytes, ...] = ()
    is_passed_over: bool = False

    @property
    def removes(self) -> bool:
        """Whether they remove rows."""
        return self.handling is Handling.CHANGE and self.operation is Operation.DELETE


_DEEDS = {
    # An insert that changes rows replaces the one that is there.
    Operation.INSERT: Deed.UPDATE,
    Operation.UPDATE: Deed.UPDATE,
    Operation.DELETE: Deed.DELETE,
}

_OF_SQL = {
    Operation.INSERT: Writing.VALUES,
    Operation.UPDATE: Writing.CHANGES,
    Operation.DELETE: Writing.CONDITIONS,
}


class Classifier:
    """Tells kinds of events from a job's settings.

    Args:
        router: where its events go.
        encoding: of its events.
    """

    def __init__(self, router: Router, encoding: Encoding = UTF8) -> None:
        self._router = router
        self._encoding = encoding
        self._reads_text = encoding.name == "UTF8" and not encoding.replaces

    def kind(self, type_: bytes, table: bytes) -> EventKind:
        """What is known of events whose lines have these fields.

        Raises:
            BatchError: as by `RowMode.of`.
        """
        name = self._encoding.utf8_or_raw(copytext.unescape(table) or b"")
        try:
            header = read_header(
                self._encoding.utf8_or_raw(copytext.unescape(type_) or b""), name, has_data=False
            )
        except ValueError:
            return EventKind(Handling.IN_ORDER, Deed.NOTHING, Writing.UNREAD, None, name)
        handling, writing = self._handling(header), _writing(header)
        if writing is Writing.EITHER and not self._reads_text:
            writing = Writing.URLENCODED
        needs_text = writing not in {Writing.URLENCODED, Writing.UNREAD}
        is_partial = handling is Handling.ADD and writing.tells_key
        if is_partial or (needs_text and not self._reads_text):
            handling = Handling.IN_ORDER
        deed = Deed.NOTHING
        if handling is Handling.ADD:
            deed = Deed.INSERT
        elif handling is Handling.CHANGE and header.operation:
            deed = _DEEDS[header.operation]
        passed = type_ == PASSED_OVER
        return EventKind(handling, deed, writing, header.operation, name, header.key, passed)

    def _handling(self, header: Header) -> Handling:
        operation, key = header.operation, header.key
        if operation is Operation.TRUNCATE and self._router.doubts_truncates():
            return Handling.IN_ORDER
        try:
            if operation is None or not self._router.wants(operation, key):
                return Handling.IGNORE
        except ValueError:
            # The row path says why.
            return Handling.IN_ORDER
        if operation is Operation.TRUNCATE:
            return Handling.IN_ORDER
        return Handling.ADD if self._router.adds(operation, key) else Handling.CHANGE


def _writing(header: Header) -> Writing:
    if header.operation is None or header.format is Format.NO_ROW:
        return Writing.UNREAD
    if header.format is Format.SQL:
        return _OF_SQL[header.operation]
    return {Format.URLENCODED: Writing.URLENCODED, Format.OWN: Writing.EITHER, Format.JSON: Writing.JSON}[
        header.format
    ]
