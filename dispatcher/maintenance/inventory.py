"""The partitions of a table, with the times that they hold."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import astuple, dataclass, replace
from itertools import chain

from ..partitions import Partitioning, Period, mark_pattern, read_record
from ..postgres import Connection, TableName, queries
from .calendar import Bounds, Calendar

MOST_BEFORE, MOST_AFTER = 20_000, 1000
"""Periods around the present one whose partitions are known by their names: days of 54 years."""

YEAR = 366 * 86400
"""Seconds. All of today's numbers are of 1970 if they count seconds and are taken for milliseconds."""


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition, or a table that was one.

    Attributes:
        table: its name.
        kind: ``pg_class.relkind``.
        parent: the table that it is attached to, or a child of; None: it stands alone.
        is_native: that is natively partitioned; of one that stands alone: the job's table is, and it may have
            been detached from there.
        is_shared: it is a child of a table of others, too.
        beside_default: that table has a default partition.
        is_pending: its detach has begun and not ended.
        is_default: it is the default partition.
        is_marked: it was to be dropped after its detach.
        is_owned: the role acts for its owner, and for its parent's.
        bounds: what it holds; None: nobody knows.
        comment: of it.
        prepared: if it is marked, its rows as `Remover` has prepared them; empty: it did not.
        is_doubted: its bounds are numbers, of 1970 by ``part_epoch``, and its name is not of that year.
    """

    table: TableName
    kind: str
    parent: TableName | None
    is_native: bool
    is_shared: bool
    beside_default: bool
    is_pending: bool
    is_default: bool
    is_marked: bool
    is_owned: bool
    bounds: Bounds | None
    comment: str = ""
    prepared: str = ""
    is_doubted: bool = False

    def facts(self, prepared: str) -> str:
        """What a mark tells of it, which is known no longer when it is detached."""
        assert self.bounds is not None
        return json.dumps([*astuple(self.bounds), prepared])

    def recalled(self, facts: str) -> Partition:
        """The same, with what a mark tells; without bounds if somebody has changed that."""
        try:
            start, end, since, until, prepared = json.loads(facts)
            bounds = Bounds(str(start), str(end), float(since), float(until))
        except (TypeError, ValueError):
            return replace(self, bounds=None)
        return replace(self, bounds=bounds, prepared=str(prepared))

    @property
    def has_parts(self) -> bool:
        """Whether its partitions go by their age, and not it: it has no time, as a partition of lists."""
        return self.kind == "p" and self.bounds is None

    @property
    def is_unread(self) -> bool:
        """Whether it should have a time, and nobody knows it."""
        return bool(self.parent) and not (self.bounds or self.is_default or self.has_parts)

    @property
    def is_attached(self) -> bool:
        """Whether it is attached to a natively partitioned table."""
        return self.is_native and self.parent is not None


def read_inventory(
    connection: Connection, partitioning: Partitioning, zone: str, moment: float
) -> list[Partition]:
    """The partitions of a table, in the order of their names, and tables apart that are named like them.

    Args:
        connection: to the target.
        partitioning: how the table is partitioned.
        zone: time zone of days that have none of their own.
        moment: the present one, in seconds since 1970.
    """
    parent = partitioning.parent
    with connection.cursor() as cursor:
        rows = queries.rows(
            cursor,
            "partition_inventory",
            schema=parent.schema,
            table=parent.sql,
            pattern=partitioning.naming.pattern,
            unit=partitioning.unit,
            column=partitioning.target,
            alone=partitioning.kind == "alone",
            mark=mark_pattern(parent),
            zone=partitioning.zone or zone,
        )
    found = [_partition(*row) for row in rows]
    if any(each.is_marked and each.parent is None for each in found):
        marks = _marks(connection, parent)
        found = [
            each.recalled(marks[each.table]) if each.parent is None and each.table in marks else each
            for each in found
        ]
    comments = {each.table: each.comment for each in found if each.bounds is None and not each.is_attached}
    told = _told(connection, partitioning, zone, moment, comments) if comments else {}
    return [
        replace(each, bounds=told.get(each.table))
        if each.table in comments
        else replace(each, is_doubted=bool(partitioning.unit) and _is_of_1970(each, parent))
        for each in found
    ]


def _is_of_1970(partition: Partition, parent: TableName) -> bool:
    """Whether its bounds are of 1970, and its name is not: they may count another unit of time."""
    bounds, name = partition.bounds, partition.table.table.removeprefix(parent.table)
    return bounds is not None and 0 < bounds.end_moment <= YEAR and "1970" not in name


def _partition(
    schema: str,
    name: str,
    kind: str,
    parent_schema: str | None,
    parent_name: str | None,
    *facts: bool | str | float | None,
) -> Partition:
    is_native, is_shared, beside_default, is_pending, is_default, is_marked, is_owned, *told = facts
    start, end, start_moment, end_moment, comment = told
    return Partition(
        TableName(schema, name),
        kind,
        TableName(parent_schema, parent_name) if parent_schema and parent_name else None,
        bool(is_native),
        bool(is_shared),
        bool(beside_default),
        bool(is_pending),
        bool(is_default),
        bool(is_marked),
        bool(is_owned),
        None
        if start_moment is None or end_moment is None
        else Bounds(str(start), str(end), float(start_moment), float(end_moment)),
        str(comment or ""),
    )


def _marks(connection: Connection, parent: TableName) -> Mapping[TableName, str]:
    """What marks tell, by table."""
    with connection.cursor() as cursor:
        rows = queries.rows(cursor, "marks", mark=mark_pattern(parent))
    return {TableName(schema, name): facts for schema, name, facts in rows}


def _told(
    connection: Connection,
    partitioning: Partitioning,
    zone: str,
    moment: float,
    comments: Mapping[TableName, str],
) -> dict[TableName, Bounds]:
    """The bounds of tables that have the names of partitions of some period, or comments that tell one.

    Where the two differ, ``part_method`` was another one before: rows of both periods may be there.
    """
    calendar = Calendar(connection, partitioning, zone)
    told = {
        table: calendar.bounds(period) for table, period in _named(calendar, partitioning, moment, comments)
    }
    for table, comment in comments.items():
        if period := read_record(comment):
            bounds = calendar.bounds(period)
            told[table] = bounds.with_all_of(told.get(table, bounds))
    return told


def _named(
    calendar: Calendar, partitioning: Partitioning, moment: float, wanted: Collection[TableName]
) -> Iterator[tuple[TableName, Period]]:
    """Those of some tables that have the name of a partition, each with its period."""
    left, now = len(wanted), calendar.period(moment)
    for period in chain(calendar.forwards(now, MOST_AFTER), calendar.backwards(now, MOST_BEFORE)):
        table = partitioning.partition(period)
        if table in wanted:
            yield table, period
            left -= 1
        if not left:
            return
