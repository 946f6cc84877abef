"""The newest ticks of several queues."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg2.extensions import connection as Connection

from ..postgres import queries


class Ticks:
    """Looks for new ticks of some queues. Errors of the database are raised as psycopg2's.

    Args:
        connection: to the source.
        schema: of PgQ.
        queues: names of queues; one that is not there has no ticks.
    """

    def __init__(self, connection: Connection, schema: str, queues: Sequence[str]) -> None:
        connection.autocommit = True
        self._connection = connection
        self._schema = schema
        self._known = dict.fromkeys(queues, 0)

    def look(self) -> dict[str, int]:
        """Queues whose newest tick is another one than at the last look, with its number."""
        with self._connection.cursor() as cursor:
            found = dict(
                queries.rows(
                    cursor,
                    "new_ticks",
                    pgq=self._schema,
                    queues=list(self._known),
                    ticks=list(self._known.values()),
                )
            )
        self._known.update(found)
        return found
