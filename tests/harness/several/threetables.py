"""Three tables that feed one queue, and a job that loads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.rows.job import Keys, drain, job_keys
from harness.servers.database import Database
from harness.servers.queue import Queue

Sections = Mapping[str, Mapping[str, str]]


class Several:
    """Tables ``a`` and ``b`` of the source, and ``c`` in schema ``more``, which feed one queue.

    Args:
        queue: an existing one.
        target: the database to load, which gets the same tables.
    """

    def __init__(self, queue: Queue, target: Database) -> None:
        self.source, self.target, self.queue = queue.source, target, queue
        for database in (self.source, target):
            database.execute("create schema more")
            for name in ("a", "b", "more.c"):
                database.execute(f"create table {name} (id int primary key, day date, note text)")
        for name in ("a", "b", "more.c"):
            queue.attach(name)

    def drain(self, sections: Sections, **keys: object) -> Mapping[str, Any]:
        """Run a job with some sections until the queue is empty."""
        return drain(**self.keys(sections, **keys))

    def keys(self, sections: Sections, **keys: object) -> Keys:
        """Keys of such a job."""
        named = {**job_keys(self.source, self.target, queue=self.queue.name), "tables": sections, **keys}
        if "dest_table" not in keys:
            del named["dest_table"]
        return named

    def run(self, *statements: str) -> None:
        """Run statements on the source, in one tick."""
        for statement in statements:
            self.source.execute(statement)
        self.queue.tick()

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """The rows of a table of the target."""
        return self.target.rows(f"select * from {table} order by 1")

    def same(self, *tables: str) -> bool:
        """Whether tables are the same in both databases."""
        return all(
            self.rows(table) == self.source.rows(f"select * from {table} order by 1") for table in tables
        )
