"""The server of a database and the role that the job has there, which may have more rights than it needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor

from ..postgres import queries, quote
from .finding import Caution, Fault, Finding, Note
from .look import Look


@dataclass(frozen=True, slots=True)
class Server:
    """Facts of a server.

    Attributes:
        version: of PostgreSQL.
        role: the job's role.
        standby: the server is one, and takes no changes.
        read_only: ``default_transaction_read_only`` is on.
        may_create: the role may create schemas in the database.
        may_stage: the role may create temporary tables there.
        database: name of the database.
        now: the server's time, as it writes it.
        time_zone: the zone in which it writes times.
        replication_role: ``session_replication_role``; as a replica, triggers and foreign keys do not fire.
    """

    version: str
    role: str
    standby: bool
    read_only: bool
    may_create: bool
    may_stage: bool
    database: str
    now: str
    time_zone: str
    replication_role: str = "origin"

    def grant(self, what: str) -> Fault:
        """The fault of a right that the role lacks, such as ``select on public.orders``."""
        return Fault(f"role {self.role} lacks rights; run there: grant {what} to {quote(self.role)}")


def read_server(cursor: Cursor) -> Server:
    """Ask a server about itself."""
    state = queries.row(cursor, "server_state")
    assert state is not None
    return Server(*state)


def server_findings(server: Server) -> Iterator[Finding]:
    """Who answers, and whether it takes changes."""
    yield Note(f"PostgreSQL {server.version.split()[0]}, as role {server.role}")
    if server.standby or server.read_only:
        role = quote(server.role)
        remedy = f"; run there: alter role {role} set default_transaction_read_only = off"
        read_only = f"default_transaction_read_only is on{remedy}"
        reason = "the server is a standby" if server.standby else read_only
        yield Fault(f"nothing can be changed there: {reason}")
    if server.replication_role == "replica":
        yield Note(
            f"triggers and foreign keys do not hold for role {server.role}, as session_replication_role is "
            f"replica; if that is not meant: alter role {quote(server.role)} reset session_replication_role"
        )


def excess_findings(look: Look, role: str, *, loads: bool, makes: bool) -> Iterator[Finding]:
    """A warning if the role has more than it needs.

    Args:
        look: at the database.
        role: the job's role there.
        loads: the job loads tables there; some of them may have row security that it is to pass by.
        makes: the job has a schema to make there.
    """

    def read(cursor: Cursor) -> list[str]:
        found: list[str] = queries.value(cursor, "excess", loads=loads, makes=makes)
        return found

    if found := look.read(read):
        yield Caution(f"role {role} {', '.join(found)}, and needs no more than tdsup grants prints")
