"""Parents that are partitioned by something else than the time: only PostgreSQL knows where rows go."""

from __future__ import annotations

from ...postgres import Connection, queries
from ..partitioning import Partitioning
from .extension import extension_of


def other_key(connection: Connection, how: Partitioning) -> str:
    """By what else than the time a parent is natively partitioned; empty: by that, or it is not.

    If so, no partition of it is made.

    Args:
        connection: to the target.
        how: how it is to be partitioned.
    """
    if not how.field or how.lists or how.kind == "alone":
        return ""
    nothing = dict.fromkeys(("start", "end", "since", "until"))
    known = {"table": how.parent.sql, "unit": how.unit, "column": how.bounded, "zone": "UTC", **nothing}
    with connection.cursor() as cursor:
        found = queries.row(cursor, "partition_key", table=how.parent.sql)
        if found is None or queries.rows(cursor, "partition_ranges", **known):
            return ""
        return "" if extension_of(cursor, how.parent) else str(found[0])
