"""How rows get into the target's tables: by COPY, or by COPY into a stage and a statement on that."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Protocol

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from ..postgres import TableName, queries, quote
from .stage import COPY_BLOCK, Stage, listed

MAX_COPIES = 256
"""Most statements that are remembered: most batches go into few tables."""

_INSERT = """
    insert into {table} ({columns}) overriding system value
    select {values} from pg_temp.{stage} order by n"""

_CHANGED = "update {table} t set {assignments} from pg_temp.{stage} s where {match} returning s.n"

_UNCHANGED = "select s.n from {table} t, pg_temp.{stage} s where {match}"

_REPLACE = """
    with found as ({found}), rest as (
        select * from pg_temp.{stage} s
        where not exists (select from found where n operator(pg_catalog.=) s.n)
    ){gone}
    insert into {table} ({columns}) overriding system value select {values} from rest order by n"""

_GONE = ", {name} as (delete from {table} t using rest s where {match})"

_FOUND = """
    with found as ({change})
    delete from pg_temp.{stage} s using found where s.n operator(pg_catalog.=) found.n"""

_LEFT = "; select n from pg_temp.{stage}"


class Writer(Protocol):
    """Writes rows of one shape."""

    @property
    def copied(self) -> str:
        """The table that COPY names when it refuses a row."""

    def write(self, cursor: Cursor, lines: Sequence[bytes]) -> Iterable[int]:
        """Write lines of COPY text; returns the numbers, from 0, of those that found no row to change.

        Raises:
            psycopg2.Error: the target refused, and the transaction is aborted.
        """


@dataclass(frozen=True, slots=True)
class Insert:
    """Adds rows to a table; a line holds the values of `columns`.

    Attributes:
        table: the table.
        columns: its columns that rows have.
        encoding: what the COPY ends with, so that PostgreSQL knows the encoding of lines.
    """

    table: TableName
    columns: tuple[str, ...]
    encoding: str = ""

    @property
    def copied(self) -> str:
        """The table itself."""
        return self.table.table

    def write(self, cursor: Cursor, lines: Sequence[bytes]) -> Iterable[int]:
        """Add them."""
        cursor.copy_expert(_copy(self), io.BytesIO(b"".join(lines)), COPY_BLOCK)
        return ()


@lru_cache(MAX_COPIES)
def _copy(insert: Insert) -> str:
    """The COPY into a table's columns."""
    columns = ", ".join(map(quote, insert.columns))
    return queries.for_users_text(f"copy {insert.table.sql} ({columns}) from stdin{insert.encoding}")


@dataclass(frozen=True, slots=True)
class _Staged:
    """Writes rows by way of a stage; a line holds the values of the stage's columns, then of its key."""

    stage: Stage

    @property
    def copied(self) -> str:
        """The staging table."""
        return self.stage.name


@dataclass(frozen=True, slots=True)
class InsertThrough(_Staged):
    """Adds rows to a view, which takes no COPY."""

    def write(self, cursor: Cursor, lines: Sequence[bytes]) -> Iterable[int]:
        """Add them."""
        self.stage.fill(cursor, lines)
        cursor.execute(queries.for_users(self.stage.statement(_INSERT, self.stage.like)))
        return ()


@dataclass(frozen=True, slots=True)
class Replace(_Staged):
    """Brings whole rows up to date, whichever table they are in, and adds those that are in none.

    Attributes:
        stage: like the table where the rows belong now; its key is the one before the change.
        roots: the tables that hold all rows between them.
        rekeys: the key changes too. Otherwise it is not assigned: a column that is always generated as
            identity takes no value in an update.
    """

    roots: tuple[TableName, ...]
    rekeys: bool

    def write(self, cursor: Cursor, lines: Sequence[bytes]) -> Iterable[int]:
        """Update the rows that are in the table; delete the others where they are, and insert them here."""
        stage, table = self.stage, self.stage.like
        stage.fill(cursor, lines)
        kept = () if self.rekeys else stage.key
        found = _CHANGED if set(stage.columns) - set(kept) else _UNCHANGED
        gone = [
            stage.statement(_GONE, root, name=sql.Identifier(f"gone{number}"))
            for number, root in enumerate(self.roots)
            if root != table
        ]
        replace = stage.statement(
            _REPLACE, table, found=stage.statement(found, table, kept), gone=sql.SQL("").join(gone)
        )
        cursor.execute(queries.for_users(replace))
        return ()


@dataclass(frozen=True, slots=True)
class _Search(_Staged):
    """Changes rows, whichever table they are in.

    Attributes:
        tables: where to look for them, the likeliest first.
    """

    tables: tuple[TableName, ...]
    change: ClassVar[str]

    def write(self, cursor: Cursor, lines: Sequence[bytes]) -> Iterable[int]:
        """Change each row in the first table that has it."""
        left: Iterable[int] = range(len(lines))
        if self.tables:
            self.stage.fill(cursor, lines)
        for table in self.tables:
            change = self.stage.statement(self.change, table)
            found = self.stage.statement(_FOUND, table, change=change)
            cursor.execute(queries.for_users(found) + self.stage.statement(_LEFT, table))
            left = sorted(number for (number,) in cursor.fetchall())
            if not left:
                break
        return left


class Patch(_Search):
    """Changes some columns of rows."""

    change = _CHANGED


class Delete(_Search):
    """Removes rows; its stage holds only a key."""

    change = "delete from {table} t using pg_temp.{stage} s where {match} returning s.n"


def truncate(cursor: Cursor, tables: Sequence[TableName]) -> None:
    """Remove all rows of tables and their children.

    Raises:
        psycopg2.Error: the target refused.
    """
    if tables:
        names = listed(sql.SQL(table.sql) for table in tables)
        cursor.execute(queries.for_users(sql.SQL("truncate {}").format(names)))
