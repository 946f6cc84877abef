"""A plan: how rows of one shape are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..events import JsonArray, array_literal
from ..postgres import Doubt, Encoding
from ..write import Insert, Writer


@dataclass(frozen=True, slots=True)
class WritePlan:
    """How rows of a shape are written.

    Attributes:
        writer: what writes them.
        written: positions of the columns that are written; None: all.
        names_rows: an event's key, as text, tells its row from every other.
        lacks: columns are left out that the table lacks; it may get them.
        doubts: positions in the shape of columns that may hold what is not read, and what that is.
        arrays: positions of columns of arrays, and whether their elements are JSON.
    """

    writer: Writer
    written: tuple[int, ...] | None
    names_rows: bool
    lacks: bool = False
    doubts: tuple[tuple[int, Doubt], ...] = ()
    arrays: tuple[tuple[int, bool], ...] = ()

    @property
    def appends_key(self) -> bool:
        """Whether the key that finds a row follows the values that are written."""
        return not isinstance(self.writer, Insert) and self.writer.stage.apart

    def examine(self, values: Sequence[bytes | None]) -> None:
        """Make sure that the target reads values of the shape's columns as they are meant.

        Raises:
            ValueError: it may not.
        """
        for position, doubt in self.doubts:
            value = values[position]
            if value is not None and doubt.pattern.search(value):
                raise ValueError(f"{doubt.reason}: {value[:40].decode('utf-8', 'backslashreplace')!r}")

    def with_arrays(self, values: Sequence[bytes | None], encoding: Encoding) -> Sequence[bytes | None]:
        """Values of the shape's columns, with arrays of JSON as PostgreSQL writes them; ValueError if bad."""
        if not self.arrays:
            return values
        found = list(values)
        for position, of_json in self.arrays:
            if isinstance(value := found[position], JsonArray):
                found[position] = array_literal(value, encoding, of_json=of_json)
        return found

    def may_be_doubtful(self, text: bytes) -> bool:
        """Whether rows, as COPY text, have to be examined one by one."""
        return any(doubt.pattern.search(text) for _, doubt in self.doubts)
