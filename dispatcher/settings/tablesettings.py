"""The keys of a section ``[table …]``: one of several tables that a job loads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import combinations, product

from pydantic import ConfigDict, Field

from ..partitions import Partitioning
from ..postgres import TableName
from .keyvalues import Table
from .rowsettings import RowSettings
from .sourcename import OWN_NAME, SCHEMA, TABLE, SourceName, target_of


class TableSettings(RowSettings):
    """Where rows of some tables of the source go, and how; what a section leaves out is as in the job's."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True, extra="ignore")

    dest_table: Table = Field(
        OWN_NAME,
        description="Table to load. %(schema)s and %(table)s stand for the names of the source's table.",
    )


def clashes(tables: Mapping[str, TableSettings], own: TableName) -> Iterator[str]:
    """Why some sections cannot stand beside each other, or beside the job's own ``dest_table``."""
    known = [
        (f"[table {name}]", source := SourceName.parse(name), _loaded(source, keys.dest_table))
        for name, keys in tables.items()
    ]
    for (one, first, dest), (other, second, its_dest) in combinations(known, 2):
        if first == second:
            yield f"{one} and {other} are for the same table; make them one"
        elif first.is_pattern and second.is_pattern and len(first) == len(second) and first.overlaps(second):
            yield (
                f"{one} and {other} may both mean the same table, and the longer one counts: make one of "
                "them longer"
            )
        elif dest is not None and dest == its_dest:
            yield f"{one} and {other} load into the same table, {dest}; make them one, with a pattern"
    for name, _source, dest in known:
        if dest == own:
            yield f"{name} loads into {dest}, which is the job's own dest_table already"
    dests = [dest for _name, _source, dest in known]
    for (name, _source, dest), (parent, keys) in product(known, zip(dests, tables.values(), strict=True)):
        if dest and parent and _is_named_like_a_partition(dest, parent, keys.partitioning):
            yield (
                f"{name} loads into {dest}, which is named like a partition of {parent}: set part_name "
                "there, or rename one of them"
            )


def _is_named_like_a_partition(table: TableName, parent: TableName, how: Partitioning) -> bool:
    pattern = replace(how, parent=parent).naming.pattern
    return bool(how.field) and table.schema == parent.schema and bool(re.search(pattern, table.table))


def _loaded(source: SourceName, dest: TableName) -> TableName | None:
    """The one table that a section loads; None: there may be several."""
    if source.is_pattern:
        return None if SCHEMA in str(dest) or TABLE in str(dest) else dest
    try:
        return target_of(dest, str(source))
    except ValueError as error:
        raise ValueError(f"[table {source}] must have another dest_table: {error}") from None
