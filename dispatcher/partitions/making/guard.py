"""The default partition of a parent, which must hold no row of a partition that is attached beside it.

PostgreSQL makes sure of that by reading the whole default partition while nobody may use it, unless a
validated CHECK of it says so already (its manual, ALTER TABLE, ATTACH PARTITION). Such a CHECK is added
without a look at the rows, under a short lock, and then validated, which locks nobody out; the transaction
that attaches drops it.

Until then no session can put a row of the new partition into the default one. A process that dies meanwhile
leaves the CHECK, which the next one that makes the partition finds; or nobody makes it any more, and a job
whose row is refused by it drops it. Its name tells the lock that whoever makes the partition holds.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import psycopg2
from psycopg2 import sql
from psycopg2.errors import CheckViolation, InsufficientPrivilege

from ...errors import GUARD, SetupError, is_infrastructure
from ...postgres import Connection, TableName, lock_key, queries
from ..missing import MissingTable
from .clones import WITHIN

_DIGITS = 16
"""Of a key or a digest in a name, in hexadecimal."""

OUTSIDE = "{column} operator(pg_catalog.<) {start} or {column} operator(pg_catalog.>=) {end}"
"""That a value is not within them."""


@dataclass(frozen=True, slots=True)
class DefaultPartition:
    """A default partition.

    Attributes:
        table: its name.
        column: the column by whose range its parent is partitioned.
    """

    table: TableName
    column: str

    @classmethod
    def of(cls, connection: Connection, parent: TableName) -> DefaultPartition | None:
        """The default partition of a parent that is partitioned by the range of a column; None: none."""
        with connection.cursor() as cursor:
            found = queries.row(cursor, "default_partition", table=parent.sql)
        return cls(TableName(*found[:2]), found[2]) if found else None


class Guard:
    """A CHECK that keeps the rows of a new partition out of the default one.

    Whoever uses it holds the lock on the creation of the new one. As a context, it is taken down if that
    fails for good; where a later try may succeed, it stays for that.

    Args:
        connection: to the target; no transaction may be open.
        default: the default partition.
        missing: the new one.
        time_zone: in which its bounds are meant.
    """

    def __init__(
        self, connection: Connection, default: DefaultPartition, missing: MissingTable, time_zone: str
    ) -> None:
        self._connection = connection
        self._default = default
        self._zone = sql.SQL("set local TimeZone to {}; ").format(sql.Literal(time_zone))
        self._bounds = dict(
            zip(("start", "end"), map(sql.Literal, missing.bounds), strict=True),
            column=sql.Identifier(default.column),
        )
        self._stem = f"{GUARD}{turn_key(missing.table) % 2**64:0{_DIGITS}x}_"
        self._name = self._stem + _digest(*missing.bounds, time_zone)
        self._is_up = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        is_final = isinstance(error, SetupError) or (
            isinstance(error, psycopg2.Error) and not is_infrastructure(error)
        )
        if is_final and not self._connection.closed:
            self.take_down()

    def put_up(self) -> bool:
        """Keep rows out; returns False if there are some already: then the partition cannot be made.

        If the role may not change the default partition, rows may still come.

        Raises:
            psycopg2.Error: of a statement, such as a lock that somebody else holds.
        """
        try:
            if self._has_rows():
                self.take_down()
                return False
            if not self._add():
                self._run(self._altering("validate constraint {name}"))
        except CheckViolation:
            # Rows have come in between.
            self.take_down()
            return False
        except InsufficientPrivilege:
            return True
        self._is_up = True
        return True

    def _has_rows(self) -> bool:
        query = f"select from {{table}} where {WITHIN} limit 1"
        look = sql.SQL(query).format(table=sql.SQL(self._default.table.sql), **self._bounds)
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(self._zone)
            return queries.change(cursor, look) > 0

    def _add(self) -> bool:
        """Add the CHECK, in the place of others that were left; returns whether a validated one was left."""
        with self._connection, self._connection.cursor() as cursor:
            known = {"table": self._default.table.sql, "stem": self._stem}
            left = dict(queries.rows(cursor, "guards_left", **known))
        validated = left.pop(self._name, None)
        for name in left:
            self._run(self._altering("drop constraint if exists {name}", name))
        if validated is None:
            # Rows without a value are in the default partition by right.
            check = f"({{column}} is null or {OUTSIDE})"
            self._run(self._zone + self._altering(f"add constraint {{name}} check {check} not valid"))
        return bool(validated)

    def take_down(self) -> None:
        """Drop the CHECK, and any that was left for the same partition."""
        _drop(self._connection, self._default.table, self._stem)

    @property
    def without(self) -> tuple[sql.Composable, ...]:
        """What drops the CHECK in the transaction that attaches the partition."""
        return (self._altering("drop constraint if exists {name}"),) if self._is_up else ()

    def _altering(self, what: str, name: str = "") -> sql.Composable:
        statement = sql.SQL("alter table {table} " + what)
        table, named = sql.SQL(self._default.table.sql), sql.Identifier(name or self._name)
        return statement.format(table=table, name=named, **self._bounds)

    def _run(self, statement: sql.Composable) -> None:
        _run(self._connection, statement)


def turn_key(table: TableName) -> int:
    """Key of the advisory lock that a session holds while it makes a table."""
    return lock_key("table", table.schema, table.table)


def drop_left(connection: Connection, error: psycopg2.Error) -> bool:
    """Drop the CHECK that has refused a row, unless somebody makes its partition; returns whether it did.

    Args:
        connection: to the target, which is closed next; its transaction is rolled back.
        error: the server's.
    """
    said = error.diag
    if not (found := _NAMED.fullmatch(said.constraint_name or "")):
        return False
    key = int.from_bytes(bytes.fromhex(found["key"]), "big", signed=True)
    try:
        connection.rollback()
        with connection, connection.cursor() as cursor:
            if not queries.value(cursor, "try_lock_session", key=key):
                return False
            refused_in = TableName(said.schema_name or "", said.table_name or "")
            default = queries.row(cursor, "guarded", table=refused_in.sql, name=found[0])
        if default is not None:
            _drop(connection, TableName(*default), found["stem"])
    except psycopg2.Error:
        # Not the owner, or a lock: the next try meets it again.
        return False
    return True


_NAMED = re.compile(rf"(?P<stem>{GUARD}(?P<key>[0-9a-f]{{{_DIGITS}}})_)[0-9a-f]{{{_DIGITS}}}")
"""The name of such a CHECK."""


def _drop(connection: Connection, table: TableName, stem: str) -> None:
    """Drop the CHECKs of a table whose names begin so."""
    with connection, connection.cursor() as cursor:
        left = [name for name, _ in queries.rows(cursor, "guards_left", table=table.sql, stem=stem)]
    statement = sql.SQL("alter table {table} drop constraint if exists {name}")
    for name in left:
        _run(connection, statement.format(table=sql.SQL(table.sql), name=sql.Identifier(name)))


def _run(connection: Connection, statement: sql.Composable) -> None:
    """Run a statement in a transaction of its own, without a long wait for its lock."""
    with connection, connection.cursor() as cursor:
        queries.run(cursor, "wait_briefly")
        cursor.execute(queries.for_users(statement))


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:_DIGITS]
