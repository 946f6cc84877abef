"""What keeps a table from another schema: names that others have there, and free ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from ..postgres import Connection, TableName, queries, quote

_KINDS = {"f": "foreign table", "i": "index", "I": "index", "S": "sequence"}
"""What ALTER calls a relation, by ``pg_class.relkind``, if it is no table."""


@dataclass(frozen=True, slots=True)
class Rename:
    """A new name, in the same schema, of a table that is moved or of what goes with it.

    Attributes:
        kind: ``pg_class.relkind``.
        name: what it is called.
        new: what it is to be called.
    """

    kind: str
    name: TableName
    new: str

    @property
    def sql(self) -> str:
        """The statement."""
        return f"alter {_KINDS.get(self.kind, 'table')} {self.name.sql} rename to {quote(self.new)}"


def renames(
    connection: Connection, tables: Sequence[TableName], schema: str
) -> Mapping[TableName, tuple[Rename, ...]]:
    """What is to be called otherwise before tables can be in a schema, as others have the names there.

    Args:
        connection: to the target.
        tables: each to be moved with its indexes and sequences.
        schema: where to.
    """
    by_sql = {table.sql: table for table in tables}
    found = defaultdict(list)
    with connection.cursor() as cursor:
        for sql, kind, *names in queries.rows(cursor, "names_taken", tables=list(by_sql), schema=schema):
            name = TableName(*names)
            found[by_sql[sql]].append(Rename(kind, name, _free(connection, name, schema)))
    return {table: tuple(each) for table, each in found.items()}


def _free(connection: Connection, name: TableName, schema: str) -> str:
    """A name like another one that nothing has, there or in a schema."""
    for number in count(2):
        new = name.with_suffix(str(number)).table
        with connection.cursor() as cursor:
            if not queries.value(cursor, "is_taken", schemas=[name.schema, schema], wanted=new):
                return new
    raise AssertionError("there are more numbers than relations")
