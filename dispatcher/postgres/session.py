"""What a session is told after connecting, whatever its role, its database or a pooler said before."""

from __future__ import annotations

import re
from collections.abc import Mapping

import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_READ_COMMITTED
from psycopg2.extensions import connection as Connection

from ..errors import Outage, SetupError, one_line
from . import queries
from .pooler import keeps_sessions

_SETTINGS = {
    # Where anybody may create in a schema of the path, operators and functions there could take over ours.
    "search_path": "pg_catalog, pg_temp",
    "DateStyle": "ISO, YMD",
    # Whatever a role says: statements mean what they say, and NULL in an array is NULL.
    "standard_conforming_strings": "on",
    "quote_all_identifiers": "off",
    "array_nulls": "on",
    "row_security": "on",
    # Raised only where a crash or a failover may take back a commit that was confirmed. `remote_write` stays:
    # like `on` it waits for the server's own disk, and for the standby at least until its system has it.
    "synchronous_commit": "on",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
    # A client that is cut off is noticed after 5 + 3 * 2 s, and 2 s later in the middle of a statement.
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "client_connection_check_interval": "2s",
}
"""Settings of every session, by name; a server may lack some."""

_FOR_DATABASE = {
    # It sends short answers only: nothing of them stays unread for long, unless the client is cut off.
    "target": {"tcp_user_timeout": "11s"},
    # A worker that is stopped reads nothing, and is not cut off.
    "source": {"tcp_user_timeout": "0"},
}

_GIVEN = re.compile(r"(?:-c\s*|--)([\w-]+)=")
"""Names of settings in ``options`` of a connection string."""


def set_up(connection: Connection, which: str, told: Mapping[str, str]) -> None:
    """Prepare a new connection, in one round trip if it leads to the server itself.

    It is sent by SET, as poolers refuse ``options``. Settings that the connection string gives there stay,
    but for search_path, which holds for code of the database's users alone: see `queries.for_users`.

    Args:
        connection: nothing was done with it.
        which: ``source`` or ``target``.
        told: more settings, by name.

    Raises:
        Outage: the connection is lost already, or a pooler cannot be judged now.
        SetupError: a pooler gives each transaction another session.
    """
    try:
        connection.set_client_encoding("UTF8")
        connection.autocommit = True
        # A pooler makes up a process for its client.
        its = connection.info.backend_pid
        pid = _send(connection, which, its, told)
        if pid != its and not (
            keeps_sessions(connection, which, pid) and _send(connection, which, pid, told) == pid
        ):
            raise SetupError(
                f"cannot use the {which} database: it is behind a pooler in transaction or statement mode, "
                "where no session is kept for a client; connect to the server itself, or set "
                "pool_mode = session for this database"
            )
        connection.set_session(isolation_level=ISOLATION_LEVEL_READ_COMMITTED, autocommit=False)
    except psycopg2.Error as error:
        # A server that is shutting down lets clients in, then sends them away.
        raise Outage(f"lost the {which} database: {one_line(error)}", which) from error


def _send(connection: Connection, which: str, pid: int, told: Mapping[str, str]) -> int:
    """Give the session its settings if the process is the expected one; returns the real one."""
    parameters = connection.info.dsn_parameters
    given = {name.lower().replace("-", "_") for name in _GIVEN.findall(parameters.get("options", ""))}
    given.discard("search_path")
    wanted = {**_SETTINGS, **_FOR_DATABASE[which], "application_name": parameters.get("application_name", "")}
    wanted = {name: value for name, value in wanted.items() if name not in given} | dict(told)
    lift = () if "statement_timeout" in given else ("lift_statement_timeout",)
    names = ["own_names", *lift, "set_up_session"]
    with connection.cursor() as cursor:
        found = queries.row(cursor, *names, pid=pid, names=list(wanted), values=list(wanted.values()))
    assert found is not None, "the process is told"
    return int(found[0])
