"""The limit that PostgreSQL itself sets: COPY out, and COPY in of rows that are already decoded.

Both run at the same time; each tick is a batch and a commit. What comes out is discarded.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Connection

from . import rows
from .task import QUEUE, Task

BLOCK = 1 << 18
"""Bytes that COPY gets at a time."""


def prepare(task: Task) -> Callable[[], object]:
    """The work."""
    return lambda: _copy(task)


def _copy(task: Task) -> None:
    source, target = psycopg2.connect(task.source), psycopg2.connect(task.target)
    source.autocommit = True
    with source.cursor() as cursor:
        for tables in rows.ticks(Path(task.directory)):
            cursor.execute("select pgq.next_batch(%s, %s)", (QUEUE, task.consumer))
            (batch,) = cursor.fetchone() or (None,)
            cursor.execute("select pgq.batch_event_sql(%s)", (batch,))
            (query,) = cursor.fetchone() or ("",)
            reader = threading.Thread(target=drain, args=(source, query))
            reader.start()
            with target, target.cursor() as loading:
                for table, text in tables:
                    loading.copy_expert(f"copy {table} from stdin", io.BytesIO(text), BLOCK)
            reader.join()
            cursor.execute("select pgq.finish_batch(%s)", (batch,))
    source.close()
    target.close()


def drain(source: Connection, query: str) -> None:
    """Copy what a query yields to nowhere."""
    with source.cursor() as cursor, Path("/dev/null").open("wb") as nowhere:
        cursor.copy_expert(f"copy ({query}) to stdout", nowhere)
