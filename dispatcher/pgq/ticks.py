"""Several queues and their consumers, as one look at the source shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..postgres import Connection, queries
from .bulletin import Bulletin
from .eventsbetween import with_events
from .standing import Consumers, standings

AT_ONCE = 100
"""Queues whose events are looked for in one statement."""


class Ticks:
    """Looks at some queues. Errors of the database are raised as psycopg2's.

    Args:
        connection: to the source.
        schema: of PgQ.
        consumers: each a queue and a consumer; a queue that is not there has no ticks.
        bulletin: is told.
    """

    def __init__(
        self, connection: Connection, schema: str, consumers: Sequence[tuple[str, str]], bulletin: Bulletin
    ) -> None:
        connection.set_session(autocommit=True)
        self._connection = connection
        self._schema = schema
        self._consumers = consumers
        self._bulletin = bulletin
        self._known = dict.fromkeys((queue for queue, _consumer in consumers), 0)
        self._doubtful: set[str] = set()
        self._statement = b""
        self._snapshot = ""
        self._stands: dict[tuple[str, str], int | None] = {}

    def look(self) -> bool:
        """Look for new ticks; returns whether there were events before one, by the queues' own counts."""
        with self._connection.cursor() as cursor:
            snapshot = queries.value(cursor, "snapshot")
            if snapshot == self._snapshot:
                return False
            if not self._statement:
                names, ticks = _array(self._known), _array(map(str, self._known.values()))
                self._statement = queries.bound(
                    cursor, "new_ticks", pgq=self._schema, queues=names, ticks=ticks
                )
            cursor.execute(self._statement)
            found = cursor.fetchall()
        self._snapshot = snapshot
        had_events = False
        for queue, tick, sequence, period in found:
            had_events = self._bulletin.saw(queue, tick, sequence or 0, period) or had_events
            self._known[queue] = tick
            self._doubtful.add(queue)
            self._statement = b""
        return had_events

    def look_for_events(self) -> None:
        """Look whether ticks have events that seem to have none.

        A queue does not count some events (retried ones, ``insert_event_raw``), and others before their
        transaction ends. Where this cannot be asked, for want of rights or in a PgQ of other types, each tick
        may have some.
        """
        untold = self._bulletin.untold()
        doubtful = [queue for queue in self._doubtful if queue in untold]
        self._doubtful.clear()
        for start in range(0, len(doubtful), AT_ONCE):
            part = {queue: untold[queue] for queue in doubtful[start : start + AT_ONCE]}
            for queue in with_events(self._connection, self._schema, part):
                self._bulletin.tell(queue)

    def look_at_consumers(self) -> Consumers:
        """Look at consumers: if somebody has set one back or unregistered it, its job has to see that."""
        found = standings(self._connection, self._schema, self._consumers)
        for (queue, consumer), standing in found.items():
            before = self._stands.get((queue, consumer), standing.tick)
            if before is not None and (standing.tick is None or standing.tick < before):
                self._bulletin.tell(queue, again=True)
            self._stands[queue, consumer] = standing.tick
        return found


def _array(texts: Iterable[str]) -> str:
    """Texts as one literal of an array: the server reads it faster than an expression of many."""
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"
