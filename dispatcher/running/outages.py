"""Errors of databases as a run sees them: what may pass, and what a person has to mend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg2

from ..errors import Outage, SetupError, is_infrastructure, one_line
from ..postgres import Connection


def differ(one: Outage, other: Outage) -> bool:
    """Whether the failing database or the kind of failure differs; lost and unreachable count as one kind."""
    elsewhere = bool(one.which and other.which) and one.which != other.which
    return elsewhere or one.answered != other.answered


def _failing(error: psycopg2.Error, connections: Mapping[str, Connection]) -> str:
    """Which of these databases has reported an error, with its article."""
    session = error.cursor.connection if error.cursor is not None else None
    found = [which for which, connection in connections.items() if connection.session is session]
    return f"the {found[0]}" if found else "a"


@contextmanager
def outages(**connections: Connection) -> Iterator[None]:
    """Turn psycopg2's errors of a session into ours: an `Outage` if a retry may help, else a `SetupError`."""
    try:
        yield
    except psycopg2.Error as error:
        if not is_infrastructure(error):
            raise SetupError(f"cannot run: {one_line(error)}") from error
        lost = [which for which, connection in connections.items() if connection.closed]
        where = f"lost the {lost[0]} database" if lost else f"{_failing(error, connections)} database failed"
        answered = not lost and error.pgcode is not None
        raise Outage(f"{where}: {one_line(error)}", lost[0] if lost else "", answered) from error
