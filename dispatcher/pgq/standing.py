"""How a consumer and its queue fare, and whether the queue is ticked."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from psycopg2 import ProgrammingError
from tdsup.jobtype import duration

from ..postgres import Connection, queries
from .eventsbetween import tables_of

AT_ONCE = 100
"""Queues whose waiting events are looked for in one statement."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What one look shows of a consumer and its queue. Times are in seconds.

    Attributes:
        tick: the one that the consumer has finished last; None: it is not registered.
        age: of the queue's newest tick; None without one.
        held: for how long the consumer has held up the queue's rotation.
        is_late: a running ticker would have made a newer tick.
        is_paused: the queue's ticker is paused.
        waits: for how long the first event has waited for a tick that is late; None: none is known to wait.
        waiting: about how many wait.
    """

    tick: int | None
    age: float | None
    held: float
    is_late: bool = False
    is_paused: bool = False
    waits: float | None = None
    waiting: int = 0

    @property
    def trouble(self) -> str:
        """What is wrong with the ticker, in words for people; empty: nothing."""
        if not self.is_late or self.age is None:
            return ""
        many = f"{self.waiting:,} events wait" if self.waiting > 1 else "1 event waits"
        events = f", and {many} for one" if self.waits is not None else ""
        why = "the queue's ticker is paused" if self.is_paused else "does the ticker run?"
        return f"no tick for {duration(self.age)}{events}: {why}"


Consumers = dict[tuple[str, str], Standing]
"""By queue and consumer."""


def standings(connection: Connection, schema: str, consumers: Sequence[tuple[str, str]]) -> Consumers:
    """Look at consumers, each given by queue and name.

    Args:
        connection: to the source, in autocommit mode.
        schema: of PgQ.
        consumers: to look at.

    Raises:
        psycopg2.Error: the source cannot be asked.
    """
    queues, names = zip(*consumers, strict=True)
    with connection.cursor() as cursor:
        rows = queries.rows(
            cursor, "where_consumers_stand", pgq=schema, queues=list(queues), consumers=list(names)
        )
    found = {(queue, name): Standing(*row) for queue, name, *row in rows}
    late = sorted({queue for (queue, _name), standing in found.items() if standing.is_late})
    waiting: dict[str, tuple[float, int]] = {}
    for start in range(0, len(late), AT_ONCE):
        waiting |= _waiting(connection, schema, late[start : start + AT_ONCE])
    for (queue, name), standing in found.items():
        if queue in waiting:
            waits, count = waiting[queue]
            found[queue, name] = replace(standing, waits=waits, waiting=max(1, count))
    return found


def _waiting(connection: Connection, schema: str, names: Sequence[str]) -> dict[str, tuple[float, int]]:
    """Of queues with events behind their newest tick, for how long the first has waited, and how many do.

    Where that cannot be asked, for want of rights or in a PgQ of other types, none is known to have some.
    """
    with connection.cursor() as cursor, suppress(ProgrammingError):
        parts = [(table, {"queue": queue}) for queue, table in tables_of(cursor, schema, names)]
        rows = queries.rows_of_each(cursor, "waiting_events", parts, schema)
        return {queue: (waits, count) for queue, waits, count in rows}
    return {}
