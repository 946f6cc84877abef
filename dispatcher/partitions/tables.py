"""Tables of the target, looked up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

from ..errors import SetupError
from ..postgres import MAX_BYTES, Connection, TableName, queries
from .branches import Branches, Spot
from .making.bounds import Bounds
from .making.extension import Extension, extension_of
from .making.record import mark_pattern
from .making.tree import Tree
from .partitioning import Partitioning
from .period import Period
from .place import Place
from .uniqueness import Uniqueness

MAX_PLACES = 4096
"""Most periods whose places are remembered."""

MAX_NEAR = 32
"""Most branches that are gone through one by one: with more, the parent of all may be faster."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table of the target.

    Attributes:
        generated: the table computes it from other columns.
        canonical: equal values have equal texts, whatever the producer's settings: integers, texts and the
            like, but not times, fractions or bytes.
        is_array: it holds arrays.
        type: ``pg_type.typname``; of an array or a domain, the type that it is made of.
        equals: the operator by which values are equal, as SQL.
        declared: the very type, with its modifiers and collation.
    """

    generated: bool
    canonical: bool
    is_array: bool
    type: str
    equals: str
    declared: str


class Tables:
    """The tables that one job loads, looked up and remembered. Changes nothing in the target.

    Args:
        connection: to the target.
        partitioning: how ``dest_table`` is partitioned.
        time_zone: of the source; the days of partitions of moments are days there.

    Attributes:
        connection: as given.
        time_zone: as given.
        uniqueness: what names one row of a table.
        branches: of ``dest_table``.
        partitioning: as given.
        bounds: of the partitions of ``dest_table``.
        tree: of `dest_table`, as it was when places were looked up.
    """

    def __init__(self, connection: Connection, partitioning: Partitioning, time_zone: str = "UTC") -> None:
        self.connection = connection
        self.uniqueness = Uniqueness(connection, partitioning.columns)
        self.branches = Branches(connection, partitioning.parent, partitioning.columns)
        self.partitioning = partitioning
        self.time_zone = time_zone
        self.bounds = Bounds(connection, partitioning, time_zone)
        self.tree = Tree(connection, partitioning.parent, 1 + len(partitioning.lists))
        self._within: dict[TableName, Tables] = {}
        self._places: dict[Period, Place] = {}
        self._full: set[Period] = set()
        self._is_native: bool | None = None
        self._extension: Extension | None = None
        self._has_asked = False
        self._known: set[TableName] = set()
        self._copied: dict[TableName, bool] = {}
        self._columns: dict[TableName, dict[str, Column]] = {}

    def exists(self, table: TableName) -> bool:
        """Whether the target has the table; a yes is remembered.

        Raises:
            SetupError: PostgreSQL would cut the name off, and find or create another table.
        """
        if table in self._known:
            return True
        if not table.fits:
            raise SetupError(
                f"cannot load into {table}: the name is longer than PostgreSQL's {MAX_BYTES} bytes"
            )
        with self.connection.cursor() as cursor:
            if not queries.value(cursor, "table_exists", table=table.sql):
                return False
        self._known.add(table)
        return True

    def place(self, period: Period) -> Place:
        """Where rows of a period go; remembered until something is made.

        Raises:
            SetupError: PostgreSQL would cut the name of the partition off.
        """
        if period not in self._places:
            self.tree.look()
            if len(self._places) >= MAX_PLACES:
                self._places.clear()
            if isinstance(period, Spot):
                self._places[period] = _place_in_branch(self, period)
            elif self.branches:
                self._places[period] = _place_in_any(self, period)
            elif self.extension() is not None:
                self._places[period] = Place(self.partitioning.parent)
            else:
                self._places[period] = self._place(period)
        return self._places[period]

    def forget_places(self, full: Period | None = None) -> None:
        """Look again where rows go; for `full`, no partition can be made: the parent takes its rows."""
        self._places.clear()
        self.tree.forget()
        self.branches.forget()
        for each in self._within.values():
            each.forget_places()
        self._is_native = None
        self._has_asked = False
        if full is not None:
            self._full.add(full)

    def extension(self) -> Extension | None:
        """What partitions ``dest_table`` by itself; None: nothing does. Remembered as places are."""
        if not self._has_asked:
            with self.connection.cursor() as cursor:
                self._extension = extension_of(cursor, self.partitioning.parent)
            self._has_asked = True
        return self._extension

    def of(self, period: Period) -> Tables:
        """The tables among which the partition of a period is: those of its branch, or these."""
        if not isinstance(period, Spot):
            return self
        table = period.branch.table
        if table not in self._within:
            how = self.partitioning.within(table)
            self._within[table] = Tables(self.connection, how, self.time_zone)
        return self._within[table]

    def _place(self, period: Period) -> Place:
        parent = self.partitioning.parent
        named = self.partitioning.partition(period)
        there = self.exists(named)
        if self.partitioning.kind == "alone":
            return Place(named if there else None)
        if self._is_native is None:
            self._is_native = self.kind(parent) == "p"
        if not self._is_native:
            return Place(named if there else None)
        bounded = self.bounds.place(period)
        if there and bounded.is_open and _is_apart(self.connection, named, parent):
            return Place(named)
        return Place(parent, is_routed=bounded.is_routed) if period in self._full else bounded

    def name_for(self, period: Period) -> TableName:
        """What a new partition for a period, or for a part of it, is called."""
        if isinstance(period, Spot):
            return self.of(period).name_for(period.period)
        named = self.partitioning.partition(period)
        if not self.exists(named):
            return named
        # Somebody has made one of that name, for another part; and perhaps of the next name, too.
        rest, gap = named.with_suffix("rest"), self.place(period).gap
        if gap is None or not self.exists(rest):
            return rest
        return named.with_suffix("rest_" + re.sub(r"\W+", "_", gap.start_text))

    def columns(self, table: TableName, *, fresh: bool = False) -> dict[str, Column]:
        """A table's columns by name, from memory if they are there; `fresh`: ask the target again."""
        if fresh or table not in self._columns:
            with self.connection.cursor() as cursor:
                found = queries.rows(cursor, "table_columns", table=table.sql)
            self._columns[table] = {name: Column(*facts) for name, *facts in found}
        return self._columns[table]

    def forget_columns(self) -> None:
        """Ask for the columns of every table again when they are next needed, and for unique ones."""
        self._columns.clear()
        self.uniqueness.forget()

    def kind(self, table: TableName) -> str | None:
        """What the table is, by ``pg_class.relkind``; None if the target does not have it. Not remembered."""
        with self.connection.cursor() as cursor:
            found = queries.row(cursor, "table_kind", table=table.sql)
        return found[0] if found else None

    def newest(self) -> tuple[TableName, bool] | None:
        """The newest table that is named like a partition, and whether it is a child; None: there is none.

        Of what an extension partitions, it is ``dest_table``; of a table with branches, none is.
        """
        if self.branches:
            return None
        parent, naming = self.partitioning.parent, self.partitioning.naming
        if self.extension():
            return parent, False
        named = {"schema": parent.schema, "pattern": naming.pattern, "order": naming.order}
        with self.connection.cursor() as cursor:
            found = queries.row(cursor, "newest_partition", table=parent.sql, **named)
        return (TableName(parent.schema, found[0]), found[1]) if found else None

    def takes_copy(self, table: TableName) -> bool:
        """Whether the table takes COPY, and not only INSERT: a view does not, nor one with row security.

        It is remembered. Row security counts if it holds for the role.
        """
        if table not in self._copied:
            with self.connection.cursor() as cursor:
                self._copied[table] = bool(queries.value(cursor, "takes_copy", table=table.sql))
        return self._copied[table]

    def roots(self) -> tuple[TableName, ...]:
        """The tables that hold all rows between them: ``dest_table``, and partitions not attached to it."""
        parent = self.partitioning.parent
        named = {"schema": parent.schema, "pattern": self.partitioning.naming.pattern}
        named["column"] = self.partitioning.target
        with self.connection.cursor() as cursor:
            apart = (
                queries.rows(cursor, "partitions_apart", table=parent.sql, mark=mark_pattern(), **named)
                if self.partitioning.field and not self.branches
                else []
            )
            there = queries.value(cursor, "table_exists", table=parent.sql)
        return (*([parent] if there else []), *(TableName(parent.schema, name) for (name,) in apart))


def _is_apart(connection: Connection, table: TableName, parent: TableName) -> bool:
    """Whether a table is no partition, and stays so: what is about to be dropped takes no rows."""
    with connection.cursor() as cursor:
        if queries.value(cursor, "is_child", table=table.sql, parent=parent.sql):
            return False
        return not queries.value(cursor, "is_doomed", table=table.sql, mark=mark_pattern())


def _place_in_any(tables: Tables, period: Period) -> Place:
    """Where rows of a period may be: which branch it is, only a whole row tells."""
    spots = list(islice(tables.branches.spots(period), MAX_NEAR + 1))
    found = (tables.place(spot).table for spot in spots if len(spots) <= MAX_NEAR)
    return Place(tables.partitioning.parent, near=tuple(dict.fromkeys(filter(None, found))))


def _place_in_branch(tables: Tables, spot: Spot) -> Place:
    """Where rows of a period in a branch go."""
    if spot.branch.lacking:
        return Place(None)
    kind = tables.kind(spot.branch.table)
    if kind == "p":
        return tables.of(spot).place(spot.period)
    return Place(spot.branch.table if kind else None)
