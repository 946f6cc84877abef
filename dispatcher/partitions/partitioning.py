"""How a job's table is partitioned."""

from __future__ import annotations

from dataclasses import dataclass

from ..postgres import TableName
from .period import Method


@dataclass(frozen=True, slots=True)
class Partitioning:
    """How one ``dest_table`` is partitioned, as the job's settings say.

    Attributes:
        parent: ``dest_table``.
        field: source column whose date names the partition; empty: not partitioned.
        method: how long a period is.
        template: SQL that creates a partition; blank: clone the parent.
    """

    parent: TableName
    field: str
    method: Method
    template: str
