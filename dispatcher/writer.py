"""How rows get into the target's tables: by COPY, or by COPY into a staging table and a statement on that."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from .identifier import TableName

_COPY_BLOCK = 1 << 16
"""Bytes that are handed to libpq at a time."""

# The staging table has a row's number `n`, its values `v0` … and the key `k0` … that finds it.
_STAGE = """
    drop table if exists pg_temp.tdsup_stage;
    create temp table tdsup_stage on commit drop as select 0::int4 as n{fields} from {like} with no data"""

_INSERT = """
    insert into {table} ({columns}) overriding system value
    select {values} from pg_temp.tdsup_stage order by n"""

_REPLACE = """
    with updated as (
        update {table} t set {assignments} from pg_temp.tdsup_stage s where {match} returning s.n
    ), rest as (
        select * from pg_temp.tdsup_stage where n not in (select n from updated)
    ){gone}
    insert into {table} ({columns}) overriding system value select {values} from rest order by n"""

# The same where nothing but the key is there, and hence nothing to assign.
_KEEP = _REPLACE.replace(
    "update {table} t set {assignments} from pg_temp.tdsup_stage s where {match} returning s.n",
    "select s.n from {table} t, pg_temp.tdsup_stage s where {match}",
)

_GONE = ", {name} as (delete from {root} t using rest s where {match})"

_PATCH = """
    with found as (
        update {table} t set {assignments} from pg_temp.tdsup_stage s where {match} returning s.n
    )
    delete from pg_temp.tdsup_stage where n in (select n from found) returning n"""

_DELETE = """
    with found as (
        delete from {table} t using pg_temp.tdsup_stage s where {match} returning s.n
    )
    delete from pg_temp.tdsup_stage where n in (select n from found) returning n"""


_STAGED = "tdsup_stage"


class Writer(Protocol):
    """Writes rows of one shape."""

    @property
    def copied(self) -> str:
        """Name of the table that COPY names when it refuses a row."""

    def write(self, cursor: Cursor, lines: Sequence[bytes]) -> Iterable[int]:
        """Write lines of COPY text; returns the numbers of those, from 0, that found no row to change.

        Raises:
            psycopg2.Error: the target refused, and the transaction is aborted.
        """


@dataclass(frozen=True, slots=True)
class Insert:
    """Adds rows to a table; a line holds the values of `columns`."""

    table: TableName
    columns: tuple[str, ...]

    @property
    def copied(self) -> str:
        """Name of the table that COPY names."""
        return self.table.table

    def write(self, cursor: Cursor, lines: Sequence[bytes]) -> Iterable[int]:
        """Add them."""
        copy = sql.SQL("copy {} ({}) from stdin").format(sql.SQL(self.table.sql), _names(self.columns))
        cursor.copy_expert(copy, io.BytesIO(b"".join(lines)), _COPY_BLOCK)
        return ()


@dataclass(frozen=True, slots=True)
class InsertThrough:
    """Adds rows to a view, which COPY does not take; a line holds the values of `columns`."""

    table: TableName
    columns: tuple[str, ...]

    @property
    def copied(self) -> str:
        """Name of the table that COPY names."""
        return _STAGED

    def write(self, cursor: Cursor, lines: Sequence[bytes]) -> Iterable[int]:
        """Add them."""
        _stage(cursor, self.table, self.columns, (), lines)
        cursor.execute(_statement(_INSERT, self.table, self.columns, ()))
        return ()


@dataclass(frozen=True, slots=True)
class Replace:
    """Brings whole rows up to date, wherever they are; a row that is not there is added.

    A line holds the values of `columns`, then those of `key` before the change.

    Attributes:
        table: where the rows belong now.
        columns: all of the row.
        key: columns of the primary key.
        roots: tables that hold all rows together.
        rekeys: the key changes too; else it is not touched, for a column that is always generated as identity
            takes no value in an update.
    """

    table: TableName
    columns: tuple[str, ...]
    key: tuple[str, ...]
    roots: tuple[TableName, ...]
    rekeys: bool

    @property
    def copied(self) -> str:
        """Name of the table that COPY names."""
        return _STAGED

    def write(self, cursor: Cursor, lines: Sequence[bytes]) -> Iterable[int]:
        """Change those that are in the table; delete the others where they are and add them here."""
        _stage(cursor, self.table, self.columns, self.key, lines)
        elsewhere = [root for root in self.roots if root != self.table]
        gone = [
            sql.SQL(_GONE).format(
                name=sql.Identifier(f"gone{number}"), root=sql.SQL(root.sql), match=_match(self.key)
            )
            for number, root in enumerate(elsewhere)
        ]
        kept = () if self.rekeys else self.key
        template = _REPLACE if set(self.columns) - set(kept) else _KEEP
        cursor.execute(
            _statement(template, self.table, self.columns, self.key, kept, gone=sql.SQL("").join(gone))
        )
        return ()


@dataclass(frozen=True, slots=True)
class _Search:
    """Does something to rows wherever they are.

    A line holds the values of `columns`, then those of `key`.

    Attributes:
        columns: what changes.
        key: columns of the primary key.
        places: tables to look into, the likeliest first.
    """

    columns: tuple[str, ...]
    key: tuple[str, ...]
    places: tuple[TableName, ...]
    statement: ClassVar[str]

    @property
    def copied(self) -> str:
        """Name of the table that COPY names."""
        return _STAGED

    def write(self, cursor: Cursor, lines: Sequence[bytes]) -> Iterable[int]:
        """Do it in the first place that has the row."""
        left = set(range(len(lines)))
        if self.places:
            _stage(cursor, self.places[0], self.columns, self.key, lines)
        for place in self.places:
            cursor.execute(_statement(self.statement, place, self.columns, self.key))
            left -= {number for (number,) in cursor.fetchall()}
            if not left:
                break
        return sorted(left)


class Patch(_Search):
    """Changes some columns of rows that are there."""

    statement = _PATCH


class Delete(_Search):
    """Removes rows; it has no `columns`."""

    statement = _DELETE


def truncate(cursor: Cursor, tables: Sequence[TableName]) -> None:
    """Remove all rows of tables and their children.

    Raises:
        psycopg2.Error: the target refused.
    """
    if tables:
        cursor.execute(sql.SQL("truncate {}").format(_list(sql.SQL(table.sql) for table in tables)))


def _stage(
    cursor: Cursor,
    like: TableName,
    columns: tuple[str, ...],
    key: tuple[str, ...],
    lines: Sequence[bytes],
) -> None:
    """Put lines into a new staging table whose columns are typed as in another table."""
    fields = [
        sql.SQL(", {} as {}").format(sql.Identifier(name), alias)
        for name, alias in [*_aliased(columns, "v"), *_aliased(key, "k")]
    ]
    cursor.execute(sql.SQL(_STAGE).format(fields=sql.SQL("").join(fields), like=sql.SQL(like.sql)))
    numbered = b"".join(b"%d\t%b" % pair for pair in enumerate(lines))
    cursor.copy_expert("copy pg_temp.tdsup_stage from stdin", io.BytesIO(numbered), _COPY_BLOCK)


def _statement(
    template: str,
    table: TableName,
    columns: tuple[str, ...],
    key: tuple[str, ...],
    kept: tuple[str, ...] = (),
    **more: sql.Composable,
) -> sql.Composable:
    """A statement on a table and the staging table; columns that are `kept` are not assigned."""
    pairs = [
        sql.SQL("{} = s.{}").format(sql.Identifier(name), alias)
        for name, alias in _aliased(columns, "v")
        if name not in kept
    ]
    return sql.SQL(template).format(
        table=sql.SQL(table.sql),
        columns=_names(columns),
        values=_list(alias for _, alias in _aliased(columns, "v")),
        assignments=_list(pairs),
        match=_match(key),
        **more,
    )


def _match(key: tuple[str, ...]) -> sql.Composable:
    pairs = [sql.SQL("t.{} = s.{}").format(sql.Identifier(name), alias) for name, alias in _aliased(key, "k")]
    return sql.SQL(" and ").join(pairs)


def _names(columns: tuple[str, ...]) -> sql.Composable:
    return _list(map(sql.Identifier, columns))


def _list(items: Iterable[sql.Composable]) -> sql.Composable:
    return sql.SQL(", ").join(items)


def _aliased(names: tuple[str, ...], letter: str) -> list[tuple[str, sql.Composable]]:
    """Columns with their names in the staging table."""
    return [(name, sql.Identifier(f"{letter}{number}")) for number, name in enumerate(names)]
