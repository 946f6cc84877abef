"""Whether a role may do what a ticker does, and what it takes if not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg2
from psycopg2.extensions import cursor as Cursor

from ..errors import Outage, SetupError, one_line
from ..postgres import Connection, connected, queries, quote
from .tickersettings import TickerSettings

FUNCTIONS = (
    "ticker()",
    "maint_retry_events()",
    "maint_rotate_tables_step1(text)",
    "maint_rotate_tables_step2()",
)
"""What a ticker calls of every PgQ."""

SETUP_CLASSES = frozenset({"3F", "42"})
"""SQLSTATE classes of what a person has to mend: no such schema, no right, no such function or table."""


def require(cursor: Cursor, schema: str) -> None:
    """Make sure that the session's role may tick.

    Raises:
        SetupError: it may not, or there is no PgQ; the message says what to do.
    """
    if not queries.value(cursor, "has_pgq", pgq=schema):
        remedy = "; run there: create extension pgq" if schema == "pgq" else ""
        raise SetupError(f"cannot tick: the database has no PgQ in schema {schema}{remedy}")
    functions = [f"{schema}.{function}" for function in FUNCTIONS]
    if queries.value(cursor, "has_maintenance_list", pgq=schema):
        functions.append(f"{schema}.maint_operations()")
    denied = [name for (name,) in queries.rows(cursor, "denied_functions", functions=functions)]
    if denied:
        role = cursor.connection.info.user
        raise SetupError(f"cannot tick: role {role} may not run {', '.join(denied)}; {_remedy(role, schema)}")


def _remedy(role: str, schema: str) -> str:
    return f"run there: grant {schema}_admin to {quote(role)}"


@contextmanager
def outages(connection: Connection, schema: str) -> Iterator[None]:
    """Turn psycopg2's errors into ours: a `SetupError` if a person must mend something, else an `Outage`."""
    try:
        yield
    except psycopg2.Error as error:
        if error.pgcode is not None and error.pgcode[:2] in SETUP_CLASSES:
            remedy = ""
            if isinstance(error, psycopg2.errors.InsufficientPrivilege):
                remedy = f"; {_remedy(connection.session.info.user, schema)}"
            raise SetupError(f"cannot tick: {one_line(error)}{remedy}") from error
        lost = connection.closed or error.pgcode is None
        where = "lost the source database" if lost else "the source database failed"
        raise Outage(f"{where}: {one_line(error)}", "source", answered=not lost) from error


def check(settings: TickerSettings, _arguments: Sequence[str] = ()) -> Iterator[str]:
    """Look at the database before the ticker runs; changes nothing.

    Raises:
        SetupError: the ticker could not work.
        Outage: the database cannot be reached.
    """
    schema = settings.pgq_schema
    yield f"ticker {settings.job_name}:"
    with connected(settings.address, f"tdsup {settings.job_name} check") as connection:
        connection.set_session(readonly=True)
        with outages(connection, schema), connection, connection.cursor() as cursor:
            queries.run(cursor, "be_brief")
            require(cursor, schema)
            count, left_alone = queries.row(cursor, "queues_to_tick", pgq=schema) or (0, 0)
    alone = f", and {left_alone} that are paused or have a ticker of their own" if left_alone else ""
    yield f"  it may tick; there are {count} queues to tick in schema {schema}{alone}"
