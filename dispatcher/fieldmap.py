"""Which columns of a row are loaded: the key ``fields``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldMap:
    """Which columns of a row are loaded, and under which names.

    Attributes:
        pairs: source name, as bytes, and target name of each; None: all columns under their own names.
    """

    pairs: tuple[tuple[bytes, str], ...] | None

    @classmethod
    def parse(cls, value: object) -> object:
        """Read ``*`` or ``a, b:new_b``."""
        if not isinstance(value, str):
            return value
        if value.strip() in {"", "*"}:
            return cls(None)
        pairs = []
        for part in value.split(","):
            source, colon, target = (piece.strip() for piece in part.partition(":"))
            if not source or (colon and not target):
                raise ValueError("must be a list of column or column:new_name, separated by commas")
            pairs.append((source.encode(), target or source))
        for names in zip(*pairs, strict=True):
            if len(set(names)) < len(names):
                raise ValueError("must name no column twice")
        return cls(tuple(pairs))

    def rename(self, names: Sequence[bytes]) -> tuple[str, ...]:
        """Target names of some source columns; columns that are not loaded are left out.

        Raises:
            UnicodeDecodeError: a name is not UTF-8.
        """
        if self.pairs is None:
            return tuple(name.decode() for name in names)
        targets = dict(self.pairs)
        return tuple(targets[name] for name in names if name in targets)
