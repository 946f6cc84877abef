"""Missing tables and columns of the target, made as rows need them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg2
from psycopg2 import sql
from psycopg2.errors import LockNotAvailable

from ..errors import Outage, SetupError, is_infrastructure, one_line
from ..postgres import Connection, TableName, lock_key, queries
from . import template
from .missing import TEXT, ColumnType, MissingColumn, MissingTable
from .partitioning import Partitioning
from .tables import Tables

_TAKEN = frozenset({"23514", "42501"})
"""SQLSTATEs of a partition that cannot be attached beside a default one: it has such rows; no right to."""


class TableMaker:
    """Makes the tables and columns that one job needs, each in a transaction of its own.

    Args:
        connection: to the target; no transaction may be open when something is made, as the locks of a batch
            and of a new table could wait for each other.
        tables: the tables of the target, looked up over the same connection.
        partitioning: how ``dest_table`` is partitioned.
        time_zone: of the source; the days of cloned partitions are days there.
    """

    def __init__(
        self, connection: Connection, tables: Tables, partitioning: Partitioning, time_zone: str
    ) -> None:
        self._connection = connection
        self._tables = tables
        self._partitioning = partitioning
        self._time_zone = time_zone

    def create(self, missing: MissingTable) -> bool:
        """Create a table; returns False if another job was faster.

        Raises:
            SetupError: it cannot be created, and why.
            Outage: somebody holds the lock on its creation.
        """
        table = missing.table
        self._tables.forget_places()
        try:
            with self._connection, self._connection.cursor() as cursor:
                key = lock_key("table", table.schema, table.table)
                queries.run(cursor, "wait_at_most", "lock_transaction", "wait_as_before", key=key)
                if queries.value(cursor, "table_exists", table=table.sql):
                    return False
                for statement in self.statements(missing):
                    cursor.execute(queries.for_users(sql.SQL(statement)))
                if not queries.value(cursor, "table_exists", table=table.sql):
                    raise SetupError(f"cannot create table {table}: part_template does not create it")
                # Its commit may run code of users, too.
                queries.run(cursor, "users_names")
        except LockNotAvailable as error:
            raise Outage(f"cannot create table {table}: {self._holder(table)}", "target", True) from error
        except psycopg2.Error as error:
            if is_infrastructure(error) or self._connection.closed:
                raise
            if self._is_needless(missing, error):
                return False
            raise SetupError(f"cannot create table {table}: {one_line(error)}") from error
        return True

    def _is_needless(self, missing: MissingTable, error: psycopg2.Error) -> bool:
        """Whether rows can be loaded without a table that could not be created."""
        period = missing.period
        with self._connection:
            # A process that does not take our lock may have been faster.
            if self._tables.exists(missing.table):
                return True
            if period is None:
                return False
            otherwise = self._tables.place(period).otherwise
            # The default partition has rows of the period, or nobody may attach one: it takes these, too.
            self._tables.forget_places(full=period if otherwise and error.pgcode in _TAKEN else None)
            return self._tables.place(period).table is not None

    def rehearse(self, missing: MissingTable) -> tuple[frozenset[str], ...]:
        """Create a table and undo that; returns the columns of its unique indexes.

        Raises:
            SetupError: it cannot be created, and why.
            psycopg2.Error: the infrastructure failed.
        """
        try:
            with self._connection.cursor() as cursor:
                queries.run(cursor, "wait_at_most")
                for statement in self.statements(missing):
                    cursor.execute(queries.for_users(sql.SQL(statement)))
            return self._tables.uniqueness.columns(missing.table)
        except psycopg2.Error as error:
            if is_infrastructure(error) or self._connection.closed:
                raise
            raise SetupError(f"cannot create table {missing.table}: {one_line(error)}") from error
        finally:
            if not self._connection.closed:
                self._connection.rollback()

    def _holder(self, table: TableName) -> str:
        """Who keeps others from creating a table."""
        with self._connection, self._connection.cursor() as cursor:
            found = queries.row(cursor, "lock_holder", key=lock_key("table", table.schema, table.table))
        if found is None:
            return "a lock that it takes was held for too long"
        pid, application, address = found
        return f"{application} (backend {pid}, {address}) holds the lock on its creation"

    def statements(self, missing: MissingTable) -> tuple[str, ...]:
        """The SQL that creates a table, to be run in one transaction; none of it is run here.

        Raises:
            SetupError: there is no way to create it.
        """
        # A template was written for the database's own style of dates.
        style = "set local DateStyle to default"
        if self._partitioning.template.strip():
            return style, self._from_template(missing)
        parent = self._partitioning.parent
        kind = self._tables.kind(parent)
        cloner = _CLONERS.get(kind) if kind and self._partitioning.field else None
        if cloner is None:
            reason = "is no table that can be cloned" if kind else "does not exist in the target database"
            raise SetupError(f"cannot create tables for {parent}: it {reason}, and there is no part_template")
        # The bounds of a timestamptz column are moments; the days of its values are the source's.
        zone = sql.SQL("set local TimeZone to {}").format(sql.Literal(self._time_zone))
        session = self._connection.session
        clone = [statement.as_string(session) for statement in (zone, *cloner(parent, missing))]
        return style, *clone, *(self._details(missing.table) if kind == "r" else ())

    def _details(self, table: TableName) -> Iterator[str]:
        """What gives a child all that users of its parent expect."""
        with self._connection.cursor() as cursor:
            parent = self._partitioning.parent.sql
            for (statement,) in queries.rows(cursor, "clone_details", parent=parent, child=table.sql):
                yield statement

    def _from_template(self, missing: MissingTable) -> str:
        parent = self._partitioning.parent
        known = self._tables.columns(parent) if self._partitioning.names_key else {}
        if reason := self._partitioning.why_no_key(missing.key, known):
            raise SetupError(f"cannot create table {missing.table}: {reason}")
        try:
            return template.expand(self._partitioning.template, missing.table, parent, missing.key)
        except ValueError as error:
            raise SetupError(f"cannot create table {missing.table}: {error}") from error

    def add_column(self, missing: MissingColumn, type_: ColumnType) -> str:
        """Add a column to ``dest_table``, which passes it on to its children, or to a table on its own.

        Args:
            missing: the column.
            type_: its type; text is taken if the target has none of its name, or it is none for a column.

        Returns:
            The type that it has, as SQL.

        Raises:
            SetupError: it cannot be added, and why.
        """
        try:
            try:
                return self._add_column(missing, type_)
            except psycopg2.DataError:
                # The type takes no such modifier here.
                return self._add_column(missing, TEXT)
        except psycopg2.Error as error:
            if is_infrastructure(error) or self._connection.closed:
                raise
            raise SetupError(
                f"cannot add column {missing.name} to {missing.table}: {one_line(error)}"
            ) from error

    def _add_column(self, missing: MissingColumn, type_: ColumnType) -> str:
        add = "alter table {table} add column if not exists {name} {type}"
        with self._connection, self._connection.cursor() as cursor:
            known = {"schema": type_.schema, "name": type_.name, "modifier": type_.modifier}
            found = queries.row(cursor, "type_as_sql", **known)
            text: str = found[0] if found else "text"
            for table in (self._partitioning.parent, missing.table):
                there = queries.value(cursor, "table_exists", table=table.sql)
                if there and missing.name not in self._tables.columns(table, fresh=True):
                    # Triggers on events may run, but the type's name is ours.
                    queries.run(cursor, "users_names_behind")
                    cursor.execute(
                        sql.SQL(add).format(
                            table=sql.SQL(table.sql), name=sql.Identifier(missing.name), type=sql.SQL(text)
                        )
                    )
                    queries.run(cursor, "own_names")
        self._tables.forget_columns()
        return text


def _attach(parent: TableName, missing: MissingTable) -> Iterator[sql.Composable]:
    """Clone a native partitioned table; ATTACH locks the parent less than CREATE … PARTITION OF."""
    assert missing.period is not None
    names = {"table": sql.SQL(missing.table.sql), "parent": sql.SQL(parent.sql)}
    create = (
        "create table {table} (like {parent} including defaults including generated "
        "including constraints including storage)"
    )
    attach = "alter table {parent} attach partition {table} for values from ({start}) to ({end})"
    yield sql.SQL(create).format(**names)
    start, end = missing.period.start.isoformat(), missing.period.end.isoformat()
    if missing.gap:
        start, end = missing.gap.start_text, missing.gap.end_text
    yield sql.SQL(attach).format(**names, start=sql.Literal(start), end=sql.Literal(end))


def _inherit(parent: TableName, missing: MissingTable) -> Iterator[sql.Composable]:
    """Clone an ordinary table as its child, with its keys and indexes."""
    names = {"table": sql.SQL(missing.table.sql), "parent": sql.SQL(parent.sql)}
    create = "create table {table} (like {parent} including all excluding generated) inherits ({parent})"
    yield sql.SQL(create).format(**names)


_CLONERS: dict[str, Callable[[TableName, MissingTable], Iterator[sql.Composable]]] = {
    "p": _attach,
    "r": _inherit,
}

CLONEABLE = frozenset(_CLONERS)
"""What ``dest_table`` may be to be cloned, by ``pg_class.relkind``."""
