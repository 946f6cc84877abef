"""A table of the source with trigger and queue, the target, and a job that loads the one into the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.rows.job import Keys, RunningJob, act, drain, job_keys
from harness.rows.oracle import Oracle, Verdict
from harness.servers.database import Database
from harness.servers.queue import Queue

FIRST_DAY = "2026-11-01"
"""The day of row 0 of `Pipeline.insert`."""


@dataclass(frozen=True)
class Table:
    """What both databases call a table, and how it is made in each.

    Attributes:
        name: its name.
        columns: its columns in the source; `Pipeline.insert` fills those of the default.
        parent: its columns in the target; None: the same; empty: the test makes it.
    """

    name: str = "t"
    columns: str = "id int primary key, day date, note text"
    parent: str | None = None


class Pipeline:
    """All that one job needs; the consumer is registered by the first `drain`.

    Args:
        queue: an existing queue.
        target: the database to load.
        table: made in both databases.
        trigger: the function of PgQ that writes the table's changes into the queue, and its arguments.
        keys: of the job, beside those that name databases, queue and table.

    Attributes:
        source: the database of the queue.
    """

    def __init__(
        self,
        queue: Queue,
        target: Database,
        table: Table = Table(),
        trigger: Sequence[str] = ("logutriga",),
        **keys: object,
    ) -> None:
        self.source, self.target, self.queue, self.table = queue.source, target, queue, table
        self._keys = job_keys(self.source, target, queue=queue.name, table=table.name, **keys)
        self._last = 0
        self.source.execute(f"create table {table.name} ({table.columns})")
        parent = table.columns if table.parent is None else table.parent
        if parent:
            target.execute(f"create table {table.name} ({parent})")
        function, *arguments = trigger
        queue.attach(table.name, *arguments, function=function)

    def keys(self, **changes: object) -> Keys:
        """The job's keys, some of them changed."""
        return {**self._keys, **changes}

    def drain(self, **changes: object) -> Mapping[str, Any]:
        """Run the job until its queue is empty; returns its last numbers."""
        return drain(**self.keys(**{"loop_delay": 0, **changes}))

    def running(self, **changes: object) -> RunningJob:
        """The job, to be run in a thread."""
        return RunningJob(**self.keys(**changes))

    def act(self, name: str, *arguments: str, **changes: object) -> list[str]:
        """The lines of an action on the job."""
        return act(name, self.keys(**changes), *arguments)

    def insert(self, count: int, *, days: int = 3, padding: int = 0, tick: bool = True) -> None:
        """Insert further rows; row n is of the n-th day after the first, modulo `days`."""
        self.source.execute(
            f"insert into {self.table.name} "
            f"select g, date '{FIRST_DAY}' + g %% %s, 'note ' || g || repeat('x', %s) "
            "from generate_series(%s, %s) g",
            days,
            padding,
            self._last + 1,
            self._last + count,
        )
        self._last += count
        if tick:
            self.queue.tick()

    def verdict(self, consumer: str = "job") -> Verdict:
        """What the oracle says now."""
        table, queue = self.table.name, self.queue.name
        return Oracle(self.source, self.target, table, queue=queue, consumer=consumer).check()

    def check(self) -> None:
        """Fail unless every row arrived once, and the target's position is the source's."""
        assert (verdict := self.verdict()).clean, verdict
