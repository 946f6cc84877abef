"""A source and a target database of a case, with the same tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection
from tdsup.sandbox import Cluster, Sandbox

from .case import TABLE, Case
from .work import Ticks

BEFORE = "before"
"""Table of both with the rows that are there at first."""

DIGEST = f"select count(*), md5(string_agg({TABLE}::text, E'\\n' order by id)) from {TABLE}"


class Databases:
    """One pair.

    Args:
        box: the servers.
        name: of both databases.
        case: what they contain.
        ticks: how much.

    Attributes:
        source: connection to the source, in autocommit mode.
        target: the same of the target.
    """

    def __init__(self, box: Sandbox, name: str, case: Case, ticks: Ticks) -> None:
        self._clusters = (box.source, box.target)
        self._name = name
        self._case = case
        self._ticks = ticks
        self.source, self.target = (_create(cluster, name) for cluster in self._clusters)
        self._make()

    def _make(self) -> None:
        rows = self._case.rows(1, self._case.work.before(self._ticks))
        with self.source.cursor() as cursor:
            cursor.execute(f"{self._case.create}; alter table {TABLE} add primary key (id)")
            cursor.execute(f"insert into {TABLE} {rows}; create table {BEFORE} as select * from {TABLE}")
        with self.target.cursor() as cursor:
            for statement in self._case.create_target:
                cursor.execute(statement)
            cursor.execute(f"create table {BEFORE} (like {TABLE}); insert into {BEFORE} {rows}")

    @property
    def dsns(self) -> tuple[str, str]:
        """Connection strings of source and target."""
        source, target = (cluster.dsn(self._name) for cluster in self._clusters)
        return source, target

    def fill(self, after: Callable[[int], object] = lambda _tick: None) -> None:
        """Do the work on the source, each tick in a transaction; `after` is called with each one's number."""
        for number in range(self._ticks.count):
            with self.source.cursor() as cursor:
                cursor.execute(self._case.work.sql(self._case, self._ticks, number))
            after(number)
        with self.source.cursor() as cursor:
            # Otherwise the first reader of a row would set the hint bits for all later ones.
            cursor.execute("vacuum analyze")

    def reset(self) -> None:
        """Let the target have the rows that are there at first, and nothing be dirty."""
        with self.target.cursor() as cursor:
            for statement in self._case.refill(BEFORE):
                cursor.execute(statement)
            cursor.execute("vacuum analyze")
        for connection in (self.source, self.target):
            with connection.cursor() as cursor:
                cursor.execute("checkpoint")

    def digests(self) -> tuple[Any, Any]:
        """What the rows of source and target are, all told."""
        return value(self.source, DIGEST), value(self.target, DIGEST)

    def drop(self) -> None:
        """Remove both."""
        for connection in (self.source, self.target):
            connection.close()
        for cluster in self._clusters:
            cluster.drop_database(self._name)


def _create(cluster: Cluster, name: str) -> Connection:
    cluster.create_database(name)
    return connected(cluster, name)


def connected(cluster: Cluster, name: str) -> Connection:
    """A connection to a database, in autocommit mode."""
    connection = psycopg2.connect(cluster.dsn(name))
    connection.autocommit = True
    return connection


def value(connection: Connection, query: str) -> Any:
    """The only row of a query's result; its value, if it has only one."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone() or (None,)
    return row[0] if len(row) == 1 else row
