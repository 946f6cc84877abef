"""A detach that has begun and not ended: it keeps the place of a partition that nobody sees."""

from __future__ import annotations

import psycopg2
from psycopg2.extensions import cursor as Cursor

from ...errors import Outage, is_infrastructure, one_line
from ...postgres import Connection, TableName, queries

PATIENCE = "10s"
"""How long the end of a detach may wait for others; it keeps nobody waiting."""


def end_detach(connection: Connection, parent: TableName) -> bool:
    """End the detach of a partition that has begun; returns False if there is none.

    Args:
        connection: to the target; no transaction is open before and after.
        parent: the table that it is detached from.

    Raises:
        Outage: it has to wait, and for whom.
        psycopg2.Error: the target refused, or was lost.
    """
    if not (found := _pending(connection, parent)):
        return False
    try:
        take_alone(connection, f"alter table {parent.sql} detach partition {found} finalize", PATIENCE)
    except psycopg2.Error as error:
        if connection.closed:
            raise
        if _pending(connection, parent) != found:
            # Another process was faster.
            return True
        if not is_infrastructure(error):
            raise
        raise Outage(
            f"the detach of {found} has begun, and waits for transactions that read {parent}: "
            f"{one_line(error)}",
            "target",
            True,
        ) from error
    return True


def _pending(connection: Connection, parent: TableName) -> str:
    """The partition whose detach has begun, as SQL; empty if there is none."""
    with connection, connection.cursor() as cursor:
        found = queries.row(cursor, "pending_detach", table=parent.sql)
    return str(found[0]) if found else ""


def take_alone(connection: Connection, statement: str, patience: str) -> None:
    """Run a statement that no transaction takes; names mean what they mean to its users.

    Args:
        connection: to the target; no transaction is open before and after.
        statement: it.
        patience: how long it may wait for a lock.

    Raises:
        psycopg2.Error: the target refused, or was lost.
    """
    session = connection.session
    before = session.autocommit
    session.autocommit = True
    try:
        with session.cursor() as cursor:
            _settings(cursor, ("lock_timeout", patience), ("search_path", None))
            try:
                cursor.execute(statement)
            finally:
                if not session.closed:
                    _settings(cursor, ("lock_timeout", None), ("search_path", "pg_catalog, pg_temp"))
    finally:
        if not session.closed:
            session.autocommit = before


def _settings(cursor: Cursor, *wanted: tuple[str, str | None]) -> None:
    """Give the session settings, or those that it began with (None)."""
    for name, value in wanted:
        if value is None:
            cursor.execute(f"reset {name}")
        else:
            queries.run(cursor, "set_setting", name=name, value=value)
