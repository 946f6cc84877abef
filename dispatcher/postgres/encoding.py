"""The encoding of the bytes in events: the source database's, whatever the target's is.

PgQ's triggers url-encode the bytes of a value as its database holds them. The target gets them as they are,
and COPY says what they are; so PostgreSQL itself converts them, or refuses them. Only names, and texts that
have to be read (JSON), are decoded here. PgQ without C converts a value to UTF-8 before it url-encodes it;
all else is then asked of the source in UTF-8 too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from psycopg2.extensions import encodings

from ..errors import SetupError
from . import queries
from .connection import Connection

SQL_ASCII = "SQL_ASCII"

SERVER_ENCODINGS = (
    "EUC_CN EUC_JIS_2004 EUC_JP EUC_KR ISO_8859_5 ISO_8859_6 ISO_8859_7 ISO_8859_8 KOI8R KOI8U LATIN1 LATIN2 "
    "LATIN3 LATIN4 LATIN5 LATIN6 LATIN7 LATIN8 LATIN9 LATIN10 UTF8 WIN866 WIN874 WIN1250 WIN1251 WIN1252 "
    "WIN1253 WIN1254 WIN1255 WIN1256 WIN1257 WIN1258"
).split()
"""Encodings of databases that can be decoded here (PostgreSQL manual, "Character Set Support"). In each of
them a byte below 128 is ASCII, wherever it stands."""


_NAME = re.compile(r"[A-Za-z0-9_]+")
"""What an encoding may be called: a server's answer becomes a part of statements on another one."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """What the bytes of events mean.

    Attributes:
        name: PostgreSQL's; `SQL_ASCII`: they are not characters, and are taken as they are.
        server: what the source is asked for.
        target: the target's own.
        replaces: bytes that are no characters become replacement characters; else their events are bad.
    """

    name: str = "UTF8"
    server: str = "UTF8"
    target: str = "UTF8"
    replaces: bool = False

    @property
    def copies_out(self) -> str:
        """What ends a COPY TO on the source, so that it sends bytes as they are."""
        return _clause(self.server)

    @property
    def copies_in(self) -> str:
        """What ends a COPY FROM on the target, so that it takes bytes for what they are."""
        return _clause(self.name)

    @property
    def is_utf8(self) -> bool:
        """Whether texts are UTF-8, as far as anybody knows."""
        return self.name in {"UTF8", SQL_ASCII}

    def utf8(self, name: bytes) -> bytes:
        """A name as UTF-8.

        Raises:
            ValueError: it is none in this encoding.
        """
        if self.name == "UTF8" or name.isascii():
            return name
        try:
            return name.decode(_codec(self.name)).encode()
        except UnicodeDecodeError:
            shown = name.decode("ascii", "backslashreplace")
            raise ValueError(f"the name {shown!r} is no text in encoding {self.name}") from None

    def utf8_or_raw(self, name: bytes) -> bytes:
        """A name as UTF-8, or as it is if it is none in this encoding."""
        try:
            return self.utf8(name)
        except ValueError:
            return name

    def decode(self, text: bytes) -> str:
        """A text to be read here; raises ValueError if it is none in this encoding."""
        try:
            return text.decode(_codec(self.name), "replace" if self.replaces else "strict")
        except UnicodeDecodeError as error:
            raise ValueError(f"byte {error.start} is no character in encoding {self.name}") from None

    def replaced(self, value: bytes) -> str:
        """A value that the target refuses, with replacement characters; see `mended`."""
        target = _codec(self.target)
        text = value.decode(_codec(self.name), "replace").replace("\0", "\ufffd")
        return text.encode(target, "replace").decode(target)

    def encode(self, text: str) -> bytes:
        """What was read, as bytes of this encoding; raises ValueError if it lacks a character."""
        try:
            return text.encode(_codec(self.name))
        except UnicodeEncodeError as error:
            shown = text[error.start : error.end]
            raise ValueError(f"encoding {self.name} lacks the character {shown!a}") from None

    def shown(self, text: bytes) -> str:
        """A text for people; a byte that is no character is shown by its number."""
        return text.decode(_codec(self.name), "backslashreplace")

    def mended(self, line: bytes) -> bytes | None:
        """A line of COPY text with replacement characters for what the target refuses.

        Returns:
            None if nothing may be replaced, or that changes nothing.
        """
        if not self.replaces:
            return None
        mended = self.replaced(line).encode(_codec(self.name), "replace")
        is_same = mended == line or mended.count(b"\t") != line.count(b"\t")
        return None if is_same else mended


UTF8 = Encoding()
"""That of most databases."""


def _codec(name: str) -> str:
    """Python's name of an encoding; what it does not know is ASCII, and nothing else."""
    return "utf-8" if name == SQL_ASCII else encodings.get(name, "ascii")


def _clause(name: str) -> str:
    return "" if name == "UTF8" else f" with (encoding '{name}')"


def find_encoding(
    source: Connection, target: Connection | None, given: str, pgq: str, *, replaces: bool
) -> Encoding:
    """The encoding of a source's events.

    Args:
        source: connection to the source.
        target: connection to the target; None: it is not known.
        given: what the job's file says; empty: nothing.
        pgq: the schema of PgQ.
        replaces: see `Encoding`.

    Raises:
        psycopg2.Error: the source failed.
        SetupError: the source's server is not PostgreSQL.
    """
    server = source.session.get_parameter_status("server_encoding") or "UTF8"
    its = (target and target.session.get_parameter_status("server_encoding")) or "UTF8"
    if not given and server not in ("UTF8", SQL_ASCII) and _is_without_c(source, pgq):
        server = "UTF8"
    name = given or server
    if not _NAME.fullmatch(name):
        raise SetupError(f"cannot read the source's events: its server calls their encoding {name!r}")
    if name == SQL_ASCII != its:
        # It says nothing of its bytes; most of them are UTF-8 today, and others are refused.
        name = "UTF8"
    return Encoding(name, server, its, replaces)


def _is_without_c(source: Connection, pgq: str) -> bool:
    with source.cursor() as cursor:
        return queries.row(cursor, "is_pgq_without_c", pgq=pgq) == (True,)
