"""How rows get into the target's tables: by COPY, or by COPY into a stage and statements on that."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import ClassVar, Self

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from ..postgres import TableName, queries, quote
from .stage import COPY_BLOCK, Source, Stage

MAX_COPIES = 256
"""Most statements that are remembered: most batches go into few tables."""

_INSERT = """
    insert into {table} ({columns}) overriding system value
    select {values} from pg_temp.{stage} s where {chosen}"""

_UPDATE = "update {table} t set {assignments} from pg_temp.{stage} s where {match}"

_DELETE = "delete from {table} t using pg_temp.{stage} s where {match}"

_MAKE_WAY = "delete from {table} t using pg_temp.{stage} s where {match_after}"

_IF_MARKED = " and t.{mark} is not null"

_UNLESS_MARKED = " and t.{mark} is null"

_MARK_ALL = "update {table} t set {assignments} from pg_temp.{stage} s where t.{mark} is null"

_FORGET = "delete from pg_temp.{stage} s using {table} t where {match}"

_CHANGE_AND_FORGET = """
    with found as ({change} returning s.ctid)
    delete from pg_temp.{stage} s using found where s.ctid operator(pg_catalog.=) found.ctid"""


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

    @property
    def filled(self) -> Hashable:
        """The same for writers that can be filled together: none can."""
        return self

    def fill(self, cursor: Cursor, lines: Sequence[bytes]) -> None:
        """Add rows.

        Args:
            cursor: of the target.
            lines: COPY text of whole rows.

        Raises:
            psycopg2.Error: the target refused, and the transaction is aborted.
        """
        cursor.copy_expert(_copy(self), Source(lines), COPY_BLOCK)

    def apply(self, _cursor: Cursor, _count: int) -> int:
        """Nothing is left to do; returns how many rows found none to change: none."""
        return 0

    def of_part(self, _number: int) -> Insert:
        """Itself: it is filled alone."""
        return self


@lru_cache(MAX_COPIES)
def _copy(insert: Insert) -> str:
    """The COPY into a table's columns."""
    columns = ", ".join(map(quote, insert.columns))
    return queries.for_users_text(f"copy {insert.table.sql} ({columns}) from stdin{insert.encoding}")


@dataclass(frozen=True, slots=True)
class _Staged:
    """Writes rows by way of a stage, whose lines it takes.

    Attributes:
        stage: the stage; its key is the one before the change.
        by_index: a table whose rows are found by a unique index; None: there may be several of a key.
    """

    stage: Stage
    by_index: TableName | None = field(default=None, kw_only=True)

    @property
    def copied(self) -> str:
        """The staging table."""
        return self.stage.name

    @property
    def filled(self) -> Hashable:
        """The staging table: writers that have the same one can be filled together."""
        return self.stage.name

    def fill(self, cursor: Cursor, lines: Sequence[bytes]) -> None:
        """Put rows into the stage; raises psycopg2.Error if the target refuses."""
        self.stage.fill(cursor, lines)

    def of_part(self, number: int) -> Self:
        """The same for a part of the stage; raises TypeError if it has none."""
        return replace(self, stage=replace(self.stage, parts=(number,)))

    def _run(
        self, cursor: Cursor, template: str, table: TableName, kept: Sequence[str] = (), mark: str = ""
    ) -> int:
        """Run a statement; returns how many rows it changed."""
        statement = self.stage.statement(template, table, kept, mark=sql.Identifier(mark))
        return queries.change(cursor, statement, by_index=table == self.by_index)

    def _find(
        self, cursor: Cursor, template: str, table: TableName, kept: Sequence[str] = (), mark: str = ""
    ) -> int:
        """Run a statement that changes rows, and take these from the stage; returns how many those are."""
        change = self.stage.statement(template, table, kept, mark=sql.Identifier(mark))
        statement = self.stage.statement(_CHANGE_AND_FORGET, table, change=change)
        return queries.change(cursor, statement)


@dataclass(frozen=True, slots=True)
class InsertThrough(_Staged):
    """Adds rows to a view, which takes no COPY."""

    def apply(self, cursor: Cursor, _count: int) -> int:
        """Add them; returns how many rows found none to change: none."""
        self._run(cursor, _INSERT, self.stage.like)
        return 0


