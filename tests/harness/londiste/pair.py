"""Two targets of one table: a job of ours loads the one, Londiste the other."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from harness.londiste.stories import Batch
from harness.londiste.worker import NAME, Worker, attach, install
from harness.rows.job import drain, job_keys
from harness.servers.database import Database
from harness.servers.queue import Queue

Row = tuple[str | None, ...]
"""The name of a row's table, and its cells."""

COLUMNS = "id int, kind text, created timestamp, txt text, n numeric"
"""Those of the table."""

KEY = ", primary key (id, kind)"

TABLES = (
    "select oid::regclass::text from pg_class where relkind = 'r' "
    f"and relnamespace = 'public'::regnamespace and starts_with(relname, '{NAME}') order by 1"
)
"""Finds the table and its partitions, whether they are its children or not."""

CELLS = ("id", "kind", "created", "txt", "n")
"""Names of its columns."""

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Mode:
    """A way to load a table, as both programs are told it.

    Attributes:
        handler: Londiste's.
        arguments: of the handler.
        keys: of the job, beside those that name databases, queue and table.
    """

    handler: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_log(self) -> bool:
        """Whether a row may be there more than once."""
        return self.keys.get("row_mode") == "keep_all"


class Pair:
    """The table in the source, with Londiste's triggers, and in both targets.

    Args:
        queue: an existing queue to which nobody else makes ticks.
        ours: the target of the job.
        theirs: the target of Londiste.
    """

    def __init__(self, queue: Queue, ours: Database, theirs: Database) -> None:
        self.queue, self.source, self.ours, self.theirs = queue, queue.source, ours, theirs
        self._events = self.source.value("select pgq.current_event_table(%s)", queue.name)
        for database in (self.source, theirs):
            install(database)

    def play(self, mode: Mode, *batches: Batch, columns: str = COLUMNS, parent: str | None = None) -> None:
        """Make all tables anew, register both consumers, and make events that nobody loads yet.

        Args:
            mode: how the table will be loaded.
            batches: what happens to the table.
            columns: those of the source's table, without its key.
            parent: columns of the targets' tables, with their key; None: the same, and a log has no key.
        """
        self._mode = mode
        self.source.execute(f"drop table if exists {NAME}; create table {NAME} ({columns}{KEY})")
        attach(self.queue)
        if parent is None:
            parent = columns if mode.is_log else columns + KEY
        for database in (self.ours, self.theirs):
            for table in database.column(TABLES):
                database.execute(f"drop table if exists {table} cascade")
            database.execute(f"create table {NAME} ({parent})")
        number = next(_numbers)
        self._job, self._consumer = f"job{number}", f"londiste{number}"
        for name in (self._job, self._consumer):
            self.source.execute("select pgq.register_consumer(%s, %s)", self.queue.name, name)
        for batch in batches:
            self.batch(batch)

    def batch(self, batch: Batch) -> None:
        """Run statements just before a midnight; the batch of their events ends just after it."""
        last = self.source.value(f"select coalesce(max(ev_id), 0) from {self._events}")
        for statement in batch.statements:
            self.source.execute(statement)
        self.source.execute(
            f"update {self._events} set ev_time = %s where ev_id > %s", f"{batch.day} 23:50:00", last
        )
        self.queue.tick()
        self.source.execute(
            "update pgq.tick set tick_time = %s where tick_id = (select max(tick_id) from pgq.tick)",
            f"{date.fromisoformat(batch.day) + timedelta(days=1)} 00:10:00",
        )

    def load_theirs(self) -> None:
        """Let Londiste load what there is."""
        mode = self._mode
        Worker(self.queue, self._consumer, self.theirs, mode.handler, mode.arguments).run()

    def load_ours(self) -> Mapping[str, Any]:
        """Let the job do so, as it does while behind; returns its numbers."""
        keys = {"job_name": self._job, "start": "registered", **self._mode.keys}
        return drain(**job_keys(self.source, self.ours, queue=self.queue.name, table=NAME, **keys))


def rows(database: Database, columns: Iterable[str] = CELLS) -> Counter[Row]:
    """What a target has, and how often."""
    cells = ", ".join(f"{name}::text" for name in columns)
    found: Counter[Row] = Counter()
    for table in database.column(TABLES):
        found.update(database.rows(f"select tableoid::regclass::text, {cells} from only {table}"))
    return found
