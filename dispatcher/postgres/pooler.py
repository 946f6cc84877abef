"""Poolers: whether a connection through one has a session of its own."""

from __future__ import annotations

import select
import time
from contextlib import closing

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ, make_dsn
from psycopg2.extensions import connection as Connection

from ..errors import Outage, one_line
from . import queries

ROUNDS = 5
"""How often both connections are asked: others use the pool too, and may hide a while that it is shared."""

WAIT = 3.0
"""Seconds for the second connection. A pooler lets it wait while all its sessions are taken."""

_ASK = queries.text("own_names") + " select pg_backend_pid()"


def keeps_sessions(connection: Connection, which: str, pid: int) -> bool:
    """Whether a pooler keeps one session for a connection as long as that lasts.

    It does not if a connection meets two processes, or two connections meet the same. Each asks once or twice
    in a round, so that no pooler which takes turns gives the same answers again and again.

    Args:
        connection: to the pooler, in autocommit mode.
        which: ``source`` or ``target``.
        pid: the process that it met.

    Raises:
        Outage: the pooler or its server fails, or refuses a second connection.
    """
    try:
        mine, others = _meet(connection, pid)
    except psycopg2.Error as error:
        reason = f"cannot find out how the pooler of the {which} database works: {one_line(error)}"
        raise Outage(reason, which) from error
    return len(mine) == 1 and len(others) <= 1 and mine.isdisjoint(others)


def _meet(connection: Connection, pid: int) -> tuple[set[int], set[int]]:
    """The processes that a connection, and a second one, meet."""
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
    return mine, others


def _is_ready(connection: Connection, deadline: float) -> bool:
    """Wait until an asynchronous connection is ready; False if it is not until then."""
    while (state := connection.poll()) != POLL_OK:
        poller = select.poll()
        poller.register(connection, select.POLLIN if state == POLL_READ else select.POLLOUT)
        if not poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
            return False
    return True
