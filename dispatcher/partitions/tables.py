"""Tables of the target: which are there, and how missing partitions are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from ..errors import SetupError, is_infrastructure, one_line
from ..postgres import MAX_BYTES, TableName, lock_key, queries
from . import template
from .period import SUFFIXES, Method, Period


@dataclass(frozen=True, slots=True)
class Wanted:
    """A table that rows are waiting for.

    Attributes:
        table: its name.
        period: the days of the partition, None if the table is not partitioned.
        key: the primary key's columns, as the first event for the table names them.
    """

    table: TableName
    period: Period | None
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewColumn:
    """A column that rows have and their table lacks.

    Attributes:
        table: the table.
        name: the column's name there.
        source_table: table of the source that has it, as ``ev_extra1`` names it; may be empty.
        source_name: its name there.
    """

    table: TableName
    name: str
    source_table: str
    source_name: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table that is there.

    Attributes:
        generated: the table computes it from other columns.
        canonical: a value is always written in the same way, whatever the producer's settings are: integers,
            texts and the like, but no times, fractions or bytes.
    """

    generated: bool
    canonical: bool


class Tables:
    """The tables of one ``dest_table``.

    Args:
        connection: to the target.
        parent: ``dest_table``.
        part_field: source column that names the partition; empty means not partitioned.
        part_method: how long a partition is.
        part_template: SQL that creates a partition.
        time_zone: of the source; the days of cloned partitions are its days.
    """

    def __init__(
        self,
        connection: Connection,
        parent: TableName,
        part_field: str,
        part_method: Method,
        part_template: str,
        time_zone: str,
    ) -> None:
        self._connection = connection
        self._parent = parent
        self._part_field = part_field
        self._suffix = SUFFIXES[part_method]
        self._template = part_template
        self._time_zone = time_zone
        self._known: set[TableName] = set()
        self._views: dict[TableName, bool] = {}
        self._columns: dict[TableName, dict[str, Column]] = {}

    def exists(self, table: TableName) -> bool:
        """Whether the target has the table; a yes is remembered.

        Raises:
            SetupError: the server would cut the name off, and find or create another table.
        """
        if table in self._known:
            return True
        if not table.fits:
            raise SetupError(
                f"cannot load into {table}: the name is longer than PostgreSQL's {MAX_BYTES} bytes"
            )
        with self._connection.cursor() as cursor:
            if not queries.value(cursor, "table_exists", table=table.sql):
                return False
        self._known.add(table)
        return True

    def columns(self, table: TableName, *, anew: bool = False) -> dict[str, Column]:
        """A table's columns by name; remembered unless asked for anew."""
        if anew or table not in self._columns:
            with self._connection.cursor() as cursor:
                found = queries.rows(cursor, "table_columns", table=table.sql)
            self._columns[table] = {
                name: Column(generated, canonical) for name, generated, canonical in found
            }
        return self._columns[table]

    def is_view(self, table: TableName) -> bool:
        """Whether rows have to be inserted one by one, for COPY does not take them; remembered."""
        if table not in self._views:
            with self._connection.cursor() as cursor:
                kind = queries.row(cursor, "table_kind", table=table.sql)
            self._views[table] = kind is not None and kind[0] == "v"
        return self._views[table]

    def roots(self) -> tuple[TableName, ...]:
        """Tables that hold all rows together: ``dest_table`` if it is there, and partitions on their own."""
        parent = self._parent
        with self._connection.cursor() as cursor:
            names = {
                "schema": parent.schema,
                "parent": parent.table,
                "table": parent.sql,
                "suffix": self._suffix,
            }
            apart = queries.rows(cursor, "partitions_apart", **names) if self._part_field else []
            there = queries.value(cursor, "table_exists", table=parent.sql)
        return (*([parent] if there else []), *(TableName(parent.schema, name) for (name,) in apart))

    def add_column(self, column: NewColumn, type_: str) -> None:
        """Add a column in a transaction of its own, to ``dest_table`` and hence to its children.

        No transaction may be open, as for `create`.

        Args:
            column: what is missing.
            type_: its type as SQL; where the target does not know it, ``text`` is taken.

        Raises:
            SetupError: it cannot be added, and why.
        """
        try:
            try:
                self._add_column(column, type_)
            except (psycopg2.errors.UndefinedObject, psycopg2.errors.InvalidSchemaName):
                self._add_column(column, "text")
        except psycopg2.Error as error:
            if is_infrastructure(error) or self._connection.closed:
                raise
            raise SetupError(
                f"cannot add column {column.name} to {column.table}: {one_line(error)}"
            ) from error

    def _add_column(self, column: NewColumn, type_: str) -> None:
        add = "alter table {table} add column if not exists {name} {type}"
        with self._connection, self._connection.cursor() as cursor:
            for table in (self._parent, column.table):
                if queries.value(cursor, "table_exists", table=table.sql) and column.name not in self.columns(
                    table, anew=True
                ):
                    cursor.execute(
                        sql.SQL(add).format(
                            table=sql.SQL(table.sql), name=sql.Identifier(column.name), type=sql.SQL(type_)
                        )
                    )
        self._columns.clear()

    def create(self, wanted: Wanted) -> bool:
        """Create the table in a transaction of its own; returns False if another job was faster.

        No transaction may be open: a batch's locks could wait for the new table's and never end.

        Raises:
            SetupError: it cannot be created, and why.
        """
        table = wanted.table
        try:
            with self._connection, self._connection.cursor() as cursor:
                queries.run(cursor, "lock_transaction", key=lock_key("table", table.schema, table.table))
                if queries.value(cursor, "table_exists", table=table.sql):
                    return False
                for statement in self.statements(wanted):
                    cursor.execute(statement)
                if not queries.value(cursor, "table_exists", table=table.sql):
                    raise SetupError(f"cannot create table {table}: part_template does not create it")
        except psycopg2.Error as error:
            # A process that does not know our lock may have been faster.
            if is_infrastructure(error) or self._connection.closed:
                raise
            with self._connection:
                if self.exists(table):
                    return False
            raise SetupError(f"cannot create table {table}: {one_line(error)}") from error
        return True

    def statements(self, wanted: Wanted) -> tuple[str, ...]:
        """The SQL that creates the table, to be run in one transaction; nothing of it is run here.

        Raises:
            SetupError: there is no way to create it.
        """
        # What a template says was written for the database's own style.
        style = "set local DateStyle to default"
        if self._template.strip():
            return style, self._from_template(wanted)
        with self._connection.cursor() as cursor:
            kind = queries.row(cursor, "table_kind", table=self._parent.sql)
        cloner = _CLONERS.get(kind[0]) if kind and self._part_field else None
        if cloner is None:
            reason = "is no table that can be cloned" if kind else "does not exist in the target database"
            raise SetupError(
                f"cannot create tables for {self._parent}: it {reason}, and there is no part_template"
            )
        # Bounds of a timestamptz column are moments; the values of its days come from the source.
        zone = sql.SQL("set local TimeZone to {}").format(sql.Literal(self._time_zone))
        clone = [statement.as_string(self._connection) for statement in (zone, *cloner(self._parent, wanted))]
        return style, *clone

    def _from_template(self, wanted: Wanted) -> str:
        try:
            return template.expand(self._template, wanted.table, self._parent, wanted.key)
        except ValueError as error:
            raise SetupError(f"cannot create table {wanted.table}: {error}") from error


