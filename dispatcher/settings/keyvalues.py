"""Values of keys: how each is read from the text that a file has."""

from __future__ import annotations

import re
import shlex
from datetime import date
from difflib import get_close_matches
from typing import Annotated

import psycopg2
from psycopg2.extensions import parse_dsn
from pydantic import AfterValidator, BeforeValidator

from ..errors import INFRASTRUCTURE_CLASSES
from ..events import Operation
from ..partitions import Zone, refuse_strange_words
from ..postgres import INTERVAL_STYLES, MAX_BYTES, SERVER_ENCODINGS, DateStyle, TableName, is_possible
from ..sieve import Condition, Masks, read_condition, read_masks
from .fieldmap import FieldMap

_FAILURES = INFRASTRUCTURE_CLASSES | {"XX"}
"""SQLSTATE classes that say nothing about a row; XX is an internal error, such as a corrupted index."""


_ODD_HOST = re.compile(r"[^,]@")
"""Of a host that begins with an ``@``, that is a part: it names an abstract socket."""

_PORTS = re.compile(r"[\d,]*")


_CONSTANT = re.compile(
    r"\s*(?P<name>[^:,']*[^:,'\s])\s*:\s*(?:'(?P<quoted>(?:[^']|'')*)'|(?P<plain>[^',\s](?:[^',]*[^',\s])?))"
    r"\s*(?:\Z|,(?!\s*\Z))"
)
"""A constant, and the comma behind it if another follows."""

_QUOTED = re.compile('"([^"]*)"')

_OPTIONS = (
    "host hostaddr port dbname user password passfile service options application_name client_encoding "
    "connect_timeout keepalives keepalives_idle keepalives_interval keepalives_count tcp_user_timeout "
    "sslmode sslrootcert sslcert sslkey sslpassword gssencmode channel_binding require_auth "
    "target_session_attrs load_balance_hosts"
).split()
"""What a connection string may set (libpq, "Parameter Key Words"), as far as people do."""


def _dsn(value: str) -> str:
    try:
        parts = parse_dsn(value)
    except psycopg2.ProgrammingError as error:
        raise ValueError(f"must be a libpq connection string{_reason(error)}") from None
    if _ODD_HOST.search(parts.get("host", "")) or not _PORTS.fullmatch(parts.get("port", "")):
        # They hold the end of a password, and would be shown.
        raise ValueError(
            "must be a libpq connection string; in a URI, write @ as %40, / as %2F and : as %3A in a password"
        )
    return value


def _reason(error: psycopg2.Error) -> str:
    """Why libpq cannot read it. What it quotes may be a piece of a password, unless it is like an option."""
    _invalid, _colon, reason = " ".join(str(error).split()).partition(": ")

    def shown(quoted: re.Match[str]) -> str:
        near = get_close_matches(quoted[1], _OPTIONS, n=1, cutoff=0.7)
        if not near:
            return quoted[0] if quoted[1] == "=" else '"…"'
        return quoted[0] if near == [quoted[1]] else f"{quoted[0]} (did you mean {near[0]}?)"

    return f": {_QUOTED.sub(shown, reason)}" if reason else ""


