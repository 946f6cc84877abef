"""Poolers: whether a connection through one has a session of its own."""

from __future__ import annotations

import select
import time
from contextlib import closing

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ, make_dsn
from psycopg2.extensions import connection as Connection

ROUNDS = 5
"""How often both connections are asked: others use the pool too, and may hide a while that it is shared."""

WAIT = 3.0
"""Seconds for the second connection. A pooler lets it wait while all its sessions are taken."""

_ASK = "select pg_backend_pid()"


def keeps_sessions(connection: Connection, pid: int) -> bool:
    """Whether a pooler keeps one session for a connection as long as that lasts.

    It does not if a connection meets two processes, or two connections meet the same. Each asks once or twice
    in a round, so that no pooler which takes turns gives the same answers again and again.

    Args:
        connection: to the pooler, in autocommit mode.
        pid: the process that it met.

    Raises:
        psycopg2.Error: the pooler or its server fails, or refuses a second connection.
    """
    mine, others = {pid}, set[int]()
    deadline = time.monotonic() + WAIT
    password = {"password": connection.info.password} if connection.info.password else {}
    with closing(psycopg2.connect(make_dsn(connection.dsn, **password), async_=True)) as other:
        is_ready = _is_ready(other, deadline)
        for _ in range(ROUNDS):
            for _ in range(2):
                if is_ready:
                    cursor = other.cursor()
                    cursor.execute(_ASK)
                    is_ready = _is_ready(other, deadline)
                    others.update((is_ready and cursor.fetchone()) or ())
            with connection.cursor() as cursor:
                cursor.execute(_ASK)
                mine.update(cursor.fetchone() or ())
    return len(mine) == 1 and len(others) <= 1 and mine.isdisjoint(others)


def _is_ready(connection: Connection, deadline: float) -> bool:
    """Wait until an asynchronous connection is ready; False if it is not until then."""
    while (state := connection.poll()) != POLL_OK:
        left = max(0.0, deadline - time.monotonic())
        reads, writes = ([connection], []) if state == POLL_READ else ([], [connection])
        if not any(select.select(reads, writes, [], left)):
            return False
    return True
