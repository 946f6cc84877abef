"""Tables of the target: which are there, and how missing partitions are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from . import queries, template
from .errors import SetupError, is_infrastructure, one_line
from .identifier import MAX_BYTES, TableName
from .partition import Period
from .position import lock_key


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


class Tables:
    """The tables of one ``dest_table``."""

    def __init__(
        self, connection: Connection, parent: TableName, part_field: str, part_template: str
    ) -> None:
        self._connection = connection
        self._parent = parent
        self._part_field = part_field
        self._template = part_template
        self._known: set[TableName] = set()

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
                self._builder(cursor)(cursor, wanted)
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

    def _builder(self, cursor: Cursor) -> Callable[[Cursor, Wanted], None]:
        if self._template.strip():
            return self._from_template
        kind = queries.row(cursor, "table_kind", table=self._parent.sql)
        builder = _CLONERS.get(kind[0]) if kind and self._part_field else None
        if builder is None:
            reason = "is no table that can be cloned" if kind else "does not exist in the target database"
            raise SetupError(
                f"cannot create tables for {self._parent}: it {reason}, and there is no part_template"
            )
        return lambda cursor, wanted: builder(cursor, self._parent, wanted)

    def _from_template(self, cursor: Cursor, wanted: Wanted) -> None:
        try:
            text = template.expand(self._template, wanted.table, self._parent, wanted.key)
        except ValueError as error:
            raise SetupError(f"cannot create table {wanted.table}: {error}") from error
        cursor.execute(text)


def _attach(cursor: Cursor, parent: TableName, wanted: Wanted) -> None:
    """Clone a native partitioned table; ATTACH locks the parent less than CREATE … PARTITION OF."""
    assert wanted.period is not None
    names = {"table": sql.SQL(wanted.table.sql), "parent": sql.SQL(parent.sql)}
    create = (
        "create table {table} (like {parent} including defaults including generated "
        "including constraints including storage)"
    )
    attach = "alter table {parent} attach partition {table} for values from ({start}) to ({end})"
    cursor.execute(sql.SQL(create).format(**names))
    bounds = {
        "start": sql.Literal(wanted.period.start.isoformat()),
        "end": sql.Literal(wanted.period.end.isoformat()),
    }
    cursor.execute(sql.SQL(attach).format(**names, **bounds))


def _inherit(cursor: Cursor, parent: TableName, wanted: Wanted) -> None:
    """Clone an ordinary table, its keys and indexes included, as its child."""
    names = {"table": sql.SQL(wanted.table.sql), "parent": sql.SQL(parent.sql)}
    cursor.execute(
        sql.SQL("create table {table} (like {parent} including all) inherits ({parent})").format(**names)
    )


# By pg_class.relkind of dest_table.
_CLONERS: dict[str, Callable[[Cursor, TableName, Wanted], None]] = {"p": _attach, "r": _inherit}
