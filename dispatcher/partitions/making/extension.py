"""Extensions that partition a table by themselves: rows go through it, and its partitions are theirs."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor

from ...postgres import TableName, queries


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension.

    Attributes:
        name: what it is called.
        makes: what it makes of a table, in words.
        ahead: how there are partitions before their first row, in words.
        removal: its functions that let old partitions go.
    """

    name: str
    makes: str
    ahead: str
    removal: str

    def why_none_ahead(self, table: TableName) -> str:
        """Why ``premake`` does nothing for a table, and what to do."""
        return f"premake makes no partition of {table}, which is {self.makes}; {self.ahead}: unset premake"

    def why_none_goes(self, table: TableName) -> str:
        """Why ``retention_period`` does nothing for a table, and what to do."""
        return (
            f"no partition of {table} goes by retention_period, as it is {self.makes}; unset that, and use "
            f"{self.removal} there"
        )


TIMESCALE = Extension(
    "TimescaleDB",
    "a hypertable of TimescaleDB",
    "chunks are made as rows need them",
    "add_retention_policy or drop_chunks",
)

CITUS = Extension(
    "Citus",
    "a table of Citus",
    "create_time_partitions makes some",
    "drop_old_time_partitions",
)


def extension_of(cursor: Cursor, table: TableName) -> Extension | None:
    """The extension that partitions a table by itself; None: there is none."""
    found = queries.row(cursor, "partitioning_extensions")
    has_timescale, has_citus = found or (False, False)
    if has_timescale and queries.value(cursor, "is_hypertable", schema=table.schema, relation=table.table):
        return TIMESCALE
    if has_citus and queries.value(cursor, "is_of_citus", table=table.sql):
        return CITUS
    return None
