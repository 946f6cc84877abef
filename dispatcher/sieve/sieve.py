"""What is done to the rows of a table before anything else: they are masked, then let pass or left out."""

from __future__ import annotations

from collections.abc import Sequence

from ..events import Change, Event, Header, Row, Some, read_change
from ..postgres import UTF8, Encoding
from .condition import Condition
from .masking import UNREADABLE, Masking


class Sieve:
    """Masks the rows of a table, and lets those pass that match a condition.

    Args:
        where: the condition, which looks at masked values; None: all rows pass.
        masking: masks values; None: nothing is masked.
        encoding: of values.

    Attributes:
        columns: source names of the columns that `sift` looks at; empty: it looks at none.
        masked: source names of the columns that `mask` masks.
    """

    def __init__(
        self, where: Condition | None = None, masking: Masking | None = None, encoding: Encoding = UTF8
    ) -> None:
        self._where = where
        self._masking = masking
        self._encoding = encoding
        self.columns: tuple[bytes, ...] = where.columns if where else ()
        self.masked: tuple[bytes, ...] = masking.columns if masking else ()

    def read(self, header: Header, event: Event, *, is_letter: bool = False) -> Change:
        """What an event asks for, masked.

        Args:
            header: the event's.
            event: the event.
            is_letter: it is a dead letter, which was masked before.

        Raises:
            ValueError: it cannot be read.
            BatchError: as by `Masking.change`.
        """
        if self._masking is None:
            return read_change(header, event)
        try:
            change = read_change(header, event)
        except ValueError:
            # The reason would show a piece of the data.
            raise ValueError("its data is NULL" if event.data is None else UNREADABLE) from None
        return self._masking.change(change, is_letter=is_letter)

    def letter(self, event: Event) -> bytes:
        """An event as a dead letter keeps it, as COPY would write it."""
        return self._masking.letter(event) if self._masking else event.line

    def mask(self, values: Some) -> Some | None:
        """Masked values of the columns `masked`; None: the row path has to look."""
        return self._masking.values(values) if self._masking else values

    def passes(self, row: Row) -> bool:
        """Whether a row, which is masked already, passes.

        Raises:
            ValueError: that cannot be told, and why.
        """
        if self._where is None:
            return True
        try:
            values = [row[name] for name in self.columns]
        except KeyError as error:
            missing: bytes = error.args[0]
            raise ValueError(f"it has no column {missing.decode()}, which where names") from None
        return self._test(values)

    def sift(self, values: Some) -> bool | None:
        """The same of values of `columns`, for folds; None: the row path has to look."""
        if ... in values:
            return None
        try:
            return self._test(values)  # type: ignore[arg-type]
        except ValueError:
            return None

    def _test(self, values: Sequence[bytes | None]) -> bool:
        assert self._where is not None, "a fold asks only where there are columns to look at"
        if not self._encoding.is_utf8:
            values = [None if value is None else self._utf8(value) for value in values]
        return self._where.test(values) is True

    def _utf8(self, value: bytes) -> bytes:
        return value if value.isascii() else self._encoding.decode(value).encode()


LETS_ALL_PASS = Sieve()
"""A sieve that does nothing."""
