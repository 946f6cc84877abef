"""How a job's table is partitioned."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date

from ..postgres import TableName
from . import template
from .naming import Method, Naming
from .period import Period

EPOCH = date(1970, 1, 1)
"""The day before which computers have no dates of their own: an earlier one is a slip, or history."""


@dataclass(frozen=True, slots=True)
class Partitioning:
    """How one ``dest_table`` is partitioned, as the job's settings say.

    Attributes:
        parent: ``dest_table``.
        field: source column whose date names the partition; empty: not partitioned.
        method: how long a period is.
        template: SQL that creates a partition; blank: clone the parent.
        past: partitions are made from this day on, or from the oldest that there is.
        future: how far from today they are made, as PostgreSQL reads intervals.
        limit: most of them for one batch.
        name: what they are called; see `Naming`.
    """

    parent: TableName
    field: str
    method: Method
    template: str
    past: date = EPOCH
    future: str = "5 years"
    limit: int = 100
    name: str = ""

    @property
    def naming(self) -> Naming:
        """What partitions are called."""
        return Naming(self.parent, self.method, self.name)

    def partition(self, period: Period) -> TableName:
        """The partition of a period."""
        return self.naming.table(period.start)

    @property
    def names_key(self) -> bool:
        """Whether the template says which columns are the key, and so needs an event's."""
        return template.names_key(self.template)

    def why_no_key(self, key: Sequence[str], known: Container[str]) -> str:
        """Why a key must not get into the template, whose words are SQL; empty if it may.

        Args:
            key: names of columns, as an event or another server tells them.
            known: the columns that the parent has.
        """
        if not self.names_key:
            return ""
        if not key:
            return "part_template says _PKEY, and the event names no key"
        strange = next((name for name in key if name not in known), None)
        return (
            ""
            if strange is None
            else (f"part_template says _PKEY, and {self.parent} has no column {strange[:63]!r}")
        )
