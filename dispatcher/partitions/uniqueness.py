"""What names one row of a table of the target, and what refers to it."""

from __future__ import annotations

from collections.abc import Iterable

from ..postgres import Connection, TableName, queries


class Uniqueness:
    """Unique indexes of tables, looked up.

    Args:
        connection: to the target.
        forced: columns by which their partitions are partitioned: PostgreSQL demands these, too.
    """

    def __init__(self, connection: Connection, forced: Iterable[str] = ()) -> None:
        self._connection = connection
        self._forced = list(forced)
        self._unique: dict[TableName, tuple[frozenset[str], ...]] = {}
        self._alone: dict[TableName, bool] = {}

    def forget(self) -> None:
        """Ask again when they are next needed."""
        self._unique.clear()
        self._alone.clear()

    def columns(self, table: TableName) -> tuple[frozenset[str], ...]:
        """The columns of each unique index of a table, without those that PostgreSQL demands there.

        A natively partitioned table has the columns by which it is partitioned in each of them.
        """
        with self._connection.cursor() as cursor:
            found = queries.rows(cursor, "unique_columns", table=table.sql, forced=self._forced)
        return tuple(frozenset(columns) for (columns,) in found)

    def names_one(self, table: TableName, key: Iterable[str]) -> bool:
        """Whether no two rows of a table have the same key, by a unique index; remembered."""
        if table not in self._unique:
            self._unique[table] = self.columns(table)
        names = frozenset(key)
        return any(each <= names for each in self._unique[table])

    def is_alone(self, table: TableName) -> bool:
        """Whether it is a table without children, and without triggers of users; remembered."""
        if table not in self._alone:
            with self._connection.cursor() as cursor:
                self._alone[table] = bool(queries.value(cursor, "is_alone", table=table.sql))
        return self._alone[table]

    def refers_to_itself(self, table: TableName) -> bool:
        """Whether a foreign key of a table refers to it. Not remembered."""
        with self._connection.cursor() as cursor:
            return bool(queries.value(cursor, "refers_to_itself", table=table.sql))
