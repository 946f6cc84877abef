"""Tables of the source as ``ev_extra1`` names them; a partition counts as the table that it is a part of.

Triggers of a partitioned table are cloned to its partitions, and write the partition's name into events.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from psycopg2 import sql

from ..postgres import Connection, queries
from ..settings import Settings


class SourceTables:
    """The tables whose rows a job loads.

    Args:
        connection: to the source.
        settings: the job's.
        roots: what is known already: for the names of partitions, the tables that they are parts of. It is
            added to, and nothing is removed, so that events of a partition that is gone are known by it.

    Attributes:
        truncates: a trigger on truncate of a table that is loaded feeds the queue.
    """

    def __init__(self, connection: Connection, settings: Settings, roots: dict[bytes, bytes]) -> None:
        self._connection = connection
        self._settings = settings
        self._roots = roots
        self._filter = list(settings.source_tables)
        self._wanted = [name.encode() for name in settings.source_tables]
        self._fed: dict[bytes, bytes] = {}
        self._strange: set[bytes] = set()
        self.truncates = False
        self.look()

    def look(self) -> None:
        """Ask the source again."""
        names = {"pgq": self._settings.pgq_schema, "queue": self._settings.queue}
        with self._connection.cursor() as cursor:
            fed = queries.rows(cursor, "feeding_tables", **names)
            parts = queries.rows(cursor, "partitions_of", tables=self._filter) if self._filter else fed
        self._fed = {name.encode(): root.encode() for name, root, _ in fed}
        self._roots.update((name.encode(), root.encode()) for name, root, *_ in parts)
        self.truncates = any(
            truncates and (not self._wanted or self.root(name.encode()) in self._wanted)
            for name, _, truncates in fed
        )

    def learn(self, names: AbstractSet[bytes]) -> None:
        """Ask the source about names of loaded events that are not known yet; each is asked for once."""
        if names - self._roots.keys() - self._strange:
            self.look()
            self._strange |= names - self._roots.keys()

    def root(self, name: bytes) -> bytes:
        """The table that a name stands for."""
        return self._roots.get(name, name)

    @property
    def only(self) -> bytes | None:
        """The one table whose rows are loaded; None if there may be others.

        It is the only one that ``table_filter`` names, or the only one whose triggers feed the queue.
        """
        tables = self._wanted or list(set(self._fed.values()))
        return tables[0] if len(tables) == 1 else None

    @property
    def filter_is_idle(self) -> bool:
        """Whether the queue has triggers, and none of them is on a table that ``table_filter`` names."""
        return bool(self._wanted and self._fed) and not any(
            self.root(name) in self._wanted or name in self._wanted for name in self._fed
        )

    @property
    def names(self) -> list[str]:
        """Names of events that are loaded, as far as they are known; empty: all are loaded."""
        parts = [name for name, root in self._roots.items() if root in self._wanted]
        return [name.decode() for name in dict.fromkeys((*self._wanted, *parts))] if self._wanted else []

    def condition(self) -> sql.Composable | None:
        """SQL that is true of an event that is loaded, by the catalog as of then; None: all are loaded."""
        if not self._wanted:
            return None
        with self._connection.cursor() as cursor:
            parts = queries.bound(cursor, "partitions_of", tables=self._filter).decode()
        return sql.SQL(
            "ev_extra1 in (select unnest({}::text[]) union all select name from ({}) parts)"
        ).format(sql.Literal(self.names), sql.SQL(parts.strip().removesuffix(";")))
