"""What PostgreSQL says when it refuses a row: which one, and why."""

from __future__ import annotations

import re

import psycopg2

from .errors import one_line

# "COPY orders, line 3, column id: "x"", in the language of the server.
_WHERE = re.compile(r"COPY .*?, \D+(\d+)(?:, (.*))?")

_DATE_STATES = frozenset({"22007", "22008"})
"""SQLSTATEs of a date that does not parse or exist."""


def row_of(error: psycopg2.Error, count: int) -> int | None:
    """Number of the bad row among `count` that were copied, from 0; None if the server does not tell."""
    match = _where(error)
    number = int(match[1]) if match else 0
    return number - 1 if 1 <= number <= count else None


def reason(error: psycopg2.Error) -> str:
    """Why a row was refused, in one line that names the table and column where they are known."""
    text = error.diag.message_primary or one_line(error)
    match = _where(error)
    place = [error.diag.schema_name, error.diag.table_name]
    if all(place):
        text += f" in {'.'.join(filter(None, place))}"
    if match and match[2]:
        text += f", {match[2]}"
    if error.pgcode in _DATE_STATES:
        text += "; dates are read in DateStyle ISO only"
    return text


def _where(error: psycopg2.Error) -> re.Match[str] | None:
    return next(filter(None, map(_WHERE.match, (error.diag.context or "").splitlines())), None)
