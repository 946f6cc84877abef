"""The words of ``part_template`` and what they stand for.

The man page promises ``_DEST_TABLE``, ``_SCHEMA_TABLE``, ``_PARENT`` and ``_PKEY``. A word on its own is
replaced by what it names. A word inside a longer one, as in ``_DEST_TABLE_pkey``, is part of a new name,
which cannot hold a schema: it is replaced by the table's bare name. A new name stays without quotes, as with
the original, unless it needs them; so PostgreSQL reads its capitals as small letters.

``_SCHEMA_TABLE`` is the name as the file has it, with ``__`` for the dot: a table that is named without a
schema has none.
"""

from __future__ import annotations

import re

from ..postgres import TableName, quote

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*", re.ASCII)
_TOKEN = re.compile(r'"?\w*?(_SCHEMA_TABLE|_DEST_TABLE|_PARENT|_PKEY)(?![A-Z])\w*"?')


def names_key(template: str) -> bool:
    """Whether a template has the word ``_PKEY``, alone or within a longer one."""
    return any(match[1] == "_PKEY" for match in _TOKEN.finditer(template))


def expand(template: str, table: TableName, parent: TableName, key: tuple[str, ...]) -> str:
    """The SQL that creates one partition.

    Args:
        template: the value of ``part_template``.
        table: the partition.
        parent: ``dest_table``.
        key: columns of the primary key, unquoted, as the event names them.

    Raises:
        ValueError: the template contains ``_PKEY`` and the event has no key.
    """
    flat = table.table if table.is_bare else f"{table.schema}__{table.table}"
    whole = {
        "_SCHEMA_TABLE": _as_new(flat),
        "_DEST_TABLE": table.sql,
        "_PARENT": parent.sql,
        "_PKEY": ", ".join(map(quote, key)),
    }
    stem = {
        "_SCHEMA_TABLE": flat,
        "_DEST_TABLE": table.table,
        "_PARENT": parent.table,
        "_PKEY": "_".join(key),
    }

    def replace(match: re.Match[str]) -> str:
        token, word = match[0], match[1]
        if word == "_PKEY" and not key:
            raise ValueError("part_template says _PKEY, but the event's table has no primary key")
        if token == word:
            return whole[word]
        quoted = token.startswith('"') and token.endswith('"')
        name = token.strip('"').replace(word, stem[word], 1)
        if quoted:
            return '"' + name.replace('"', '""') + '"'
        return token.replace(token.strip('"'), _as_new(name))

    return _TOKEN.sub(replace, template)


def _as_new(name: str) -> str:
    """A new name as SQL."""
    return name if _PLAIN.fullmatch(name) else quote(name)
