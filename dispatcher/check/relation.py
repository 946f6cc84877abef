"""Schemas and relations, and what the job's role may do with them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor

from ..postgres import TableName, queries

_RIGHTS = ["insert", "select", "update", "delete", "truncate"]


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema.

    Attributes:
        usable: the role may use what is in it.
        may_create: the role may create tables in it.
        owned: the role acts for its owner.
    """

    usable: bool
    may_create: bool
    owned: bool


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, a view or the like.

    Attributes:
        name: its name.
        kind: its ``pg_class.relkind``.
        has_children: it has partitions or tables that inherit from it.
        owned: the role acts for its owner.
        guarded: its row security holds for the role.
        denied: rights that the role lacks, even to single columns.
    """

    name: TableName
    kind: str
    has_children: bool
    owned: bool
    guarded: bool
    denied: frozenset[str]

    def lacking(self, rights: Iterable[str]) -> list[str]:
        """Those of some rights that the role lacks."""
        return [right for right in rights if right in self.denied]


def read_schema(cursor: Cursor, name: str) -> Schema | None:
    """A schema; None if there is none of that name."""
    rights = queries.row(cursor, "schema_state", schema=name)
    return Schema(*rights) if rights else None


def read_relation(cursor: Cursor, name: TableName) -> Relation | None:
    """A relation; None if there is none of that name."""
    state = queries.row(cursor, "table_state", table=name.sql, rights=_RIGHTS)
    if state is None:
        return None
    kind, has_children, owned, guarded, denied = state
    return Relation(name, kind, has_children, owned, guarded, frozenset(denied))
