"""Truncates, which wait for each other: PostgreSQL empties tables that refer to each other only together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial

import psycopg2
from psycopg2 import sql
from psycopg2.errors import ObjectInUse
from psycopg2.extensions import cursor as Cursor

from ..errors import is_data
from ..events import Event
from ..postgres import TableName, queries
from .stage import listed


@dataclass(frozen=True, slots=True)
class Truncate:
    """A table that is to be emptied.

    Attributes:
        event: which asks for it.
        tables: that hold all rows between them.
        rank: among the tables of a job; tables may refer to those of a lower one.
    """

    event: Event
    tables: Sequence[TableName]
    rank: int = 0


class Truncates:
    """Truncates of one transaction that are not done yet.

    Events tell of the tables of one statement one by one, in the order that it names them.

    Args:
        cursor: of the target.
        bad_states: see `is_data`.
    """

    def __init__(self, cursor: Cursor, bad_states: AbstractSet[str] = frozenset()) -> None:
        self._cursor = cursor
        self._bad_states = bad_states
        self._waiting: list[Truncate] = []
        self._is_referred_to = False

    def add(self, truncate: Truncate) -> None:
        """Take one; raises psycopg2.Error if the target cannot be asked what refers to its tables."""
        self._waiting.append(truncate)
        names = [table.sql for table in self._tables]
        self._is_referred_to = queries.value(self._cursor, "are_referred_to", tables=names)

    def are_due(self, tables: Sequence[TableName] = ()) -> bool:
        """Whether they need not wait any longer: a row of one of the tables comes, or none refers to them."""
        return bool(self._waiting) and (
            not self._is_referred_to or not self._tables.keys().isdisjoint(tables)
        )

    @property
    def are_waiting(self) -> bool:
        """Whether there are some."""
        return bool(self._waiting)

    @property
    def _tables(self) -> dict[TableName, None]:
        return {table: None for each in self._waiting for table in each.tables}

    def run(self) -> list[tuple[Event, psycopg2.Error]]:
        """Empty the tables; returns the events whose rows the target keeps, and why.

        Where others refer to them, rows are deleted, and foreign keys say what that comes to.

        Raises:
            psycopg2.Error: the target refused, but not because of a row.
        """
        tables, waiting = self._tables, sorted(self._waiting, key=lambda each: -each.rank)
        self._waiting = []
        if not self._is_referred_to:
            refused = self._truncate(tuple(tables))
            return [(each.event, refused) for each in waiting] if refused else []
        tried = ((each.event, self._try(partial(self._delete, each.tables))) for each in waiting)
        return [(event, error) for event, error in tried if error is not None]

    def _try(self, act: Callable[[], None]) -> psycopg2.Error | None:
        """Do something, or nothing if the target refuses that because of a row; returns why it does."""
        self._cursor.execute("savepoint tdsup")
        try:
            act()
        except psycopg2.Error as error:
            if not is_data(error, self._bad_states):
                raise
            self._cursor.execute("rollback to savepoint tdsup; release savepoint tdsup")
            return error
        self._cursor.execute("release savepoint tdsup")
        return None

    def _truncate(self, tables: Sequence[TableName]) -> psycopg2.Error | None:
        """Truncate; returns why the target keeps the rows: one that is not checked yet may be refused."""
        try:
            return self._try(partial(truncate, self._cursor, tables))
        except ObjectInUse:
            # Checks of its rows are deferred, and have to come first.
            self._cursor.execute("rollback to savepoint tdsup; release savepoint tdsup")
            return self._try(partial(self._check_and_truncate, tables))

    def _check_and_truncate(self, tables: Sequence[TableName]) -> None:
        self._cursor.execute("set constraints all immediate")
        truncate(self._cursor, tables)
        self._cursor.execute("set constraints all deferred")

    def _delete(self, tables: Sequence[TableName]) -> None:
        for table in tables:
            self._cursor.execute(queries.for_users(sql.SQL("delete from {}").format(sql.SQL(table.sql))))


def truncate(cursor: Cursor, tables: Sequence[TableName]) -> None:
    """Remove all rows of tables and their children.

    Raises:
        psycopg2.Error: the target refused.
    """
    if tables:
        names = listed(sql.SQL(table.sql) for table in tables)
        cursor.execute(queries.for_users(sql.SQL("truncate {}").format(names)))
