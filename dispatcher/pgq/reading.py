"""How values of the source are read: the styles of times and money, and the encoding of texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from ..postgres import (
    AS_SHIPPED,
    UTF8,
    Connection,
    Encoding,
    Styles,
    apply_styles,
    find_encoding,
    read_styles,
)
from ..settings import Settings


@dataclass(frozen=True, slots=True)
class Reading:
    """How values of the source are read.

    Attributes:
        styles: of times and money.
        encoding: of texts.
    """

    styles: Styles
    encoding: Encoding

    @classmethod
    def of(cls, source: Connection, target: Connection | None, settings: Settings) -> Self:
        """What the databases and the job's settings say; the target's session is told.

        Raises:
            psycopg2.Error: a database failed.
        """
        replaces = settings.encoding_errors == "replace"
        encoding = find_encoding(source, target, settings.encoding, settings.pgq_schema, replaces=replaces)
        with source.cursor() as cursor:
            styles = read_styles(cursor, settings.date_style, settings.interval_style)
        return cls(apply_styles(styles, source, target) if target else styles, encoding)


PLAIN = Reading(AS_SHIPPED, UTF8)
"""For a server that nobody has configured."""
