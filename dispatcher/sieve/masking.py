"""Masks put on: what is masked here is masked in all that comes of an event, its dead letter included.

A dead letter holds a digest as ``hmac:`` and its digits, so that a replay knows that it is one.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from ..address import SecretFile
from ..errors import BatchError, SetupError
from ..events import Change, Event, Operation, Row, Some, remade
from ..postgres import Encoding
from .masks import Digest, Masks

MIN_KEY = 16
"""Bytes of the shortest key: values of a shorter one could be found by trying keys."""

_MARK = b"hmac:"
_MARKED = re.compile(_MARK + rb"[0-9a-f]{64}")

UNREADABLE = "its data cannot be read, and is not shown, as mask hides a part of it"

_Hide = Callable[[bytes], bytes | None]
"""Masks a value that is not NULL."""


class Masking:
    """Masks values of some columns.

    Args:
        masks: of the columns.
        key_file: names the file with the key of digests; it is read now.
        encoding: of values.

    Attributes:
        columns: source names of the columns; empty: nothing is masked.

    Raises:
        SetupError: there is no key, or a constant is no text in the encoding.
    """

    def __init__(self, masks: Masks, key_file: str, encoding: Encoding) -> None:
        self._encoding = encoding
        self._key = _read_key(key_file) if masks.needs_key else b""
        self._hide: Mapping[bytes, _Hide] = {
            name.encode(): self._hiding(name, masks.of[name]) for name in masks.of
        }
        self.columns = tuple(self._hide)
        self._in_order = tuple(self._hide.values())

    def _hiding(self, name: str, mask: Digest | str | None) -> _Hide:
        if mask is Digest.HMAC:
            return self._digest
        if mask is None:
            return lambda _value: None
        try:
            constant = self._encoding.encode(mask)
        except ValueError as error:
            raise SetupError(f"cannot mask column {name}: {error}") from None
        return lambda _value: constant

    def _digest(self, value: bytes) -> bytes:
        if not (self._encoding.is_utf8 or value.isascii()):
            value = self._encoding.decode(value).encode()
        return hmac.digest(self._key, value, "sha256").hex().encode()

    def values(self, values: Some) -> Some | None:
        """Masked values of `columns`, for folds; ``...`` is absent. None: the row path has to look."""
        try:
            return tuple(
                hide(value) if isinstance(value, bytes) else value
                for hide, value in zip(self._in_order, values, strict=True)
            )
        except ValueError:
            return None

    def change(self, change: Change, *, is_letter: bool) -> Change:
        """A change with masked values.

        Args:
            change: what the event asks for.
            is_letter: it comes from a dead letter, whose digests are digests already.

        Raises:
            ValueError: a value is no text.
            BatchError: a whole row lacks a column that is to be masked, so that its name may be wrong.
        """
        is_whole = change.whole and change.operation in {Operation.INSERT, Operation.UPDATE}
        if is_whole and (lacking := [name for name in self.columns if name not in change.row]):
            raise BatchError(
                f"a row has no column {lacking[0].decode()}, which mask names: correct mask, or leave out "
                "tables that have no such column"
            )
        hidden = self._row(change.row, is_letter)
        return replace(change, row=hidden, old=change.old and self._row(change.old, is_letter))

    def _row(self, row: Row, is_letter: bool) -> Row:
        return {name: self._value(name, value, is_letter) for name, value in row.items()}

    def _value(self, name: bytes, value: bytes | None, is_letter: bool) -> bytes | None:
        hide = self._hide.get(name)
        if hide is None or value is None:
            return value
        if is_letter and hide == self._digest and _MARKED.fullmatch(value):
            return value.removeprefix(_MARK)
        return hide(value)

    def letter(self, event: Event) -> bytes:
        """An event with masked values, as COPY would write it; without its data if that cannot be read."""
        try:
            return remade(event, self._for_letter).remade_line
        except ValueError:
            return event.bare_line

    def _for_letter(self, name: bytes, value: bytes | None) -> bytes | None:
        hide = self._hide.get(name)
        if hide is None or value is None:
            return value
        hidden = hide(value)
        return hidden if hidden is None or hide != self._digest else _MARK + hidden


def _read_key(name: str) -> bytes:
    """The key of digests; raises SetupError if there is none."""
    try:
        key = SecretFile(name).text().encode()
    except ValueError as error:
        raise SetupError(f"cannot read mask_key_file {name}: {error}") from error
    if len(key) < MIN_KEY:
        has = f"it has {len(key)} bytes" if key else "it is empty"
        raise SetupError(
            f"cannot mask with the key in mask_key_file {name}: {has}, and {MIN_KEY} are the least; "
            "openssl rand -hex 32 makes one"
        )
    return key
