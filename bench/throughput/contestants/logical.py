"""PostgreSQL's own logical replication: one subscription, which gets the changes from the WAL.

Its processes are the servers' own, so its CPU is theirs. The time begins when the source has begun to send.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg2
from psycopg2.extensions import connection as Connection

from .task import PUBLICATION, SLOT, Task

PATIENCE = 600.0
"""Seconds within which it must be done."""


def prepare(task: Task) -> Callable[[], float]:
    """The work."""
    return lambda: _work(task)


def _work(task: Task) -> float:
    """Subscribe, and wait for the last change; returns the seconds from the first one on."""
    source, target = psycopg2.connect(task.source), psycopg2.connect(task.target)
    source.autocommit = target.autocommit = True
    name, quoted = task.consumer, task.source.replace("'", "''")
    with source.cursor() as sending, target.cursor() as taking:
        sending.execute("select pg_copy_logical_replication_slot(%s, %s)", (SLOT, name))
        taking.execute(
            f"create subscription {name} connection '{quoted}' publication {PUBLICATION} "
            f"with (create_slot = false, copy_data = false, slot_name = {name})"
        )
        _wait(source, f"select active from pg_replication_slots where slot_name = '{name}'")
        began = time.perf_counter()
        _wait(
            target,
            "select coalesce(pg_replication_origin_progress('pg_' || oid, false) >= "
            f"'{task.end}'::pg_lsn, false) or exists (select from pg_stat_subscription s "
            f"where s.subid = oid and latest_end_lsn >= '{task.end}'::pg_lsn) "
            f"from pg_subscription where subname = '{name}'",
        )
        seconds = time.perf_counter() - began
        taking.execute(f"drop subscription {name}")
    source.close()
    target.close()
    return seconds


def _wait(connection: Connection, question: str) -> None:
    deadline = time.monotonic() + PATIENCE
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(question)
            (answer,) = cursor.fetchone() or (None,)
            if answer:
                return
            time.sleep(0.002)
    raise TimeoutError(question)
