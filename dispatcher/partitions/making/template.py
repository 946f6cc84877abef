"""The words of ``part_template``, ``pre_part`` and ``post_part``, and what they stand for.

The man page promises ``_DEST_TABLE``, ``_SCHEMA_TABLE``, ``_PARENT`` and ``_PKEY``; Londiste's dispatch
handler has words such as ``%(dest)s``. A word on its own is replaced by what it names. A word inside a
longer one, as in ``_DEST_TABLE_pkey``, is part of a new name, which cannot hold a schema: it is replaced by
the table's bare name. A new name stays without quotes, as with the original, unless it needs them; so
PostgreSQL reads its capitals as small letters.

``_SCHEMA_TABLE`` is the name as the file has it, with ``__`` for the dot: a table that is named without a
schema has none.

In a text with a word of Londiste's, ``%%`` is a percent sign, as there; one alone is one, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ...postgres import TableName, hint, quote

ORIGINAL = {
    "_DEST_TABLE": "dest",
    "_PARENT": "parent",
    "_PKEY": "pkeys",
    "_SCHEMA_TABLE": "schema_table",
}
"""The original's words, each with Londiste's for the same."""

LONDISTE = ("dest", "part", "parent", "pkeys", "schema_table", "part_field", "part_time", "period")
"""Londiste's words, without what is around them."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*", re.ASCII)
_ORIGINAL = "_SCHEMA_TABLE|_DEST_TABLE|_PARENT|_PKEY"
_LONDISTE = re.compile(r"%\((\w+)\)s")
_TOKEN = re.compile(rf'(?P<percent>%%)|"?\w*?(?:(?P<word>{_ORIGINAL})(?![A-Z])\w*|(?:%\(\w+\)s\w*)+)"?')


@dataclass(frozen=True, slots=True)
class Facts:
    """What words stand for.

    Attributes:
        table: the partition.
        parent: ``dest_table``.
        key: columns of the primary key, unquoted, as the event names them.
        field: the column of the table whose time names the partition; empty: none does.
        time: when its period begins, as PostgreSQL reads it.
        period: how long that is, such as ``day``.
    """

    table: TableName
    parent: TableName
    key: tuple[str, ...] = ()
    field: str = ""
    time: str = ""
    period: str = ""

    def whole(self, word: str) -> str:
        """What a word of Londiste's stands for on its own."""
        return {
            "dest": self.table.sql,
            "part": self.table.sql,
            "parent": self.parent.sql,
            "pkeys": ", ".join(map(quote, self.key)),
            "schema_table": _as_new(self._flat),
            "part_field": quote(self.field),
            "part_time": self.time,
            "period": self.period,
        }[word]

    def stem(self, word: str) -> str:
        """What it stands for within a new name."""
        return {
            "dest": self.table.table,
            "part": self.table.table,
            "parent": self.parent.table,
            "pkeys": "_".join(self.key),
            "schema_table": self._flat,
            "part_field": self.field,
            "part_time": re.sub(r"\W", "_", self.time),
            "period": self.period,
        }[word]

    @property
    def _flat(self) -> str:
        return self.table.table if self.table.is_bare else f"{self.table.schema}__{self.table.table}"


def words(template: str) -> Iterator[tuple[str, str]]:
    """The words of a template, alone or within longer ones: each as it is written, and Londiste's for it."""
    for match in _TOKEN.finditer(template):
        if match["word"]:
            yield match["word"], ORIGINAL[match["word"]]
        elif not match["percent"]:
            for found in _LONDISTE.finditer(match[0]):
                yield found[0], found[1]


def refuse_strange_words(template: str) -> str:
    """The template, if all its words are known.

    Raises:
        ValueError: one is not, with the nearest that is.
    """
    for written, word in words(template):
        if word not in LONDISTE:
            raise ValueError(f"must have no word {written}, which does not exist{hint(word, LONDISTE)}")
    return template


def expand(template: str, facts: Facts, key: str = "part_template") -> str:
    """The SQL that creates one partition, or is run before or after that.

    Args:
        template: the value of a key, whose words are known.
        facts: what they stand for.
        key: of the job's file.

    Raises:
        ValueError: the template names the key, and the event has none; or the column that tells the time of
            a row, and none does.
    """
    for written, word in words(template):
        if word == "pkeys" and not facts.key:
            raise ValueError(f"{key} says {written}, but the event's table has no primary key")
        if word == "part_field" and not facts.field:
            raise ValueError(f"{key} says {written}, but no column that is loaded tells the time of a row")
    doubles = "%" if any(written.startswith("%") for written, _ in words(template)) else "%%"

    def replace(match: re.Match[str]) -> str:
        token = match[0]
        if match["percent"]:
            return doubles
        alone = ORIGINAL.get(token) or ((found := _LONDISTE.fullmatch(token)) and found[1])
        if alone:
            return facts.whole(alone)
        name = token.strip('"')
        if match["word"]:
            name = name.replace(match["word"], facts.stem(ORIGINAL[match["word"]]), 1)
        else:
            name = _LONDISTE.sub(lambda found: facts.stem(found[1]), name)
        if token.startswith('"') and token.endswith('"'):
            return '"' + name.replace('"', '""') + '"'
        return token.replace(token.strip('"'), _as_new(name))

    return _TOKEN.sub(replace, template)


def _as_new(name: str) -> str:
    """A new name as SQL."""
    return name if _PLAIN.fullmatch(name) else quote(name)
