"""The partitions that a native parent has, known well enough to see that they have changed."""

from __future__ import annotations

from ...postgres import Connection, TableName, queries

State = tuple[int, int]
"""How many tables there are, the parent among them, and a sum that any change of its partitions moves."""

NOT_NATIVE: State = 0, 0
"""The state of what has no such partitions; it has none later."""


class Tree:
    """A parent and its partitions: somebody may detach one to which rows are still written by its name.

    Args:
        connection: to the target.
        parent: the table.
        levels: how many levels of partitions count.
    """

    def __init__(self, connection: Connection, parent: TableName, levels: int) -> None:
        self._connection = connection
        self._parent = parent
        self._levels = levels
        self._seen: State | None = None

    def look(self) -> None:
        """Remember the partitions, unless they are; those that are looked up from now on are of these."""
        if self._seen is None:
            self._seen = self._state()

    def forget(self) -> None:
        """Remember none."""
        self._seen = None

    def has_changed(self) -> bool:
        """Whether there are others than those remembered.

        After rows are written, and before their commit: then no table that has some can be detached unseen.
        """
        return self._seen not in {None, NOT_NATIVE} and self._seen != self._state()

    def _state(self) -> State:
        with self._connection.cursor() as cursor:
            known = {"table": self._parent.sql, "levels": self._levels}
            count, versions = queries.rows(cursor, "tree_state", **known)[0]
        return int(count), int(versions)
