"""Staging tables: rows that are on their way to statements other than COPY."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from ..postgres import TableName, queries

COPY_BLOCK = 1 << 16
"""Bytes that are handed to libpq at a time."""


class Source(io.RawIOBase):
    """Lines for a COPY, handed over in blocks, as all of them in one would be a second copy.

    Args:
        lines: one or several in each text.
    """

    def __init__(self, lines: Iterable[bytes]) -> None:
        super().__init__()
        self._blocks = _blocks(lines)

    def read(self, _size: int = -1, /) -> bytes:
        """The next block; empty at the end."""
        return next(self._blocks, b"")


_MAKE = """
    create temp table if not exists {stage} on commit drop as select {fields} from {like} with no data;
    truncate pg_temp.{stage}"""

_MAKE_PARTED = _MAKE + "; create index if not exists {index} on pg_temp.{stage} (part)"


@dataclass(frozen=True, slots=True)
class Stage:
    """A temporary table for rows: values ``v0`` …, and the key ``k0`` … where it is apart from them.

    It lives until the end of the transaction and is emptied before each filling. Creating one for each
    filling would add locks until the commit, and a long batch would exhaust the server's lock table.

    Attributes:
        like: a table that has the columns, for their types.
        columns: columns whose values it holds.
        key: columns that find a row.
        equals: for each of them the operator by which values are equal, as SQL.
        apart: the key is held apart from the values, and comes after them in a line.
        encoding: what a COPY of its lines ends with, so that PostgreSQL knows their encoding.
        shared: a table with the same columns, whose stage this is too, as partitions share one; None: none.
        parts: of a stage whose lines begin with the number of a part: those that statements are about.
    """

    like: TableName
    columns: tuple[str, ...]
    key: tuple[str, ...] = ()
    equals: tuple[str, ...] = ()
    apart: bool = False
    encoding: str = ""
    shared: TableName | None = None
    parts: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """Its name: the same for the same columns of the same table."""
        text = repr((self.shared or self.like, self.columns, self._apart, bool(self.parts)))
        return "tdsup_" + hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def _apart(self) -> tuple[str, ...]:
        return self.key if self.apart else ()

    def fill(self, cursor: Cursor, lines: Sequence[bytes]) -> None:
        """Let it hold some lines of COPY text, and nothing else.

        Raises:
            psycopg2.Error: a value does not fit its column, or the table cannot be created.
        """
        copy = sql.SQL("{}; copy pg_temp.{} from stdin{}").format(
            self._made, sql.Identifier(self.name), sql.SQL(self.encoding)
        )
        cursor.copy_expert(queries.for_users(copy), Source(lines), COPY_BLOCK)

    def make(self, cursor: Cursor) -> None:
        """Let it be there, and empty; raises as `fill` does."""
        cursor.execute(queries.for_users(self._made))

    @property
    def _made(self) -> sql.Composable:
        """Statements that let it be there, and empty."""
        fields = [
            sql.SQL("{} as {}").format(sql.Identifier(name), alias)
            for name, alias in [*_aliased(self.columns, "v"), *_aliased(self._apart, "k")]
        ]
        if self.parts:
            fields.insert(0, sql.SQL("0 as {}").format(sql.Identifier("part")))
        like = sql.SQL((self.shared or self.like).sql)
        make = sql.SQL(_MAKE_PARTED if self.parts else _MAKE)
        index = sql.Identifier(f"{self.name}_part")
        return make.format(stage=sql.Identifier(self.name), fields=listed(fields), like=like, index=index)

    @property
    def _chosen(self) -> sql.Composable:
        """Condition on the rows that statements are about."""
        if not self.parts:
            return sql.SQL("true")
        numbers = ",".join(map(str, self.parts))
        return sql.SQL(f"s.part operator(pg_catalog.=) any ('{{{numbers}}}'::pg_catalog.int4[])")

    def _match(self, keys: Sequence[sql.Composable]) -> sql.Composable:
        """Condition on the rows of tables that have some keys; none has one that is not told whole."""
        if len(keys) < len(self.key):
            return sql.SQL("false")
        matches = [
            sql.SQL("t.{} {} s.{}").format(sql.Identifier(name), sql.SQL(equals), alias)
            for name, alias, equals in zip(self.key, keys, self.equals, strict=True)
        ]
        return sql.SQL(" and ").join([*matches, self._chosen])

    def statement(
        self, template: str, table: TableName, kept: Sequence[str] = (), **more: sql.Composable
    ) -> sql.Composable:
        """A statement on a table ``t`` and this stage, ``s``.

        Args:
            template: SQL with the words ``{stage} {table} {columns} {values} {keys} {assignments} {match}
                {match_after} {chosen}``.
            table: stands for ``{table}``.
            kept: columns that are not assigned.
            **more: further words.
        """
        values = _aliased(self.columns, "v")
        keys = [alias for _, alias in _aliased(self.key, "k")]
        if not self.apart:
            keys = [sql.Identifier(f"v{self.columns.index(name)}") for name in self.key]
        assigned = dict(values)
        after = [assigned[name] for name in self.key if name in assigned]
        return sql.SQL(template).format(
            stage=sql.Identifier(self.name),
            table=sql.SQL(table.sql),
            columns=listed(map(sql.Identifier, self.columns)),
            values=listed(alias for _, alias in values),
            keys=listed(keys),
            assignments=listed(
                sql.SQL("{} = s.{}").format(sql.Identifier(name), alias)
                for name, alias in values
                if name not in kept
            ),
            match=self._match(keys),
            match_after=self._match(after),
            chosen=self._chosen,
            **more,
        )


def _blocks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Lines in blocks of about `COPY_BLOCK` bytes."""
    waiting: list[bytes] = []
    size = 0
    for line in lines:
        for start in range(0, len(line), COPY_BLOCK):
            waiting.append(line[start : start + COPY_BLOCK])
            size += len(waiting[-1])
            if size >= COPY_BLOCK:
                yield b"".join(waiting)
                waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


def listed(items: Iterable[sql.Composable]) -> sql.Composable:
    """Items with commas between them."""
    return sql.SQL(", ").join(items)


def _aliased(names: tuple[str, ...], letter: str) -> list[tuple[str, sql.Composable]]:
    """Columns with their names in the staging table."""
    return [(name, sql.Identifier(f"{letter}{number}")) for number, name in enumerate(names)]