def _table(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = TableName.parse(value)
    if found.is_others:
        raise ValueError(
            f"must not be in schema {found.schema}, which is PostgreSQL's, PgQ's or tdsup's own: rows there "
            "would change how these work"
        )
    return found


def _names(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(name for part in value.split(",") if (name := part.strip()))


def _constants(value: object) -> object:
    if not isinstance(value, str):
        return value
    found: dict[str, str] = {}
    position = 0
    while position < len(value):
        match = _CONSTANT.match(value, position)
        if match is None:
            raise ValueError("must be a list such as region: eu, shop: 7, note: 'a, b', separated by commas")
        name, quoted, plain = match.group("name", "quoted", "plain")
        if name in found:
            raise ValueError("must name no column twice")
        if not is_possible(name):
            raise ValueError(f"must not name {name!r}, as no column can be called so")
        found[name] = plain if quoted is None else quoted.replace("''", "'")
        position = match.end()
    return tuple(found.items())


def _sqlstates(value: object) -> object:
    if not isinstance(value, str):
        return value
    states = [state for part in value.split(",") if (state := part.strip().upper())]
    for state in states:
        if not re.fullmatch(r"[0-9A-Z]{2}(?:[0-9A-Z]{3})?", state):
            raise ValueError("must be a list of SQLSTATEs, such as P0001, or classes, such as P0")
        if state[:2] in _FAILURES:
            raise ValueError(f"must not hold {state}, which says that the server failed, not a row")
    return frozenset(states)


def _operations(value: object) -> object:
    if not isinstance(value, str):
        return value
    letters = [letter for part in value.split(",") if (letter := part.strip().upper())]
    try:
        return frozenset(map(Operation, letters))
    except ValueError:
        raise ValueError("must be a list of I, U, D and R, separated by commas") from None


def _condition(value: object) -> object:
    if not isinstance(value, str):
        return value
    return read_condition(value) if value.strip() else None


def _masks(value: object) -> object:
    return read_masks(value) if isinstance(value, str) else value


def _date_style(value: str) -> str:
    return str(DateStyle.parse(value)) if value.strip() else ""


def _interval_style(value: str) -> str:
    style = value.strip().lower()
    if style and style not in INTERVAL_STYLES:
        raise ValueError(f"must be one of {', '.join(INTERVAL_STYLES)}")
    return style


def _day(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value.strip())
    except ValueError:
        raise ValueError("must be a date, such as 2020-01-01") from None


def _duration(value: str) -> str:
    if not re.fullmatch(r"\d{1,5} *(?:day|week|month|year)s?", value.strip().lower()):
        raise ValueError("must be a number of days, weeks, months or years, such as 90 days")
    return value.strip().lower()


def _age(value: str) -> str:
    if value.strip() and not re.fullmatch(
        r"[1-9]\d{0,4} *(?:hour|day|week|month|year)s?", value.strip().lower()
    ):
        raise ValueError("must be a number of hours, days, weeks, months or years, such as 90 days")
    return value.strip().lower()


def _command_line(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return tuple(shlex.split(value))
    except ValueError as error:
        raise ValueError(f"must be a program and its arguments, as a shell reads them: {error}") from None


def _name(value: str) -> str:
    name = value.strip()
    if name and not is_possible(name):
        raise ValueError(f"must be a name of at most {MAX_BYTES} bytes, without quotes")
    return name


def _encoding(value: str) -> str:
    name = value.strip().upper().replace("-", "")
    if name and name not in SERVER_ENCODINGS:
        raise ValueError("must be an encoding of a PostgreSQL database, such as LATIN1 or EUC_JP")
    return name


def _zone(value: str) -> str:
    return Zone(value.strip()).name if value.strip() else ""


Dsn = Annotated[str, BeforeValidator(_dsn)]
Table = Annotated[TableName, BeforeValidator(_table)]
Fields = Annotated[FieldMap, BeforeValidator(FieldMap.parse)]
Constants = Annotated[tuple[tuple[str, str], ...], BeforeValidator(_constants)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Operations = Annotated[frozenset[Operation], BeforeValidator(_operations)]
Where = Annotated[Condition | None, BeforeValidator(_condition)]
MaskMap = Annotated[Masks, BeforeValidator(_masks)]
SqlStates = Annotated[frozenset[str], BeforeValidator(_sqlstates)]
DateStyleName = Annotated[str, AfterValidator(_date_style)]
IntervalStyleName = Annotated[str, AfterValidator(_interval_style)]
Words = Annotated[str, AfterValidator(refuse_strange_words)]
Day = Annotated[date, BeforeValidator(_day)]
Duration = Annotated[str, AfterValidator(_duration)]
ZoneName = Annotated[str, AfterValidator(_zone)]
Age = Annotated[str, AfterValidator(_age)]
CommandLine = Annotated[tuple[str, ...], BeforeValidator(_command_line)]
Name = Annotated[str, AfterValidator(_name)]
EncodingName = Annotated[str, AfterValidator(_encoding)]
