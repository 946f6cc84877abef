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

    Attributes:
        had_events: there were events before a tick that the last look has found, by the queues' own counts.
    """

    def __init__(self, connection: Connection, schema: str, queues: Sequence[str]) -> None:
        connection.autocommit = True
        self._connection = connection
        self._schema = schema
        self._known = dict.fromkeys(queues, 0)
        self._sequences: dict[str, int] = {}
        self.had_events = False

    def look(self) -> dict[str, int]:
        """Queues whose newest tick is another one than at the last look, with its number."""
        with self._connection.cursor() as cursor:
            found = queries.rows(
                cursor,
                "new_ticks",
                pgq=self._schema,
                queues=list(self._known),
                ticks=list(self._known.values()),
            )
        sequences = {queue: sequence for queue, _tick, sequence in found}
        # PgQ also makes ticks of queues without events.
        self.had_events = any(self._sequences.get(queue, now) != now for queue, now in sequences.items())
        self._sequences.update(sequences)
        ticks = {queue: tick for queue, tick, _sequence in found}
        self._known.update(ticks)
        return ticks
