"""Two databases: a source with a full queue, and a target that is emptied before each contestant."""

from __future__ import annotations

import io
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg2
from psycopg2.extensions import connection as Connection
from tdsup.sandbox import Cluster, Sandbox

from .case import TABLE, Case
from .contestants.rows import RowsWriter
from .contestants.task import QUEUE, Task

sys.path.append(str(Path(__file__).parents[2] / "tests"))

from harness.servers.pgq_ext import PGQ_EXT

DATABASE = "bench"


@dataclass(frozen=True)
class Size:
    """How much is in the queue: `ticks` ticks of `tick` events."""

    ticks: int
    tick: int

    @classmethod
    def of(cls, case: Case, events: int) -> Size:
        """The number of whole ticks that comes closest to a number of events."""
        return cls(max(1, events // case.tick), min(case.tick, events))

    @property
    def events(self) -> int:
        """Events in the queue."""
        return self.ticks * self.tick


class Workload:
    """A case's databases, filled; a context manager that drops them at the end.

    Args:
        box: the servers; its ticker must not run, because ticks of a set size are made here.
        case: what they contain.
        size: how much.
        directory: for the contestants' files.
    """

    def __init__(self, box: Sandbox, case: Case, size: Size, directory: Path) -> None:
        self.case = case
        self.size = size
        self._clusters = (box.source, box.target)
        self._directory = directory

    def __enter__(self) -> Self:
        self._source, self._target = map(_create, self._clusters)
        self._fill()
        with self._target.cursor() as cursor:
            for statement in self.case.create_target:
                cursor.execute(statement)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in (self._source, self._target):
            connection.close()
        for cluster in self._clusters:
            cluster.drop_database(DATABASE)

    def task(self, consumer: str, ticks: int, *, pgq_ext: bool) -> Task:
        """Empty the target and register the consumer before the first event; returns its task.

        Args:
            consumer: its name.
            ticks: how many to load.
            pgq_ext: whether the target gets that schema, for the consumer's position.
        """
        with self._target.cursor() as cursor:
            cursor.execute(f"truncate {TABLE}")
            for schema in ("tdsup", "pgq_ext"):
                cursor.execute(f"drop schema if exists {schema} cascade")
            if pgq_ext:
                cursor.execute(PGQ_EXT.read_text(encoding="utf-8"))
        with self._source.cursor() as cursor:
            cursor.execute("select pgq.register_consumer_at(%s, %s, %s)", (QUEUE, consumer, self._first))
        # So that no contestant has to write what another one left dirty.
        for connection in (self._source, self._target):
            with connection.cursor() as cursor:
                cursor.execute("checkpoint")
        source, target = (cluster.dsn(DATABASE) for cluster in self._clusters)
        partitioned = self.case.kind != "unpartitioned"
        return Task(consumer, source, target, ticks, partitioned, str(self._directory))

    def rows(self) -> int:
        """How many rows the target has."""
        return int(_value(self._target, f"select count(*) from {TABLE}"))

    def _fill(self) -> None:
        with self._source.cursor() as cursor:
            cursor.execute(f"{self.case.create}; alter table {TABLE} add primary key (id)")
            cursor.execute("select pgq.create_queue(%s)", (QUEUE,))
            # A forced tick would make the queue's event count jump.
            cursor.execute("select pgq.set_queue_config(%s, 'ticker_max_count', '1')", (QUEUE,))
            cursor.execute(
                f"create trigger queue after insert on {TABLE} "
                f"for each row execute function pgq.logutriga('{QUEUE}')"
            )
        self._first = _value(self._source, "select max(tick_id) from pgq.tick")
        with RowsWriter(self._directory) as rows:
            for first in range(1, self.size.events + 1, self.size.tick):
                last = first + self.size.tick - 1
                with self._source.cursor() as cursor:
                    cursor.execute(self.case.insert(first, last))
                    cursor.execute("select pgq.ticker(%s)", (QUEUE,))
                rows.add(self._decoded(first, last))
        ticks = _value(self._source, "select max(tick_id) from pgq.tick") - self._first
        assert ticks == self.size.ticks, f"{ticks} ticks instead of {self.size.ticks}"
        # Otherwise the first reader of an event would set the hint bits for all later ones.
        with self._source.cursor() as cursor:
            cursor.execute("vacuum analyze")

    def _decoded(self, first: int, last: int) -> dict[str, bytes]:
        """COPY text of source rows, by the table they go to."""
        text = io.BytesIO()
        with self._source.cursor() as cursor:
            cursor.copy_expert(
                f"copy (select {self.case.table_of_row}, * from {TABLE} "
                f"where id between {first} and {last} order by id) to stdout",
                text,
            )
        tables: defaultdict[str, list[bytes]] = defaultdict(list)
        for line in text.getvalue().splitlines(keepends=True):
            table, _, row = line.partition(b"\t")
            tables[table.decode()].append(row)
        return {table: b"".join(lines) for table, lines in tables.items()}


def _create(cluster: Cluster) -> Connection:
    cluster.create_database(DATABASE)
    connection = psycopg2.connect(cluster.dsn(DATABASE))
    connection.autocommit = True
    return connection


def _value(connection: Connection, query: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query)
        (value,) = cursor.fetchone() or (None,)
    return value
