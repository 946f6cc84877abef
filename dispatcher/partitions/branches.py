"""Tables that are partitioned by lists of values first, and by time within these: where some values go."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import psycopg2
from psycopg2 import sql

from ..errors import SetupError, one_line
from ..postgres import Connection, TableName, queries, quote
from .period import Period

MAX_KNOWN = 4096
"""Most combinations of values whose branch is remembered."""

MAX_LENGTH = 255
"""Characters of a value that gets a list partition: whoever writes events chooses it."""

_PLAIN = re.compile(r"(?!(?:null|default)\Z)[a-z0-9]{1,24}", re.ASCII)
"""A value that is a part of a name as it is. What NULL and default partitions are called is none."""

_STEM, _DIGEST = 12, 16
"""Characters of another value that are shown in a name, and of the digest that tells it from all others."""

_UNFIT = "22"
"""SQLSTATE class of values that a column does not take."""

Values = tuple[str | None, ...]
"""A value for each of the columns by whose lists a table is partitioned; None is NULL."""


class NewList(NamedTuple):
    """A list partition to be made.

    Attributes:
        table: its name.
        parent: what it is attached to; that may have to be made before it.
        value: the one that it takes, as PostgreSQL writes it; None is NULL.
        column: by which it is partitioned itself.
        is_last: that is by its range, and not by lists of its values.
    """

    table: TableName
    parent: TableName
    value: str | None
    column: str
    is_last: bool


@dataclass(frozen=True, slots=True)
class Branch:
    """What has the rows of some values, of all times.

    Attributes:
        table: a list partition; it need not be partitioned itself.
        lacking: what is to be made before, in order; the last one is `table`.
    """

    table: TableName
    lacking: tuple[NewList, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Spot(Period):
    """The times of one partition of a branch.

    Attributes:
        branch: it.
    """

    branch: Branch = field(kw_only=True)

    @classmethod
    def of(cls, period: Period, branch: Branch) -> Spot:
        """A period in a branch."""
        return cls(period.start, period.end, period.suffix, period.since, period.until, branch=branch)

    @property
    def period(self) -> Period:
        """The period, wherever it is."""
        return Period(self.start, self.end, self.suffix, self.since, self.until)


@dataclass(frozen=True, slots=True)
class _Part:
    """A partition: its name, ``pg_class.relkind``, and the condition on its rows, as SQL."""

    table: TableName
    kind: str
    condition: str


class Branches:
    """The branches of a table, looked up and remembered. Makes none.

    Where there is a default list partition, it takes all values that no other one has: no branch is lacking.

    Args:
        connection: to the target.
        parent: the table.
        columns: by whose lists it is partitioned, from the root on, and then the one by whose range branches
            are; none: it has no branches.
    """

    def __init__(self, connection: Connection, parent: TableName, columns: Sequence[str]) -> None:
        self._connection = connection
        self._parent = parent
        self._columns = tuple(columns)
        self._lists = self._columns[:-1]
        self._known: dict[Values, Branch] = {}
        self._parts: dict[TableName, Sequence[_Part] | None] = {}
        self._declared = ""

    def __bool__(self) -> bool:
        return bool(self._lists)

    def forget(self) -> None:
        """Look again."""
        self._known.clear()
        self._parts.clear()
        self._declared = ""

    def of(self, values: Values) -> Branch:
        """The branch of some values; remembered until `forget`.

        Raises:
            ValueError: there is none, and none can be made.
            SetupError: the table is not partitioned so.
        """
        found = self._known.get(values)
        if found is None:
            found = self._find(values)
            if found.lacking:
                # Another job may have made it since the others were looked up.
                self._parts.pop(found.lacking[0].parent)
                found = self._find(values)
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            if all(len(value or "") <= MAX_LENGTH for value in values):
                self._known[values] = found
        return found

    def spots(self, period: Period) -> Iterator[Period]:
        """A period in each branch of those `there`; if the table has no branches, itself."""
        if not self:
            yield period
            return
        for branch in self.there():
            yield Spot.of(period, branch)

    def there(self) -> Iterator[Branch]:
        """Those that are there, and have partitions of their own; raises SetupError as `of` does."""
        self._declare()
        tables = [self._parent]
        for depth, column in enumerate(self._lists):
            found = [part for table in tables for part in self._read(table, column, is_root=not depth) or ()]
            tables = []
            for part in found:
                below = self._lists[depth + 1 : depth + 2]
                if below and self._read(part.table, *below) is not None:
                    tables.append(part.table)
                elif part.kind == "p":
                    yield Branch(part.table)

    def check(self) -> None:
        """Make sure that the table is partitioned so; raises SetupError if it is not."""
        self._declare()
        self._read(self._parent, self._lists[0], is_root=True)

    # Looking.

    def _find(self, values: Values) -> Branch:
        self._declare()
        table = self._parent
        for depth, column in enumerate(self._lists):
            parts = self._read(table, column, is_root=not depth)
            if parts is None:
                break
            number, written = self._choose(parts, values)
            if number is None:
                return self._lacking(table, written, depth)
            table = parts[number].table
        return Branch(table)

    def _declare(self) -> None:
        """Know the columns of lists, as SQL."""
        if self._declared:
            return
        with self._connection.cursor() as cursor:
            known = {"table": self._parent.sql, "names": list(self._columns)}
            found = {name: facts for name, *facts in queries.rows(cursor, "list_columns", **known)}
        for column in self._columns:
            if column not in found:
                raise self._error(f"it has no column {column}, which part_by names")
        for column in self._lists:
            if not found[column][1]:
                raise self._error(
                    f"its column {column} is of type {found[column][2]}, and part_by takes lists of "
                    "integers, numeric, texts, booleans, uuids and enums only"
                )
        self._declared = ", ".join(f"{quote(column)} {found[column][0]}" for column in self._lists)

    def _read(self, table: TableName, column: str, *, is_root: bool = False) -> Sequence[_Part] | None:
        """The partitions of a table; None if it is not partitioned by lists of a column."""
        if table not in self._parts:
            with self._connection.cursor() as cursor:
                rows = queries.rows(cursor, "list_partitions", table=table.sql, column=column)
            found = [_Part(TableName(schema, name), kind, what) for schema, name, kind, what in rows if name]
            self._parts[table] = found if rows else None
        if is_root and self._parts[table] is None:
            raise self._error(f"it is not partitioned by list ({column}), which part_by names first")
        return self._parts[table]

    def _choose(self, parts: Sequence[_Part], values: Values) -> tuple[int | None, Values]:
        """Which partition takes some values, None if none does; and the values as PostgreSQL writes them.

        PostgreSQL tells it by the conditions of the partitions, as it may take values for equal whose texts
        are not. These run code of pg_catalog alone, for such are the types.
        """
        cases = "".join(f" when {part.condition} then {number}" for number, part in enumerate(parts))
        choice = sql.SQL(f"case{cases} end" if cases else "null::int4")
        # Without escapes: a database of SQL_ASCII takes none.
        row = json.dumps(dict(zip(self._lists, values, strict=True)), ensure_ascii=False)
        ask = sql.SQL("select {choice}, {written} from json_to_record({row}) as v ({declared})").format(
            choice=choice,
            written=sql.SQL(", ".join(f"v.{quote(name)}::text" for name in self._lists)),
            row=sql.Literal(row),
            declared=sql.SQL(self._declared),
        )
        with self._connection.cursor() as cursor:
            cursor.execute("savepoint tdsup_branch")
            try:
                cursor.execute(ask)
            except psycopg2.DataError as error:
                cursor.execute("rollback to savepoint tdsup_branch; release savepoint tdsup_branch")
                if (error.pgcode or "")[:2] != _UNFIT:
                    raise
                raise ValueError(f"no list partition takes it (part_by): {one_line(error)}") from error
            (found,) = cursor.fetchall()
            cursor.execute("release savepoint tdsup_branch")
        return found[0], tuple(found[1:])

    # What is lacking.

    def _lacking(self, table: TableName, written: Values, depth: int) -> Branch:
        """The branch that would take some values, from the partition of a depth on."""
        lacking = []
        for number in range(depth, len(self._lists)):
            value = written[number]
            if value is not None and len(value) > MAX_LENGTH:
                raise ValueError(
                    f"there is no list partition for its {self._lists[number]} of {len(value)} characters, "
                    f"and none is made for more than {MAX_LENGTH} (part_by)"
                )
            name = self._name(table, value)
            is_last = number + 1 == len(self._lists)
            lacking.append(NewList(name, table, value, self._columns[number + 1], is_last))
            table = name
        return Branch(table, tuple(lacking))

    def _name(self, parent: TableName, value: str | None) -> TableName:
        """What a new partition is called: by its value, or by a digest of that if it is taken otherwise."""
        for name in names_of(parent, value):
            with self._connection.cursor() as cursor:
                if not queries.value(cursor, "table_exists", table=name.sql):
                    return name
        raise ValueError(f"there is no list partition for it, and a table {name} has its name (part_by)")

    def _error(self, reason: str) -> SetupError:
        return SetupError(
            f"cannot find the partitions of {self._parent}: {reason}; partition it so, or change part_by"
        )


def names_of(parent: TableName, value: str | None) -> tuple[TableName, TableName]:
    """What the list partition of a value is called, and what else if that is taken.

    Names of other values under the same parent, of lists in lists and of periods in them are others: a value
    that is a part of a name has no underscore, and two of them come before a digest only.

    Args:
        parent: what it is attached to.
        value: the value; None is NULL.
    """
    text = "null" if value is None else value
    stem = re.sub("[^a-z0-9]", "", text.lower())[:_STEM] or "x"
    digest = hashlib.sha256(f"{value is None} {text}".encode()).hexdigest()[:_DIGEST]
    long = parent.with_suffix(f"{stem}__{digest}")
    is_plain = value is None or _PLAIN.fullmatch(value)
    return (parent.with_suffix(text) if is_plain else long), long
