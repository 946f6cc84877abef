"""Tables of the source as ``ev_extra1`` names them; a partition counts as the table that it is a part of.

Triggers of a partitioned table are cloned to its partitions, and write the partition's name into events.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from psycopg2 import sql

from ..postgres import Connection, queries
from ..settings import Settings, most_exact

MAX_STRANGE = 4096
"""Most names that are known to stand for nothing."""


class SourceTables:
    """The tables whose rows a job loads.

    Args:
        connection: to the source.
        settings: the job's.
        roots: what is known already: for the names of partitions, the tables that they are parts of. It is
            added to, and nothing is removed, so that events of a partition that is gone are known by it.

    Attributes:
        truncated: the tables that are loaded and have a trigger on truncate that feeds the queue.
    """

    def __init__(self, connection: Connection, settings: Settings, roots: dict[bytes, bytes]) -> None:
        self._connection = connection
        self._settings = settings
        self._roots = roots
        # Events of other tables are left out.
        self._filters = bool(settings.wanted)
        self._filter = [str(name) for name in settings.wanted if not name.is_pattern]
        self._patterns = [name.regex for name in settings.wanted if name.is_pattern]
        self._wanted = [name.encode() for name in self._filter]
        self._fed: dict[bytes, bytes] = {}
        self._strange: set[bytes] = set()
        self.truncated: frozenset[bytes] = frozenset()
        self.look()

    def look(self) -> None:
        """Ask the source again."""
        names = {"pgq": self._settings.pgq_schema, "queue": self._settings.queue}
        with self._connection.cursor() as cursor:
            fed = queries.rows(cursor, "feeding_tables", **names)
            parts = queries.rows(cursor, "partitions_of", **self._which) if self._filters else fed
        self._fed = {name.encode(): root.encode() for name, root, _ in fed}
        self._roots.update((name.encode(), root.encode()) for name, root, *_ in parts)
        truncated = (self.root(name.encode()) for name, _, truncates in fed if truncates)
        self.truncated = frozenset(root for root in truncated if self.wants(root))

    @property
    def truncates(self) -> bool:
        """Whether a trigger on truncate of a table that is loaded feeds the queue."""
        return bool(self.truncated)

    @property
    def _which(self) -> dict[str, Any]:
        """The tables whose events are read, for a statement."""
        return {"tables": self._filter, "patterns": [f"^(?:{each})$" for each in self._patterns]}

    def wants(self, root: bytes) -> bool:
        """Whether events of a table, which is no partition, are loaded."""
        name = root.decode("utf-8", "backslashreplace")
        return not self._filters or most_exact(self._settings.wanted, name) is not None

    @property
    def whole(self) -> SourcePart:
        """All of them, for one table of the target."""
        return SourcePart(self, None, is_whole=True)

    def part(self, only: bytes | None) -> SourcePart:
        """Some of several; `only`: the one whose rows are loaded, None: there may be others."""
        return SourcePart(self, only)

    def learn(self, names: AbstractSet[bytes]) -> None:
        """Ask the source about names of loaded events that are not known yet; each is asked for once."""
        if names - self._roots.keys() - self._strange:
            self.look()
            if len(self._strange) + len(names) > MAX_STRANGE:
                # Whoever writes events names tables as he likes.
                self._strange.clear()
            self._strange |= names - self._roots.keys()

    def root(self, name: bytes) -> bytes:
        """The table that a name stands for."""
        return self._roots.get(name, name)

    def knows(self, name: bytes) -> bool:
        """Whether it is known what a name stands for, or was asked since it came."""
        return name in self._roots or name in self._strange

    @property
    def only(self) -> bytes | None:
        """The one table whose rows are loaded; None if there may be others.

        It is the only one that ``table_filter`` names, or the only one whose triggers feed the queue.
        """
        if self._patterns:
            return None
        tables = self._wanted or list(set(self._fed.values()))
        return tables[0] if len(tables) == 1 else None

    @property
    def feeding(self) -> frozenset[str]:
        """The tables whose triggers feed the queue, as they were when it was asked last."""
        return frozenset(root.decode("utf-8", "backslashreplace") for root in self._fed.values())

    @property
    def filter_is_idle(self) -> bool:
        """Whether the queue has triggers, and none of them is on a table whose events are read."""
        return bool(self._filters and self._fed) and not any(
            self.wants(self.root(name)) or self.wants(name) for name in self._fed
        )

    @property
    def names(self) -> list[str]:
        """Names of events that are loaded, as far as they are known; empty: all are loaded."""
        if not self._filters:
            return []
        parts = [name for name, root in self._roots.items() if self.wants(root)]
        return [name.decode() for name in dict.fromkeys((*self._wanted, *parts))]

    def condition(self) -> sql.Composable | None:
        """SQL that is true of an event that is loaded, by the catalog as of then; None: all are loaded."""
        if not self._filters:
            return None
        with self._connection.cursor() as cursor:
            parts = queries.bound(cursor, "partitions_of", **self._which).decode()
        found = sql.SQL(
            "ev_extra1 in (select unnest({}::text[]) union all select name from ({}) parts)"
        ).format(sql.Literal(self.names), sql.SQL(parts.strip().removesuffix(";")))
        if not self._patterns:
            return found
        like = sql.Literal(self._which["patterns"])
        return sql.SQL("({} or ev_extra1 ~ any ({}::text[]))").format(found, like)


@dataclass(frozen=True, slots=True)
class SourcePart:
    """The tables of the source whose rows are loaded into one table of the target.

    Attributes:
        tables: all that are loaded.
        one: the only one of this part; None: there may be others.
        is_whole: the part is all of them.
    """

    tables: SourceTables
    one: bytes | None
    is_whole: bool = False

    @property
    def only(self) -> bytes | None:
        """The one table whose rows are loaded; None if there may be others."""
        return self.tables.only if self.is_whole else self.one

    @property
    def truncates(self) -> bool:
        """Whether a trigger on truncate of such a table feeds the queue."""
        return self.tables.truncates if self.one is None else self.one in self.tables.truncated

    def root(self, name: bytes) -> bytes:
        """As `SourceTables.root`."""
        return self.tables.root(name)
