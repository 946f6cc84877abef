"""A process as the ledger knows it, and what it tells of its source."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field

from psycopg2.extensions import cursor as Cursor

from ..postgres import queries

_IDENTITY = re.compile(r"[0-9a-f]{16}")
"""As the host of a job makes one for each process."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process that works for a consumer, or would like to.

    Attributes:
        identity: random; two processes of one identity never work at a time. It ends the application_name of
            its sessions.
        host: name of its host, for people.
    """

    identity: str
    host: str = field(default_factory=socket.gethostname)


@dataclass(frozen=True, slots=True)
class Source:
    """The database that a process reads from, and its session there.

    Attributes:
        cluster: ``pg_control_system().system_identifier``; None: the role may not ask for it.
        database: name of the database.
        pid: process of the session.
        start: when the session began, as the server writes it.
    """

    cluster: int | None
    database: str
    pid: int
    start: str

    @classmethod
    def read(cls, cursor: Cursor) -> Source:
        """What a session says of itself and its database.

        Args:
            cursor: of the source.
        """
        may_see = queries.value(cursor, "may_see_cluster")
        cluster = queries.value(cursor, "cluster") if may_see else None
        found = queries.row(cursor, "own_session")
        assert found is not None
        return cls(cluster, *found)


def end_session(cursor: Cursor, pid: int, start: str | None, identity: str) -> None:
    """End a session, if its name still ends in that identity and it began then.

    Args:
        cursor: of the session's server.
        pid: process of the session.
        start: when it began; None: not known.
        identity: of its process. What another server says is one only if nothing but a process of ours is
            called so: the end of a shorter name would be that of many sessions.
    """
    if not _IDENTITY.fullmatch(identity):
        return
    queries.run(cursor, "end_session", pid=pid, start=start, owner=identity)
