"""Londiste's worker for one table, and its SQL.

This is the installed package's own code, from each event to the statements in the target: the worker's
functions for events and tables, and the handler that a table has. What surrounds them is left out: nodes of a
cascade, initial copies, foreign keys.

As published, the dispatch handlers of Londiste 3.12 load nothing on PostgreSQL, so they are mended here. They
derive from the sharding handler, which no longer calls what they override and wants a hash in each event; now
they derive from its base. The bulk loader asserts that it finds distribution keys, which only Greenplum has;
now it finds the key, to which it would add them.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import skytools
from londiste.handler import TableHandler, create_handler_string, register_handler_module
from londiste.handlers import dispatch
from londiste.playback import Replicator, TableState
from pgq import Event
from psycopg2.extensions import connection as Connection
from psycopg2.extras import DictCursor

from harness.servers.database import Database
from harness.servers.queue import Queue

NAME = "orders"
"""The table."""

TABLE = f"public.{NAME}"
"""The same, as events name it."""

MODULES = ("londiste.handlers.dispatch", "londiste.handlers.bulk")
"""Handlers beside the worker's own."""

_SQL = "/usr/share/postgresql/*/contrib"

_STATE = {
    "merge_state": "ok",
    "custom_snapshot": None,
    "copy_role": None,
    "dropped_ddl": None,
    "dest_table": TABLE,
}
"""What the worker reads of a table that is in step, before each batch."""


def install(database: Database) -> None:
    """Bring the SQL of Londiste's Debian package into a database with PgQ, whatever the server's version."""
    for name in ("pgq_node", "londiste"):
        (*_, path) = sorted(Path("/").glob(f"{_SQL.lstrip('/')}/{name}.sql"))
        database.execute(path.read_text(encoding="utf-8"))


def attach(queue: Queue) -> None:
    """Let the triggers that Londiste makes put the table's changes and truncates into a queue."""
    made = queue.source.value(
        "select ret_code from londiste.create_trigger(%s, %s, '{}', %s, 'root')", queue.name, TABLE, TABLE
    )
    assert made == 200


@contextlib.contextmanager
def mended() -> Iterator[None]:
    """The dispatch handlers as they were meant."""
    dispatcher, bases = dispatch.Dispatcher, dispatch.Dispatcher.__bases__
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatcher, "process_event", dispatcher._process_event)  # noqa: SLF001 (see above)
        patch.setattr(dispatch.BulkLoader, "find_dist_fields", lambda loader, _cursor: list(loader.pkeys))
        dispatcher.__bases__ = (TableHandler,)
        try:
            for module in MODULES:
                register_handler_module(module, None)
            yield
        finally:
            dispatcher.__bases__ = bases


class Worker:
    """A consumer that loads the table; it is registered already.

    Args:
        queue: what it reads.
        consumer: its name.
        target: the database to load.
        handler: of the table, and the handler's arguments.
    """

    def __init__(
        self, queue: Queue, consumer: str, target: Database, handler: str, arguments: Mapping[str, str]
    ) -> None:
        self._queue, self._consumer, self._target = queue, consumer, target
        listed = [f"{name}={value}" for name, value in arguments.items()]
        handler_string = create_handler_string(handler, listed)
        self._row = {**_STATE, "table_attrs": skytools.db_urlencode({"handler": handler_string})}
        # Its constructor would read files and a command line.
        self._replicator = Replicator.__new__(Replicator)
        self._replicator.log = logging.getLogger("londiste")
        self._table = TableState(TABLE, self._replicator.log)
        self._replicator.table_map = {TABLE: self._table}
        self._replicator.copy_thread, self._replicator.copy_table_name = False, None

    def run(self) -> None:
        """Load all batches there are, each in a transaction of its own."""
        with (
            contextlib.closing(psycopg2.connect(self._queue.source.dsn, cursor_factory=DictCursor)) as source,
            contextlib.closing(psycopg2.connect(self._target.dsn, cursor_factory=DictCursor)) as target,
        ):
            while (batch := self._next(source)) is not None:
                self._apply(source, target, batch)
                with source, source.cursor() as cursor:
                    cursor.execute("select pgq.finish_batch(%s)", (batch["batch_id"],))

    def _next(self, source: Connection) -> dict[str, Any] | None:
        """As the library of PgQ tells the worker."""
        with source, source.cursor() as cursor:
            cursor.execute("select * from pgq.next_batch_info(%s, %s)", (self._queue.name, self._consumer))
            (row,) = cursor.fetchall()
            found: dict[str, Any] = dict(row)
        if found["batch_id"] is None:
            return None
        return {**found, "tick_id": found["cur_tick_id"], "batch_end": found["cur_tick_time"]}

    def _apply(self, source: Connection, target: Connection, batch: Mapping[str, Any]) -> None:
        """What the worker does with a batch, once it has read its node and its tables."""
        worker = self._replicator
        # Creates a new handler.
        self._table.loaded_state(self._row)
        worker.batch_info, worker.cur_tick = batch, batch["tick_id"]
        worker.sql_list, worker.used_plugins = [], {}
        with source, target, source.cursor() as reader, target.cursor() as cursor:
            reader.execute("select * from pgq.get_batch_events(%s)", (batch["batch_id"],))
            rows: list[Any] = reader.fetchall()
            for row in rows:
                worker.process_remote_event(reader, cursor, Event(self._queue.name, row))
            worker.flush_sql(cursor)
            for handler in worker.used_plugins.values():
                handler.finish_batch(batch, cursor)
