"""Which tables of the source a section ``[table …]`` is for: one name, or a pattern."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from ..postgres import DEFAULT_SCHEMA, MAX_BYTES, TableName

SCHEMA, TABLE = "%(schema)s", "%(table)s"
"""Words of a ``dest_table`` that stand for the names of the source's table."""

OWN_NAME = TableName(SCHEMA, TABLE)
"""The ``dest_table`` that is called as the source's table."""

_ANY = {"*": ("[^.]*", ".*"), "?": ("[^.]", ".")}
"""What the signs of a pattern stand for, in the name of a schema and in that of a table."""


@dataclass(frozen=True, slots=True)
class SourceName:
    """A table of the source as ``ev_extra1`` has it, or a pattern: ``*`` for any letters, ``?`` for one.

    Attributes:
        schema: of the table.
        table: its name.
        is_exact: these signs stand for themselves.
    """

    schema: str
    table: str
    is_exact: bool = False

    @classmethod
    def parse(cls, text: str, *, is_exact: bool = False) -> SourceName:
        """Read ``table`` or ``schema.table``, without quotes; a bare name is in schema public."""
        schema, dot, table = text.partition(".")
        return cls(schema, table, is_exact) if dot else cls(DEFAULT_SCHEMA, text, is_exact)

    @property
    def is_pattern(self) -> bool:
        """Whether it may stand for several tables."""
        return not self.is_exact and (_is_pattern(self.schema) or _is_pattern(self.table))

    @property
    def regex(self) -> str:
        """A pattern as a regular expression of Python and PostgreSQL, for a whole ``schema.table``."""
        parts = ((self.schema, 0), (self.table, 1))
        return r"\.".join(
            "".join(_ANY[sign][number] if sign in _ANY else re.escape(sign) for sign in text)
            for text, number in parts
        )

    def matches(self, name: str) -> bool:
        """Whether it stands for a table, which ``ev_extra1`` calls so."""
        if not self.is_pattern:
            return name == str(self)
        return re.fullmatch(self.regex, name, re.DOTALL) is not None

    def overlaps(self, other: SourceName) -> bool:
        """Whether some table could be meant by both."""
        return _overlap(self.schema, other.schema) and _overlap(self.table, other.table)

    def names_one(self, dest: TableName) -> bool:
        """Whether a ``dest_table`` is another one for each table that this stands for."""
        words = dest.schema + dest.table
        return (not _is_pattern(self.schema) or SCHEMA in words) and (
            not _is_pattern(self.table) or TABLE in words
        )

    def __len__(self) -> int:
        return len(self.schema) + 1 + len(self.table)

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}"


def _is_pattern(text: str) -> bool:
    return not _ANY.keys().isdisjoint(text)


@cache
def _overlap(one: str, other: str) -> bool:
    """Whether some text fits two patterns."""
    if not one or not other:
        return not (one + other).strip("*")
    if one[0] == "*":
        return _overlap(one[1:], other) or _overlap(one, other[1:])
    if other[0] == "*":
        return _overlap(other, one)
    return (one[0] == other[0] or "?" in one[0] + other[0]) and _overlap(one[1:], other[1:])


def most_exact(names: Iterable[SourceName], table: str) -> SourceName | None:
    """The name that stands for a table, else the longest pattern that does; None: none does."""
    found = [name for name in names if name.matches(table)]
    return max(found, key=lambda name: (not name.is_pattern, len(name)), default=None)


def target_of(dest: TableName, table: str) -> TableName:
    """The target's table for a table of the source.

    Args:
        dest: a section's ``dest_table``.
        table: as ``ev_extra1`` names it, which anybody may write.

    Raises:
        ValueError: it is no name of a table, or that of none that may be loaded.
    """
    schema, _dot, name = table.partition(".")
    if not all(part.isprintable() and 0 < len(part.encode()) <= MAX_BYTES for part in (schema, name)):
        raise ValueError(f"its ev_extra1 is no name of a table: {table[:MAX_BYTES]!r}")

    def filled(text: str) -> str:
        # In one pass: a table may be called by one of the words.
        return re.sub(r"%\((schema|table)\)s", lambda word: schema if word[1] == "schema" else name, text)

    found = TableName(filled(dest.schema), filled(dest.table))
    if found.is_others:
        raise ValueError(f"it goes to {found}, and no rows are put into schema {found.schema}")
    return found
