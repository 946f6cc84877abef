"""Missing tables and columns of the target, made as rows need them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import psycopg2
from psycopg2 import sql
from psycopg2.errors import LockNotAvailable

from ...errors import Outage, SetupError, is_infrastructure, one_line
from ...postgres import Connection, TableName, queries
from ..branches import NewList, Spot
from ..missing import TEXT, ColumnType, MissingColumn, MissingTable
from ..partitioning import Partitioning
from ..tables import Tables
from .clones import attach, attach_list, stand_alone
from .guard import DefaultPartition, Guard, turn_key
from .pending import end_detach
from .recipe import Recipe

_TAKEN = frozenset({"23514", "42501"})
"""SQLSTATEs of a partition that cannot be attached beside a default one: it has such rows; no right to."""

_HELD = frozenset({"23514", "42P17"})
"""SQLSTATEs of a list partition that cannot be attached: others have its rows already, or its value."""


_OVERLAPS = "42P17"
"""SQLSTATE of a partition whose bounds another one has."""


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
        self._recipe = Recipe(connection, tables, partitioning, time_zone)

    def create(self, missing: MissingTable) -> bool:
        """Create a table; returns False if another job was faster, or its rows have another place by now.

        Raises:
            SetupError: it cannot be created, and why.
            Outage: somebody holds the lock on its creation.
        """
        table, spot = missing.table, missing.period
        self._tables.forget_places()
        if isinstance(spot, Spot):
            return self._create_in_branch(missing, spot)
        try:
            with self._turn(table):
                if self._is_there(table):
                    return False
                guard = self._guard(missing)
                if guard and not guard.put_up():
                    self._tables.forget_places(full=missing.period)
                    return False
                with guard or nullcontext():
                    self._create(missing, guard)
        except LockNotAvailable as error:
            raise self._outage(table) from error
        except psycopg2.Error as error:
            if is_infrastructure(error) or self._connection.closed:
                raise
            if self._is_needless(missing, error):
                return False
            raise SetupError(f"cannot create table {table}: {one_line(error)}") from error
        return True

    def _create_in_branch(self, missing: MissingTable, spot: Spot) -> bool:
        """The same in a branch, which is made before."""
        for new in spot.branch.lacking:
            if not self._is_there(new.table):
                self._create_list(new)
        within = self._tables.of(spot)
        with self._connection:
            if self._tables.kind(spot.branch.table) != "p":
                return False
            place, named = within.place(spot.period), within.name_for(spot.period)
        if place.table is not None:
            return False
        maker = TableMaker(self._connection, within, within.partitioning, self._time_zone)
        return maker.create(MissingTable(named, spot.period, missing.key, place.gap))

    def _create_list(self, new: NewList) -> None:
        """Create a list partition, unless another one has its value by now."""
        is_made = False
        try:
            with self._turn(new.table):
                if self._is_there(new.table):
                    return
                with self._connection, self._connection.cursor() as cursor:
                    queries.run(cursor, "wait_at_most")
                    create, attach_it = attach_list(new)
                    cursor.execute(queries.for_users(create))
                    is_made = True
                    cursor.execute(queries.for_users(attach_it))
                    # Its commit may run code of users, too.
                    queries.run(cursor, "users_names")
        except LockNotAvailable as error:
            raise self._outage(new.table) from error
        except psycopg2.Error as error:
            if is_infrastructure(error) or self._connection.closed:
                raise
            if not (is_made and error.pgcode in _HELD) and not self._is_there(new.table):
                raise SetupError(f"cannot create table {new.table}: {one_line(error)}") from error

    @contextmanager
    def _turn(self, table: TableName) -> Iterator[None]:
        """The right to create a table, for the length of the context, over several transactions."""
        key = turn_key(table)
        with self._connection, self._connection.cursor() as cursor:
            queries.run(cursor, "wait_at_most", "lock_session", key=key)
        try:
            yield
        finally:
            if not self._connection.closed:
                with self._connection, self._connection.cursor() as cursor:
                    queries.run(cursor, "unlock_session", key=key)

    def _is_there(self, table: TableName) -> bool:
        """Whether the table is there, or by now an extension that partitions the parent by itself."""
        with self._connection, self._connection.cursor() as cursor:
            if queries.value(cursor, "table_exists", table=table.sql):
                return True
            return self._tables.extension() is not None

    def _guard(self, missing: MissingTable) -> Guard | None:
        """What keeps rows of a partition out of the default one; None if there is no need."""
        with self._connection:
            if self._recipe.cloner() is not attach or missing.period is None:
                return None
            default = DefaultPartition.of(self._connection, self._partitioning.parent)
        return Guard(self._connection, default, missing, self._time_zone) if default else None

    def _create(self, missing: MissingTable, guard: Guard | None) -> None:
        with self._connection, self._connection.cursor() as cursor:
            # Beside a default partition, those who come later for it wait behind.
            queries.run(cursor, "wait_briefly" if guard else "wait_at_most")
            for statement in self.statements(missing):
                cursor.execute(queries.for_users(sql.SQL(statement)))
            for dropping in guard.without if guard else ():
                cursor.execute(queries.for_users(dropping))
            if not queries.value(cursor, "table_exists", table=missing.table.sql):
                raise SetupError(f"cannot create table {missing.table}: part_template does not create it")
            if line := self._recipe.record(missing):
                for (statement,) in queries.rows(cursor, "noting", table=missing.table.sql, line=line):
                    cursor.execute(queries.for_users(sql.SQL(statement)))
            # Its commit may run code of users, too.
            queries.run(cursor, "users_names")

    def _is_needless(self, missing: MissingTable, error: psycopg2.Error) -> bool:
        """Whether rows can be loaded without a table that could not be created."""
        if _has_made_room(self._connection, self._partitioning.parent, missing.table, error):
            return True
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

        A clone is not attached for that: others would wait.

        Raises:
            SetupError: it cannot be created, and why.
            psycopg2.Error: the infrastructure failed.
        """
        cloner = self._recipe.cloner() and stand_alone
        try:
            with self._connection.cursor() as cursor:
                queries.run(cursor, "wait_at_most")
                for statement in self._recipe.statements(missing, cloner):
                    cursor.execute(queries.for_users(sql.SQL(statement)))
            return self._tables.uniqueness.columns(missing.table)
        except psycopg2.Error as error:
            if is_infrastructure(error) or self._connection.closed:
                raise
            raise SetupError(f"cannot create table {missing.table}: {one_line(error)}") from error
        finally:
            if not self._connection.closed:
                self._connection.rollback()

    def _outage(self, table: TableName) -> Outage:
        """That somebody keeps others from creating a table, and who."""
        return Outage(f"cannot create table {table}: {self._holder(table)}", "target", True)

    def _holder(self, table: TableName) -> str:
        """Who keeps others from creating a table."""
        with self._connection, self._connection.cursor() as cursor:
            found = queries.row(cursor, "lock_holder", key=turn_key(table))
        if found is None:
            return "a lock that it takes was held for too long"
        pid, application, address = found
        return f"{application} (backend {pid}, {address}) holds the lock on its creation"

    def statements(self, missing: MissingTable) -> tuple[str, ...]:
        """The SQL that creates a table; see `Recipe.statements`."""
        spot = missing.period
        if not isinstance(spot, Spot):
            return self._recipe.statements(missing)
        lists = [
            each.as_string(self._connection.session)
            for new in spot.branch.lacking
            for each in attach_list(new)
        ]
        within = self._tables.of(spot)
        recipe = Recipe(self._connection, within, within.partitioning, self._time_zone)
        plain = replace(missing, period=spot.period)
        return (*lists, *recipe.statements(plain, attach if spot.branch.lacking else None))

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
                    queries.run(cursor, "wait_briefly", "users_names_behind")
                    cursor.execute(
                        sql.SQL(add).format(
                            table=sql.SQL(table.sql), name=sql.Identifier(missing.name), type=sql.SQL(text)
                        )
                    )
                    queries.run(cursor, "own_names")
        self._tables.forget_columns()
        return text


def _has_made_room(
    connection: Connection, parent: TableName, table: TableName, error: psycopg2.Error
) -> bool:
    """Whether there is a place by now that a partition had whose detach has begun."""
    try:
        return error.pgcode == _OVERLAPS and end_detach(connection, parent)
    except Outage as outage:
        raise Outage(f"cannot create table {table}: {outage}", outage.which, outage.answered) from error
