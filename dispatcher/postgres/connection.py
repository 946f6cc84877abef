"""Connections to PostgreSQL, set up as a job needs them."""

from __future__ import annotations

import re
import select
from contextlib import AbstractContextManager, closing
from types import TracebackType
from typing import Any, Self

import psycopg2
from psycopg2.extensions import connection as Session
from psycopg2.extensions import cursor as Cursor
from psycopg2.extensions import make_dsn, parse_dsn

from ..address import Address
from ..errors import Outage, one_line
from . import queries
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


_REFUSALS = re.compile(
    "authentication failed|no password supplied|no pg_hba.conf entry|does not exist|not permitted to log in"
    "|permission denied|definition of service|certificate|authentication method|does not support SSL"
)
"""What libpq and servers that speak English say where it is of no use to try again soon."""


class Connection:
    """A connection to a database, which may be closed while nobody needs it and opened again.

    In each session: UTF-8, ISO dates, read committed. Dates are written in ISO style and read as year, month,
    day: a value of another DateStyle, in which day and month could be confused, is an error. A confirmed
    commit survives a crash of the server. No session is ended for its silence; but both sides notice within
    15 s that they are cut off from each other.

    Args:
        address: of the database; what it sets wins over our defaults, ``options`` included.
        application_name: the name that the server's administrator sees.
        identity: ASCII text that ends this name, whatever the connection string says.

    Raises:
        Outage, SetupError: as by `open`.
    """

    def __init__(self, address: Address, application_name: str, identity: str = "") -> None:
        self._address = address
        self._name = application_name, identity
        self._settings: dict[str, str] = {}
        self._modes: dict[str, Any] = {}
        self._session = self._connect()

    def open(self) -> None:
        """Open it again, with all that its sessions were told.

        Raises:
            Outage: the server cannot be reached, or refuses the connection; or a file of secrets cannot be
                read.
            SetupError: a pooler stands before it and gives each transaction another session.
        """
        self._session = self._connect()

    def close(self) -> None:
        """Close it."""
        self._session.close()

    def __enter__(self) -> Self:
        """Begin a transaction."""
        self._session.__enter__()
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Commit the transaction, or roll it back after an error."""
        self._session.__exit__(type_, error, traceback)

    def cursor(self) -> Cursor:
        """A cursor of the present session."""
        return self._session.cursor()

    def commit(self) -> None:
        """Commit the transaction."""
        self._session.commit()

    def rollback(self) -> None:
        """Roll the transaction back."""
        self._session.rollback()

    def set_session(self, **modes: Any) -> None:
        """Let transactions of this session, and of each later one, be as psycopg2's method has it."""
        self._session.set_session(**modes)
        self._modes |= modes

    def set(self, name: str, value: str) -> None:
        """Give the session a setting, and each later one.

        Raises:
            psycopg2.Error: the server does not take it.
        """
        if self._session.get_parameter_status(name) != value:
            with self, self.cursor() as cursor:
                queries.run(cursor, "set_setting", name=name, value=value)
        self._settings[name] = value

    @property
    def closed(self) -> bool:
        """Whether it is closed or lost."""
        return bool(self._session.closed)

    @property
    def session(self) -> Session:
        """The present session, as psycopg2 has it."""
        return self._session

    def _connect(self) -> Session:
        which, dsn = self._address.which, self._address.read()
        given = parse_dsn(dsn)
        name, identity = self._name
        defaults = {**_DEFAULTS, "application_name": name}
        missing = {key: value for key, value in defaults.items() if key not in given}
        if identity:
            missing["application_name"] = _ending_in(identity, given.get("application_name", name))
        watched = which == "target" and "tcp_user_timeout" in missing
        try:
            session = psycopg2.connect(
                make_dsn(dsn, **missing), connection_factory=WatchedConnection if watched else None
            )
        except psycopg2.OperationalError as error:
            reason = one_line(error)
            refused = _REFUSALS.search(reason) is not None
            named = f"the {which} database ({self._address.key})" if refused else f"the {which} database"
            raise Outage(f"cannot connect to {named}: {reason}", which, refused=refused) from error
        try:
            set_up(session, which, self._settings)
            session.set_session(**self._modes)
        except BaseException:
            session.close()
            raise
        return session


def connected(
    address: Address, application_name: str, identity: str = ""
) -> AbstractContextManager[Connection]:
    """A `Connection` for the length of the context."""
    return closing(Connection(address, application_name, identity))


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
        self._connections = connections

    def check(self) -> None:
        """See whether the connections are alive; costs no query while their servers are silent.

        Raises:
            psycopg2.Error: a connection is lost.
        """
        by_number = {each.session.fileno(): each for each in self._connections}
        poller = select.poll()
        for number in by_number:
            poller.register(number, select.POLLIN)
        for number, _events in poller.poll(0):
            with by_number[number] as connection, connection.cursor() as cursor:
                cursor.execute("select 1")
