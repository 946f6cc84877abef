"""Facts of the tables that the job loads."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor

from ..partitions import Tables
from ..postgres import Connection
from ..settings import Settings
from .look import Look
from .relation import Relation, Schema, read_relation, read_schema


@dataclass(frozen=True, slots=True)
class DestTable:
    """The job's ``dest_table``.

    Attributes:
        schema: its schema; None if there is none.
        relation: the table; None if there is none, or if the role may not use the schema.
    """

    schema: Schema | None
    relation: Relation | None


@dataclass(frozen=True, slots=True)
class NewestPartition:
    """The newest table that is named like a partition of ``dest_table``.

    Attributes:
        relation: the table; None if there is none.
        attached: it is a child of ``dest_table``.
    """

    relation: Relation | None
    attached: bool = False


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What is known of the tables; None where the target could not be asked."""

    dest: DestTable | None = None
    newest: NewestPartition | None = None


def read_tables(look: Look, settings: Settings) -> TableFacts:
    """Ask for ``dest_table`` and its newest partition."""
    dest = look.read(lambda cursor: _read_dest(cursor, settings))
    if not (settings.part_field and dest and dest.schema and dest.schema.usable):
        return TableFacts(dest)
    return TableFacts(dest, look.use(lambda connection: _read_newest(connection, settings)))


def _read_dest(cursor: Cursor, settings: Settings) -> DestTable:
    name = settings.dest_table
    schema = read_schema(cursor, name.schema)
    return DestTable(schema, read_relation(cursor, name) if schema and schema.usable else None)


def _read_newest(connection: Connection, settings: Settings) -> NewestPartition:
    found = Tables(connection, settings.partitioning).newest()
    if found is None:
        return NewestPartition(None)
    name, attached = found
    with connection.cursor() as cursor:
        return NewestPartition(read_relation(cursor, name), attached)
