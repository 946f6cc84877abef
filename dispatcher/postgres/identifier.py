"""Names of tables and columns: how they are quoted, and what a mistyped one may have meant."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from tdsup.jobtype import printable

MAX_BYTES = 63
"""Longest identifier that PostgreSQL keeps whole (NAMEDATALEN - 1); it cuts longer ones off silently."""

DEFAULT_SCHEMA = "public"
"""Schema of a bare table name, as in skytools 3.x."""

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)
_PART = r'\s*(?:"((?:[^"]|"")+)"|([^".\s]+))\s*'
_NAME = re.compile(rf"(?:{_PART}\.)?{_PART}")

# Words that cannot be names without quotes (PostgreSQL manual, appendix C: reserved).
_RESERVED = frozenset(
    """all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate
    collation column concurrently constraint create cross current_catalog current_date current_role
    current_schema current_time current_timestamp current_user default deferrable desc distinct do else end
    except false fetch for foreign freeze from full grant group having ilike in initially inner intersect
    into is isnull join lateral leading left like limit localtime localtimestamp natural not notnull null
    offset on only or order outer overlaps placing primary references returning right select session_user
    similar some symmetric system_user table tablesample then to trailing true union unique user using
    variadic verbose when where window with""".split()
)


def quote(name: str) -> str:
    """The name as SQL: bare if that means the same, else in double quotes."""
    if _PLAIN.fullmatch(name) and name not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


_MARK = 10
"""Digits of the hash that tells a shortened name from others."""


def shortened(name: str, size: int = MAX_BYTES) -> str:
    """The name; if it has more than some bytes, its beginning, an underscore and a hash of all of it.

    The same name always becomes the same, and no two become one.
    """
    text = name.encode()
    if len(text) <= size:
        return name
    mark = f"_{hashlib.sha256(text).hexdigest()[:_MARK]}"
    return text[: size - len(mark)].decode(errors="ignore") + mark


_SHOWN = 8
"""Most names that a hint lists."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that is most like a name, whatever the case of its letters; empty if none is."""
    by_fold = {each.casefold(): each for each in known}
    near = get_close_matches(name.casefold(), by_fold, n=1)
    return by_fold[near[0]] if near else ""


def hint(name: str, known: Iterable[str]) -> str:
    """What a name that is not there may have meant, in brackets with a space before; empty if none is known.

    Args:
        name: the name.
        known: the names that there are.
    """
    near = nearest(name, known := sorted(known))
    first = [each for each in (near,) if each]
    names = [*first, *(each for each in known if each != near)]
    if not names:
        return ""
    guess = f"did you mean {printable(near)}? " if near else ""
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f" ({guess}there are: {', '.join(map(printable, names[:_SHOWN]))}{rest})"


_SYSTEM_COLUMNS = frozenset("tableoid xmin cmin xmax cmax ctid".split())


def is_possible(name: str) -> bool:
    """Whether PostgreSQL takes the whole name for a column, and a person can read it."""
    return 0 < len(name.encode()) <= MAX_BYTES and name.isprintable() and name not in _SYSTEM_COLUMNS


_OTHERS = frozenset({"information_schema", "pgq", "pgque", "pgq_ext", "tdsup"})
"""Schemas in which users have no tables, besides those that begin with ``pg_``."""


@dataclass(frozen=True, slots=True, order=True)
class TableName:
    """A table's schema and name, unquoted.

    Attributes:
        schema: its schema.
        table: its name.
        is_bare: it was given without a schema; two names are equal without regard to that.
    """

    schema: str
    table: str
    is_bare: bool = field(default=False, compare=False)

    @classmethod
    def parse(cls, text: str) -> TableName:
        """Read ``table`` or ``schema.table``, either part bare or in double quotes.

        Letters keep their case, as skytools takes names from the ini file unchanged.

        Raises:
            ValueError: the text is no such name.
        """
        match = _NAME.fullmatch(text)
        if match is None:
            raise ValueError("must be table or schema.table, either part perhaps in double quotes")
        quoted_schema, schema, quoted_table, table = match.groups()
        return cls(
            quoted_schema.replace('""', '"') if quoted_schema else schema or DEFAULT_SCHEMA,
            quoted_table.replace('""', '"') if quoted_table else table,
            quoted_schema is None and schema is None,
        )

    def with_suffix(self, suffix: str) -> TableName:
        """The same name with ``_suffix``, shortened if that is too long."""
        return TableName(self.schema, shortened(f"{self.table}_{suffix}"), self.is_bare)

    @property
    def fits(self) -> bool:
        """Whether PostgreSQL keeps both names whole."""
        return all(len(name.encode()) <= MAX_BYTES for name in (self.schema, self.table))

    @property
    def is_others(self) -> bool:
        """Whether its schema is PostgreSQL's, PgQ's or tdsup's own, where users have no tables."""
        return self.schema in _OTHERS or self.schema.startswith("pg_")

    @property
    def sql(self) -> str:
        """The name as SQL: with its schema, quoted where needed."""
        return f"{quote(self.schema)}.{quote(self.table)}"

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}"
