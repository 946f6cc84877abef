"""Connections to PostgreSQL, set up as a job needs them."""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import make_dsn, parse_dsn

from ..address import Address
from ..errors import Outage, one_line
from .copywatch import WatchedConnection
from .session import set_up

_DEFAULTS = {
    "connect_timeout": "15",
    # A server that is cut off is noticed after 5 + 3 * 2 s.
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "11000",
}
"""Of libpq, in seconds and tries; the last in milliseconds."""

MAX_NAME = 63
"""Bytes of an application_name; PostgreSQL cuts off what is beyond them."""


@contextmanager
def connected(address: Address, application_name: str, identity: str = "") -> Iterator[Connection]:
    """A connection for the length of the context: UTF-8, ISO dates, read committed.

    Dates are written in ISO style and read as year, month, day: a value of another DateStyle, in which day
    and month could be confused, is an error. A confirmed commit survives a crash of the server. No session is
    ended for its silence; but both sides notice within 15 s that they are cut off from each other.

    Args:
        address: of the database; what it sets wins over our defaults, ``options`` included.
        application_name: the name that the server's administrator sees.
        identity: ASCII text that ends this name, whatever the connection string says.

    Raises:
        Outage: the server cannot be reached, or refuses the connection; or a file of secrets cannot be read.
        SetupError: a pooler stands before it and gives each transaction another session.
    """
    which, dsn = address.which, address.read()
    given = parse_dsn(dsn)
    defaults = {**_DEFAULTS, "application_name": application_name}
    missing = {key: value for key, value in defaults.items() if key not in given}
    if identity:
        missing["application_name"] = _ending_in(identity, given.get("application_name", application_name))
    watched = which == "target" and "tcp_user_timeout" in missing
    try:
        connection = psycopg2.connect(
            make_dsn(dsn, **missing), connection_factory=WatchedConnection if watched else None
        )
    except psycopg2.OperationalError as error:
        raise Outage(f"cannot connect to the {which} database: {one_line(error)}", which) from error
    with closing(connection):
        set_up(connection, which)
        yield connection


def _ending_in(identity: str, name: str) -> str:
    """A name that ends in an identity, no longer than PostgreSQL lets it be; what is not ASCII becomes ?."""
    room = MAX_NAME - len(identity) - 1
    return f"{name.encode('ascii', 'replace')[:room].decode()} {identity}"


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
