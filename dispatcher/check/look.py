"""A look at one database, which changes nothing there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ
from psycopg2.extensions import cursor as Cursor

from ..address import Address
from ..errors import Outage, SetupError, one_line
from ..postgres import Connection, connected, queries, quote
from ..rights import role_of
from .finding import Fault

T = TypeVar("T")

_NO_CONNECT = re.compile('permission denied for database "(.+)"')
"""What a server that speaks English says to a role that may not connect."""


class Look:
    """Reads facts from a database, as far as it lets us; what goes wrong is kept as faults.

    Args:
        connection: to the database; None if it cannot be reached.
    """

    def __init__(self, connection: Connection | None) -> None:
        self._connection = connection
        self._faults: list[Fault] = []

    def read(self, facts: Callable[[Cursor], T]) -> T | None:
        """Read some facts in a transaction of their own; None if that fails or the connection is gone."""

        def ask(connection: Connection) -> T:
            with connection.cursor() as cursor:
                return facts(cursor)

        return self.use(ask)

    def use(self, facts: Callable[[Connection], T]) -> T | None:
        """The same of what wants the connection."""
        if self._connection is None or self._connection.closed:
            return None
        try:
            with self._connection:
                with self._connection.cursor() as cursor:
                    queries.run(cursor, "be_brief")
                return facts(self._connection)
        except psycopg2.Error as error:
            self.fail(one_line(error))
        except SetupError as error:
            self.fail(str(error))
        return None

    def fail(self, reason: str) -> None:
        """Note a fault."""
        self._faults.append(Fault(reason))

    def faults(self) -> list[Fault]:
        """The faults since the last call."""
        found, self._faults = self._faults, []
        return found


def _right_to_connect(reason: str, address: Address) -> str:
    """How to grant it, if that is what is missing; the server could not be asked who the role is."""
    if (denied := _NO_CONNECT.search(reason)) is None:
        return ""
    try:
        to = quote(role_of(address.key, address.read()).name)
    except SetupError:
        to = "the job's role"
    return f"; run there: grant connect on database {quote(denied[1])} to {to}"


@contextmanager
def look_at(address: Address, job: str) -> Iterator[Look]:
    """A look at a database, for the length of the context; the server itself refuses any change.

    Args:
        address: of the database.
        job: name of the job.
    """
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(connected(address, f"tdsup {job} check"))
            connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ, readonly=True)
            look = Look(connection)
        except Outage as error:
            look = Look(None)
            reason = one_line(error.__cause__ or error)
            look.fail(f"cannot be reached: {reason}{_right_to_connect(reason, address)}")
        except SetupError as error:
            look = Look(None)
            look.fail(str(error))
        yield look
