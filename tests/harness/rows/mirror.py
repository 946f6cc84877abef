"""A table whose every change a job brings to the target, by any of PgQ's triggers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.rows.pipeline import Pipeline, Table
from harness.servers.database import Database
from harness.servers.queue import Queue

TRIGGERS = ("logutriga", "jsontriga", "sqltriga")
"""PgQ's trigger functions, one for each format of events."""

COLUMNS = "id int, k2 text, day date, txt text, n numeric"

KEYED = f"{COLUMNS}, primary key (id, k2)"


class Mirror(Pipeline):
    """A table ``t`` with a key of two columns, loaded by day; its consumer is registered.

    Args:
        source: database of the queue.
        target: database of the partitions.
        trigger: which of PgQ's triggers writes the events.
        arguments: of the trigger. Without any, truncates are events too.
    """

    def __init__(self, source: Database, target: Database, trigger: str, *arguments: str) -> None:
        queue = Queue(source, "q")
        queue.create()
        super().__init__(
            queue,
            target,
            Table(columns=KEYED, parent=COLUMNS),
            (trigger, *arguments),
            part_field="day",
            part_template="create table _DEST_TABLE (like t including defaults, primary key (id, k2)) "
            "inherits (t)",
        )
        if not arguments:
            queue.attach_truncate("t", trigger)
        self.drain()

    def drain(self, **changes: object) -> Mapping[str, Any]:
        """Make a tick and run the job until its queue is empty; returns its last numbers."""
        self.queue.tick()
        return super().drain(**changes)

    def rows(self) -> list[tuple[object, ...]]:
        """What the target has, with the partition of each row."""
        return self.target.rows("select tableoid::regclass::text, t.* from t order by id, k2")

    def agree(self) -> bool:
        """Whether the target's rows are the source's, each in the partition of its day."""
        wanted = self.source.rows("select 't_' || to_char(day, 'YYYY_MM_DD'), t.* from t order by id, k2")
        return self.rows() == wanted
