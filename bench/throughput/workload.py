"""The databases of a case: a source with a full queue, and a target that each contestant finds as it was."""

from __future__ import annotations

import io
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from tdsup.sandbox import Sandbox

from .case import TABLE, Case
from .contestants.rows import RowsWriter
from .contestants.task import PUBLICATION, QUEUE, SLOT, Task
from .databases import BEFORE, Databases, value
from .work import MOVE, Ticks

sys.path.append(str(Path(__file__).parents[2] / "tests"))

from harness.paths import PGQ_EXT


class Workload:
    """A case's databases, filled; a context manager that drops them at the end.

    Args:
        box: the servers; its ticker must not run, because ticks of a set size are made here.
        case: what they contain.
        ticks: how much.
        directory: for the contestants' files.
        logical: whether there is another pair of databases, for logical replication. It has no queue.

    Attributes:
        case, ticks, logical: as given.
        last_task: the last one that was made.
    """

    def __init__(self, box: Sandbox, case: Case, ticks: Ticks, directory: Path, *, logical: bool) -> None:
        self.case = case
        self.ticks = ticks
        self._box = box
        self._directory = directory
        self.logical = logical

    def __enter__(self) -> Self:
        self._queue = Databases(self._box, "bench", self.case, self.ticks)
        self._fill_queue()
        if self.logical:
            # It does not look into tables that inherit.
            native = replace(self.case, kind="native") if self.case.kind == "inherited" else self.case
            self._native = Databases(self._box, "native", native, self.ticks)
            self._fill_native()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._queue.drop()
        if self.logical:
            value(self._native.source, f"select pg_drop_replication_slot('{SLOT}')")
            self._native.drop()

    def task(self, consumer: str, ticks: int, *, pgq_ext: bool, way: str = "") -> Task:
        """Set the target back, and register the consumer before the first event; returns its task.

        Args:
            consumer: its name.
            ticks: how many to load.
            pgq_ext: whether the target gets that schema, for the consumer's position.
            way: see `Task`.
        """
        self._queue.reset()
        with self._queue.target.cursor() as cursor:
            for schema in ("tdsup", "pgq_ext"):
                cursor.execute(f"drop schema if exists {schema} cascade")
            if pgq_ext:
                cursor.execute(PGQ_EXT.read_text(encoding="utf-8"))
        with self._queue.source.cursor() as cursor:
            cursor.execute("select pgq.register_consumer_at(%s, %s, %s)", (QUEUE, consumer, self._first))
        partitioned = self.case.kind != "unpartitioned"
        self.last_task = Task(consumer, *self._queue.dsns, ticks, partitioned, str(self._directory), way)
        return self.last_task

    def native_task(self, name: str) -> Task:
        """The same for logical replication."""
        self._native.reset()
        dsns, directory = self._native.dsns, str(self._directory)
        return Task(name, *dsns, self.ticks.count, partitioned=False, directory=directory, end=self._end)

    def complaint(self, events: int, *, native: bool = False) -> str:
        """What the target has that it should not have, after some events; empty if nothing."""
        databases = self._native if native else self._queue
        if events < self.ticks.events:
            rows = value(databases.target, f"select count(*) from {TABLE}")
            return "" if rows == events else f"it has loaded {rows} rows instead of {events}"
        source, target = databases.digests()
        return "" if source == target else f"its rows are not the source's: {target} instead of {source}"

    def _fill_queue(self) -> None:
        source = self._queue.source
        with source.cursor() as cursor:
            cursor.execute("select pgq.create_queue(%s)", (QUEUE,))
            # A forced tick would make the queue's event count jump.
            cursor.execute("select pgq.set_queue_config(%s, 'ticker_max_count', '1')", (QUEUE,))
            cursor.execute(
                f"create trigger queue after insert or update or delete on {TABLE} "
                f"for each row execute function pgq.{self.case.trigger}('{QUEUE}')"
            )
        self._first = value(source, "select max(tick_id) from pgq.tick")
        with RowsWriter(self._directory) as rows:

            def tick(number: int) -> None:
                value(source, f"select pgq.ticker('{QUEUE}')")
                if not self.case.work.changes:
                    first = number * self.ticks.size + 1
                    where = f"id between {first} and {first + self.ticks.size - 1}"
                    rows.add(self._texts(f"select {self.case.table_of_row}, * from {TABLE} where {where}"))

            self._queue.fill(tick)
            if self.case.work.changes:
                rows.add(self._folded())
        ticks = value(source, "select max(tick_id) from pgq.tick") - self._first
        assert ticks == self.ticks.count, f"{ticks} ticks instead of {self.ticks.count}"

    def _folded(self) -> dict[str, bytes]:
        """What all events come to: COPY text by operation and table; of what is deleted, its key."""
        both = f"{TABLE} left join {BEFORE} using (id)"
        table = self.case.table_of_row.replace("created", f"{TABLE}.created")
        of_before = self.case.table_of_row.replace("created", f"{BEFORE}.created")
        return {
            **self._texts(f"select 'I ' || {table}, {TABLE}.* from {both} where {BEFORE}.id is null"),
            **self._texts(
                f"select 'U ' || {table}, {TABLE}.* from {both} "
                f"where {BEFORE}.id is not null and {BEFORE}::text <> {TABLE}::text"
            ),
            **self._texts(
                f"select 'D ' || {of_before}, id from {BEFORE} left join {TABLE} using (id) "
                f"where {TABLE}.id is null"
            ),
        }

    def _fill_native(self) -> None:
        source = self._native.source
        with source.cursor() as cursor:
            cursor.execute(f"create publication {PUBLICATION} for table {TABLE}")
            if self.case.work is MOVE:
                # Else the target looks for a row only in the partition where it belongs afterwards.
                cursor.execute(f"alter table {TABLE} replica identity full")
            cursor.execute("select pg_create_logical_replication_slot(%s, 'pgoutput')", (SLOT,))
        self._native.fill()
        self._end = str(value(source, "select pg_current_wal_lsn()"))

    def _texts(self, query: str) -> dict[str, bytes]:
        """COPY text of rows by the first column."""
        text = io.BytesIO()
        with self._queue.source.cursor() as cursor:
            cursor.copy_expert(f"copy ({query} order by id) to stdout", text)
        tables: defaultdict[str, list[bytes]] = defaultdict(list)
        for line in text.getvalue().splitlines(keepends=True):
            table, _, row = line.partition(b"\t")
            tables[table.decode()].append(row)
        return {table: b"".join(lines) for table, lines in tables.items()}