def _attach(parent: TableName, wanted: Wanted) -> Iterator[sql.Composable]:
    """Clone a native partitioned table; ATTACH locks the parent less than CREATE … PARTITION OF."""
    assert wanted.period is not None
    names = {"table": sql.SQL(wanted.table.sql), "parent": sql.SQL(parent.sql)}
    create = (
        "create table {table} (like {parent} including defaults including generated "
        "including constraints including storage)"
    )
    attach = "alter table {parent} attach partition {table} for values from ({start}) to ({end})"
    yield sql.SQL(create).format(**names)
    bounds = {
        "start": sql.Literal(wanted.period.start.isoformat()),
        "end": sql.Literal(wanted.period.end.isoformat()),
    }
    yield sql.SQL(attach).format(**names, **bounds)


def _inherit(parent: TableName, wanted: Wanted) -> Iterator[sql.Composable]:
    """Clone an ordinary table, its keys and indexes included, as its child."""
    names = {"table": sql.SQL(wanted.table.sql), "parent": sql.SQL(parent.sql)}
    create = "create table {table} (like {parent} including all excluding generated) inherits ({parent})"
    yield sql.SQL(create).format(**names)


_CLONERS: dict[str, Callable[[TableName, Wanted], Iterator[sql.Composable]]] = {"p": _attach, "r": _inherit}

CLONEABLE = frozenset(_CLONERS)
"""What ``dest_table`` may be to be cloned, by ``pg_class.relkind``."""
