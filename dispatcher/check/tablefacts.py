"""Facts of schemas and tables: those that the job loads, and what its role may do with them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor

from ..errors import SetupError
from ..partitions import Extension, Tables, extension_of, other_key
from ..postgres import Connection, TableName, nearest, queries
from ..settings import Settings
from .look import Look

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


@dataclass(frozen=True, slots=True)
class DestTable:
    """The job's ``dest_table``.

    Attributes:
        schema: its schema; None if there is none.
        relation: the table; None if there is none, or if the role may not use the schema.
        near: if there is none, the one that may have been meant; None if no name is like it.
        extension: what partitions it by itself; None: nothing does.
    """

    schema: Schema | None
    relation: Relation | None
    near: TableName | None = None
    extension: Extension | None = None


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
    """What is known of the tables; None where the target could not be asked.

    Attributes:
        dest: ``dest_table``.
        newest: its newest partition; None, too, if there are list partitions, of which none is the newest.
        otherwise: why it is not partitioned as ``part_by`` says; empty: it is, or that is not asked for.
        other_key: as `other_key` tells it.
        closed: partitions to which the role lacks rights, and these, the newest first.
    """

    dest: DestTable | None = None
    newest: NewestPartition | None = None
    otherwise: str = ""
    other_key: str = ""
    closed: tuple[tuple[TableName, frozenset[str]], ...] = ()


def read_tables(look: Look, settings: Settings) -> TableFacts:
    """Ask for ``dest_table`` and its newest partition."""
    dest = look.read(lambda cursor: _read_dest(cursor, settings))
    if not (settings.part_field and dest and dest.schema and dest.schema.usable) or dest.extension:
        return TableFacts(dest)
    if settings.part_by:
        asked = dest.relation and look.use(lambda connection: _why_otherwise(connection, settings))
        return TableFacts(dest, otherwise=asked or "")
    newest = look.use(lambda connection: _read_newest(connection, settings))
    other = look.use(lambda connection: other_key(connection, settings.partitioning))
    closed = look.read(lambda cursor: _read_closed(cursor, settings.dest_table))
    return TableFacts(dest, newest, other_key=other or "", closed=closed or ())


@dataclass(frozen=True, slots=True)
class Lack:
    """A column that the job's file names, and that the table of its rows does not have.

    Attributes:
        table: the table.
        name: the column.
        key: the key of the file.
        known: the columns that the table has.
    """

    table: TableName
    name: str
    key: str
    known: tuple[str, ...]

    @property
    def reason(self) -> str:
        """What the job would say at the first row."""
        return f"table {self.table} has no column {self.name}, which {self.key} names"


def read_lacks(connection: Connection, settings: Settings) -> list[Lack]:
    """The columns that rows would lack in their newest table, unless the job adds them or leaves them out."""
    tables = Tables(connection, settings.partitioning)
    newest = tables.newest() if settings.part_field else None
    if newest is None and settings.part_field and settings.part_template.strip():
        # It says what columns there will be.
        return []
    table = newest[0] if newest else settings.dest_table
    if settings.on_new_column != "dead_letter" or not tables.exists(table):
        return []
    known = tables.columns(table).keys()
    targets = settings.fields.named_targets
    return [Lack(table, name, key, tuple(known)) for name, key in targets.items() if name not in known]


def _read_dest(cursor: Cursor, settings: Settings) -> DestTable:
    name = settings.dest_table
    schema = read_schema(cursor, name.schema)
    if schema and not schema.usable:
        return DestTable(schema, None)
    relation = read_relation(cursor, name) if schema else None
    if relation is None:
        return DestTable(schema, None, _read_near(cursor, name))
    return DestTable(schema, relation, extension=extension_of(cursor, name))


def _read_near(cursor: Cursor, name: TableName) -> TableName | None:
    """The table of the same schema whose name is most like it, else another schema's of that very name."""
    tables = [TableName(*found) for found in queries.rows(cursor, "some_tables", schema=name.schema)]
    near = nearest(name.table, (one.table for one in tables if one.schema == name.schema))
    if near:
        return TableName(name.schema, near)
    return next((one for one in tables if one.table == name.table), None)


def _read_closed(cursor: Cursor, parent: TableName) -> tuple[tuple[TableName, frozenset[str]], ...]:
    found = queries.rows(cursor, "closed_partitions", table=parent.sql, rights=_RIGHTS)
    return tuple((TableName(schema, name), frozenset(denied)) for schema, name, denied in found)


def _why_otherwise(connection: Connection, settings: Settings) -> str:
    """Why ``dest_table`` is not partitioned as ``part_by`` says; empty: it is."""
    try:
        Tables(connection, settings.partitioning).branches.check()
    except SetupError as error:
        return str(error)
    return ""


def _read_newest(connection: Connection, settings: Settings) -> NewestPartition:
    found = Tables(connection, settings.partitioning).newest()
    if found is None:
        return NewestPartition(None)
    name, attached = found
    with connection.cursor() as cursor:
        return NewestPartition(read_relation(cursor, name), attached)
