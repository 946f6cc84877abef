"""Foreign keys between the tables that a job loads."""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from ..postgres import Connection, TableName, queries


class References:
    """Which tables of the target refer to which.

    Args:
        target: connection to the database.

    Attributes:
        parents_first: tables that refer to others, or are referred to, after those to which they refer; of a
            cycle, in any order.
        is_cyclic: some tables refer to each other in a cycle.
    """

    def __init__(self, target: Connection) -> None:
        self._target = target
        self.parents_first: tuple[TableName, ...] = ()
        self.is_cyclic = False

    def look(self, tables: Iterable[TableName]) -> None:
        """Ask for the foreign keys among some tables, with their partitions."""
        known = list(tables)
        names = [table.sql for table in known]
        with self._target, self._target.cursor() as cursor:
            pairs = queries.rows(cursor, "references_among", tables=names) if len(names) > 1 else []
        graph: dict[TableName, set[TableName]] = {}
        for child, parent in pairs:
            graph.setdefault(known[child - 1], set()).add(known[parent - 1])
        try:
            self.parents_first, self.is_cyclic = tuple(TopologicalSorter(graph).static_order()), False
        except CycleError:
            self.parents_first = tuple(dict.fromkeys((*graph, *set().union(*graph.values()))))
            self.is_cyclic = True

    def ties(self, table: TableName) -> bool:
        """Whether a table refers to another one, or is referred to."""
        return table in self.parents_first