@dataclass(frozen=True, slots=True)
class Replace(_Staged):
    """Brings whole rows up to date, whichever table they are in, and adds those that are in none.

    Attributes:
        stage: like the table where the rows belong now.
        roots: the tables that hold all rows between them; none: a row may be in others too, and stays there.
        rekeys: the key changes too. Otherwise it is not assigned: a column that is always generated as
            identity takes no value in an update.
        former: tables that may hold a former state of a row, under the key that it gets; that goes.
        mark: the column that is not NULL in rows that make way; empty: all do.
    """

    roots: tuple[TableName, ...]
    rekeys: bool
    former: tuple[TableName, ...] = ()
    mark: str = ""

    def apply(self, cursor: Cursor, count: int) -> int:
        """Update the rows that are in the table; delete the others where they are, and insert them here."""
        if self.update(cursor, count):
            move(cursor, [self])
        return 0

    def update(self, cursor: Cursor, count: int) -> int:
        """Update the rows that are in the table; returns how many are left in the stage, for `move`."""
        stage, table = self.stage, self.stage.like
        kept = () if self.rekeys else stage.key
        if self.rekeys:
            for each in self.former:
                self._run(cursor, _MAKE_WAY + _IF_MARKED * bool(self.mark), each, mark=self.mark)
        if not set(stage.columns) - set(kept):
            return count - self._run(cursor, _FORGET, table)
        if self.rekeys or self.by_index is None:
            return count - self._find(cursor, _UPDATE, table, kept)
        if self._run(cursor, _UPDATE, table, kept) == count:
            return 0
        return count - self._run(cursor, _FORGET, table)

    def add(self, cursor: Cursor) -> None:
        """Insert what is left in the stage."""
        self._run(cursor, _INSERT, self.stage.like)


def move(cursor: Cursor, replaces: Sequence[Replace]) -> None:
    """Delete rows that are left in stages, wherever they are, and insert them where they belong.

    Raises:
        psycopg2.Error: the target refused.
    """
    left: dict[tuple[TableName, str], Stage] = {}
    for each in replaces:
        for root in each.roots:
            if root != each.stage.like:
                found = left.setdefault((root, each.stage.name), replace(each.stage, parts=()))
                left[root, each.stage.name] = replace(found, parts=found.parts + each.stage.parts)
    for (root, _name), stage in left.items():
        # The parent of many partitions is gone through once.
        cursor.execute(queries.for_users(stage.statement(_DELETE, root)))
    for each in replaces:
        each.add(cursor)


@dataclass(frozen=True, slots=True)
class _Search(_Staged):
    """Changes rows, whichever table they are in.

    Attributes:
        tables: where to look for them, the likeliest first.
        mark: the column that is NULL in rows that may be changed; empty: all may.
    """

    tables: tuple[TableName, ...]
    mark: str = ""
    change: ClassVar[str]

    @property
    def filled(self) -> Hashable:
        """As of others; without a table no stage is filled."""
        return self.stage.name if self.tables else None

    def fill(self, cursor: Cursor, lines: Sequence[bytes]) -> None:
        """Put rows into the stage; raises psycopg2.Error if the target refuses."""
        if self.tables:
            self.stage.fill(cursor, lines)

    def apply(self, cursor: Cursor, count: int) -> int:
        """Change each row in the first table that has it; returns how many are in none."""
        for number, table in enumerate(self.tables, 1):
            is_last = number == len(self.tables)
            change = self._run if is_last and table == self.by_index else self._find
            count -= change(cursor, self.change + _UNLESS_MARKED * bool(self.mark), table, mark=self.mark)
            if count <= 0:
                return 0
        return count


class Patch(_Search):
    """Changes some columns of rows."""

    change = _UPDATE


class Mark(Patch):
    """Changes columns of rows that say that these were deleted; of rows that are not there, none need be."""


class Delete(_Search):
    """Removes rows; its stage holds only a key."""

    change = _DELETE


Writer = Insert | InsertThrough | Replace | Patch | Mark | Delete
"""Writes rows of one shape."""


def mark_all(cursor: Cursor, stages: Sequence[tuple[Stage, bytes]], mark: str) -> None:
    """Say of all rows that are not marked yet that they were deleted.

    Args:
        cursor: of the target.
        stages: like the tables that hold all rows between them, each with COPY text of columns that say so.
        mark: the column that is not NULL in marked rows.

    Raises:
        psycopg2.Error: the target refused.
    """
    for stage, line in stages:
        stage.fill(cursor, [line])
        word = sql.Identifier(mark)
        cursor.execute(queries.for_users(stage.statement(_MARK_ALL, stage.like, mark=word)))


def write(writer: Writer, cursor: Cursor, lines: Sequence[bytes], count: int) -> int:
    """Write some rows at once; returns how many found none to change.

    Args:
        writer: of them.
        cursor: of the target.
        lines: COPY text.
        count: how many rows.

    Raises:
        psycopg2.Error: the target refused, and the transaction is aborted.
    """
    writer.fill(cursor, lines)
    return writer.apply(cursor, count)
