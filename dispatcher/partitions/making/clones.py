"""Partitions that are made like their parent: attached to it, its children, or tables of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from psycopg2 import sql

from ...postgres import TableName
from ..branches import NewList
from ..missing import MissingTable
from ..partitioning import Partitioning

Statements = Iterator[sql.Composable]

WITHIN = "{column} operator(pg_catalog.>=) {start} and {column} operator(pg_catalog.<) {end}"
"""That a value is within bounds, whichever operators users have."""


def attach(how: Partitioning, missing: MissingTable, _is_sure: bool) -> Statements:
    """Clone a native partitioned table; ATTACH locks the parent less than CREATE … PARTITION OF."""
    create = (
        "create table {table} (like {parent} including defaults including generated "
        "including constraints including storage)"
    )
    attach = "alter table {parent} attach partition {table} for values from ({start}) to ({end})"
    yield sql.SQL(create).format(**_names(how.parent, missing))
    start, end = map(sql.Literal, missing.bounds)
    yield sql.SQL(attach).format(**_names(how.parent, missing), start=start, end=end)


def attach_list(new: NewList) -> Statements:
    """Clone a table that is partitioned by lists of values, as its partition of one value."""
    create = (
        "create table {table} (like {parent} including defaults including generated "
        "including constraints including storage) partition by {how} ({column})"
    )
    attach = "alter table {parent} attach partition {table} for values in ({value})"
    names = {"table": sql.SQL(new.table.sql), "parent": sql.SQL(new.parent.sql)}
    how = sql.SQL("range" if new.is_last else "list")
    yield sql.SQL(create).format(**names, how=how, column=sql.Identifier(new.column))
    yield sql.SQL(attach).format(**names, value=sql.Literal(new.value))


def inherit(how: Partitioning, missing: MissingTable, is_sure: bool) -> Statements:
    """Clone an ordinary table as its child, with its keys and indexes.

    Where no row of a period can have a value outside of its bounds, a CHECK lets queries pass by the child.
    """
    create = (
        "create table {table} (like {parent} including all excluding generated{check}) inherits ({parent})"
    )
    check: sql.Composable = sql.SQL("")
    if is_sure:
        start, end = map(sql.Literal, missing.bounds)
        bounds = sql.SQL(f", check ({WITHIN})")
        check = bounds.format(column=sql.Identifier(how.target), start=start, end=end)
    yield sql.SQL(create).format(**_names(how.parent, missing), check=check)


def stand_alone(how: Partitioning, missing: MissingTable, _is_sure: bool) -> Statements:
    """Clone a table, partitioned or not, as one of its own."""
    yield sql.SQL("create table {table} (like {parent} including all)").format(**_names(how.parent, missing))


def _names(parent: TableName, missing: MissingTable) -> Mapping[str, sql.Composable]:
    return {"table": sql.SQL(missing.table.sql), "parent": sql.SQL(parent.sql)}


Cloner = Callable[[Partitioning, MissingTable, bool], Statements]
"""Yields the statements that clone a parent; the last argument tells whether bounds are sure to hold."""

CLONERS: dict[str, Cloner] = {"p": attach, "r": inherit}
"""By what the parent is: its ``pg_class.relkind``."""

CLONEABLE = frozenset(CLONERS)
"""What ``dest_table`` may be to be cloned, by ``pg_class.relkind``."""
