"""What PostgreSQL says when it refuses a row: which one, and why."""

from __future__ import annotations

import re

import psycopg2

from ..errors import one_line

# What follows "COPY orders, ": "line 3, column id: "x"", in the language of the server.
_WHERE = re.compile(r"\D+(\d+)(?:, (.*))?")

_DATE_STATES = frozenset({"22007", "22008"})
"""SQLSTATEs of a date that does not parse or exist."""


def row_of(error: psycopg2.Error, copied: str, count: int) -> int | None:
    """Number, from 0, of the bad row among `count` copied ones; None if the server does not tell.

    Args:
        error: the server's.
        copied: name of the table that was copied into.
        count: how many rows were copied.
    """
    match = _where(error, copied)
    number = int(match[1]) if match else 0
    return number - 1 if 1 <= number <= count else None


def reason(error: psycopg2.Error, copied: str) -> str:
    """Why a row was refused, in one line that names the table and column where they are known."""
    text = error.diag.message_primary or one_line(error)
    match = _where(error, copied)
    table = [error.diag.schema_name, error.diag.table_name]
    if all(table):
        text += f" in {'.'.join(filter(None, table))}"
    if match and match[2]:
        text += f", {match[2]}"
    if error.pgcode in _DATE_STATES:
        text += "; dates are read in ISO style, and in the DateStyle of the source's database (date_style)"
    return text


def _where(error: psycopg2.Error, copied: str) -> re.Match[str] | None:
    prefix = f"COPY {copied}, "
    lines = [line for line in (error.diag.context or "").splitlines() if line.startswith(prefix)]
    return _WHERE.match(lines[0], len(prefix)) if lines else None
