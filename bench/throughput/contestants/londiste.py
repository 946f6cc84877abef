"""Londiste's handler ``bulk_daily_field`` (unpartitioned: ``bulk_direct``), driven as its worker drives it.

This includes all that Londiste does for each event and each handler: the handler itself, and the worker's
loop over events up to the table's handler (``Replicator.process_remote_event``, ``handle_data_event``,
``CascadedWorker.process_remote_batch`` for a leaf). These are the installed package's functions; a plain
consumer borrows them, so that no cascade has to be set up. It leaves out, in Londiste's favour, what the
worker does once a batch: reading its table list and node state, comparing encodings, looking after foreign
keys and initial copies, and watermarks. The position is kept in pgq_ext instead of pgq_node, also by one call
in the target's transaction.

As published, the dispatch handlers of Londiste 3.12 load nothing on PostgreSQL. Two changes mend that, and
neither adds work. The handlers derive from the sharding handler, which no longer calls what they override and
wants a hash in each event; here they derive from its base. The bulk loader asserts that it finds distribution
keys, which only Greenplum has; run it with ``python -O``.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import skytools
from londiste.handler import TableHandler, create_handler_string, register_handler_module
from londiste.handlers.dispatch import Dispatcher
from londiste.playback import Replicator, TableState
from pgq.cascade.worker import CascadedWorker

from ..case import TABLE
from .bounded import Bounded
from .task import Task

SECTION = "londiste"
HANDLERS = "londiste.handlers.dispatch"
NAME = f"public.{TABLE}"
"""The table as events name it."""

ROW = {
    "merge_state": "ok",
    "custom_snapshot": None,
    "copy_role": None,
    "dropped_ddl": None,
    "dest_table": NAME,
}
"""What the worker reads of a table that is in step, before each batch."""

REPLAY: Any = CascadedWorker.process_remote_batch
"""The worker's loop over events; it needs no more than `Replay` has."""

LEAF = SimpleNamespace(copy_events=0, process_events=1)
"""What the worker's loop asks of its node's state."""


class Replay(Bounded):
    """A consumer with one table."""

    copy_thread = False
    copy_table_name = None
    cur_max_id = 0

    process_remote_event = Replicator.process_remote_event
    handle_data_event = Replicator.handle_data_event
    apply_sql = Replicator.apply_sql
    flush_sql = Replicator.flush_sql
    get_table_by_name = Replicator.get_table_by_name

    def __init__(self, arguments: list[str], handler: str) -> None:
        super().__init__(SECTION, "src_db", "dst_db", arguments)
        register_handler_module(HANDLERS, self.cf)
        self.table_map = {NAME: TableState(NAME, self.log)}
        self.table_row = {**ROW, "table_attrs": skytools.db_urlencode({"handler": handler})}
        self.used_plugins: dict[str, Any] = {}
        self.sql_list: list[str] = []
        self._worker_state = LEAF

    def process_remote_batch(self, db: Any, batch_id: int, event_list: Any, dst_db: Any) -> None:
        """What ``Replicator.process_remote_batch`` does after reading its node and its tables."""
        assert self.batch_info
        self.cur_tick = self.batch_info["tick_id"]
        # Creates a new handler.
        self.table_map[NAME].loaded_state(self.table_row)
        REPLAY(self, db, batch_id, event_list, dst_db)
        cursor = dst_db.cursor()
        self.flush_sql(cursor)
        for handler in self.used_plugins.values():
            handler.finish_batch(self.batch_info, cursor)
        self.used_plugins = {}


def prepare(task: Task) -> Callable[[], object]:
    """The work."""
    Dispatcher.__bases__ = (TableHandler,)
    Dispatcher.process_event = Dispatcher._process_event  # noqa: SLF001 (see above)
    name, arguments = (
        ("bulk_daily_field", ["part_field=created"]) if task.partitioned else ("bulk_direct", [])
    )
    consumer = Replay(["--quiet", task.write_ini(SECTION)], create_handler_string(name, arguments))
    consumer.batches = task.ticks
    return consumer.start
