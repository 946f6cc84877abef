"""Columns whose values are not to leave the source: the key ``mask``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Digest(Enum):
    """A mask that keeps equal values equal."""

    HMAC = "hmac"
    """HMAC-SHA-256 of the value in UTF-8, with a secret key, in hexadecimal digits."""


Mask = Digest | str | None
"""What takes the place of a value: a digest of it, a constant, or NULL (None)."""

_ONE = re.compile(
    r"""\s*(?: "(?P<quoted>(?:[^"]|"")+)" | (?P<name>[^\W\d][\w$]*) )\s*
        :\s*(?: (?P<word>\w+) | '(?P<constant>(?:[^']|'')*)' )\s*(?P<end>,|$)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Masks:
    """The masks of a table.

    Attributes:
        of: the mask of each column, by its name in the source.
    """

    of: Mapping[str, Mask]

    @property
    def needs_key(self) -> bool:
        """Whether there is a digest among them."""
        return Digest.HMAC in self.of.values()

    @property
    def alike(self) -> frozenset[str]:
        """Columns in which all rows come to have the same."""
        return frozenset(name for name, mask in self.of.items() if not isinstance(mask, Digest))


NO_MASKS = Masks({})
"""All values are loaded as they are."""


def read_masks(text: str) -> Masks:
    """Read ``email: hmac, name: null, phone: 'unknown'``.

    Raises:
        ValueError: it cannot be read.
    """
    masks: dict[str, Mask] = {}
    at = 0
    while text[at:].strip() or (at and text[at - 1] == ","):
        match = _ONE.match(text, at)
        if match is None:
            raise ValueError("must be such as email: hmac, name: null, phone: 'unknown'")
        name = match["name"] or match["quoted"].replace('""', '"')
        if name in masks:
            raise ValueError(f"must name no column twice, and names {name}")
        masks[name] = _mask(match)
        at = match.end()
    return Masks(masks)


def _mask(match: re.Match[str]) -> Mask:
    if match["word"] is None:
        return match["constant"].replace("''", "'")
    word = match["word"].lower()
    if word == "null":
        return None
    if word == Digest.HMAC.value:
        return Digest.HMAC
    raise ValueError(f"must have hmac, null or a text in quotes for each column, not {match['word']}")
