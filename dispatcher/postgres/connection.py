"""Connections to PostgreSQL, set up as a job needs them."""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_READ_COMMITTED, make_dsn, parse_dsn
from psycopg2.extensions import connection as Connection

from ..errors import Outage, one_line

# Defaults of skytools 3.2.6, in seconds and tries: a silent server is noticed after five minutes.
_DEFAULTS = {
    "connect_timeout": "15",
    "keepalives_idle": "240",
    "keepalives_interval": "15",
    "keepalives_count": "4",
}


@contextmanager
def connected(which: str, dsn: str, application_name: str) -> Iterator[Connection]:
    """A connection for the length of the context: UTF-8, ISO dates, read committed.

    Dates are written in ISO style and read as year, month, day: a value of another DateStyle, in which day
    and month could be confused, is an error.

    Args:
        which: ``source`` or ``target``, for messages.
        dsn: libpq connection string; what it sets wins over our defaults.
        application_name: the name that the server's administrator sees.

    Raises:
        Outage: the server cannot be reached, or refuses the connection.
    """
    given = parse_dsn(dsn)
    defaults = {**_DEFAULTS, "application_name": application_name}
    missing = {key: value for key, value in defaults.items() if key not in given}
    try:
        connection = psycopg2.connect(make_dsn(dsn, **missing))
    except psycopg2.OperationalError as error:
        raise Outage(f"cannot connect to the {which} database: {one_line(error)}", which) from error
    try:
        _prepare(connection, which)
        yield connection
    finally:
        connection.close()


def _prepare(connection: Connection, which: str) -> None:
    try:
        connection.set_session(isolation_level=ISOLATION_LEVEL_READ_COMMITTED)
        connection.set_client_encoding("UTF8")
        with connection, connection.cursor() as cursor:
            cursor.execute("set DateStyle = 'ISO, YMD'")
    except psycopg2.Error as error:
        # A server that is shutting down lets clients in, then sends them away.
        raise Outage(f"lost the {which} database: {one_line(error)}", which) from error


def database_name(dsn: str) -> str:
    """The database that a connection string names, for messages: no secrets."""
    given = parse_dsn(dsn)
    address = ":".join(given[key] for key in ("host", "port") if key in given)
    name = given.get("dbname") or given.get("service") or "of the default name"
    return f"{name} at {address}" if address else name


def canonical_dsn(dsn: str) -> str:
    """The connection string with its parts in a fixed order and spelling; secrets stay in it."""
    text: str = make_dsn(**dict(sorted(parse_dsn(dsn).items())))
    return text


class IdleConnections:
    """Idle connections, watched in case a server goes away."""

    def __init__(self, *connections: Connection) -> None:
        self._connections = {connection.fileno(): connection for connection in connections}
        self._poller = select.poll()
        for descriptor in self._connections:
            self._poller.register(descriptor, select.POLLIN)

    def check(self) -> None:
        """See whether the connections are alive; costs no query while their servers are silent.

        Raises:
            psycopg2.Error: a connection is lost.
        """
        for descriptor, _events in self._poller.poll(0):
            connection = self._connections[descriptor]
            with connection, connection.cursor() as cursor:
                cursor.execute("select 1")
