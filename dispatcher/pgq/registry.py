"""Where consumers stand among the ticks of their queues, and how to move them."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor

from ..errors import SetupError
from ..ledger import Tick
from ..postgres import Connection, hint, queries
from ..settings import Settings
from .eventsbetween import with_events


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a consumer stands among the ticks of its queue; None for a tick that is not there.

    Attributes:
        last: the tick up to which the consumer has read, as the source says; None: it is not registered.
        oldest: the queue's oldest tick.
        newest: the queue's newest tick.
        wanted: the tick that was looked for.
    """

    last: Tick | None
    oldest: Tick | None
    newest: Tick | None
    wanted: Tick | None


@dataclass(frozen=True, slots=True)
class ConsumerState:
    """A consumer as the source sees it.

    Attributes:
        queue: the queue's name.
        consumer: the consumer's name.
        tick: the last tick that it has finished.
        lag: age of that tick, as PostgreSQL writes an interval.
        behind: about how many events came after it.
        seen: how long ago it last asked for a batch, in the same form.
    """

    queue: str
    consumer: str
    tick: int
    lag: str
    behind: int
    seen: str


class Registry:
    """A consumer's registration on its queue. Errors of the database are raised as psycopg2's.

    Args:
        connection: to the source, in autocommit mode.
        settings: the job's.
    """

    def __init__(self, connection: Connection, settings: Settings) -> None:
        self._connection = connection
        self._settings = settings
        self._pgq = {"pgq": settings.pgq_schema}
        self._names = {"queue": settings.queue, "consumer": settings.consumer_name, **self._pgq}

    def reach(self) -> None:
        """See that the source answers; takes as long as it takes to notice a cut."""
        with self._connection.cursor() as cursor:
            queries.run(cursor, "has_pgq", **self._pgq)

    def whereabouts(self, tick: int | None = None) -> Whereabouts:
        """Where the consumer stands among the queue's ticks.

        Args:
            tick: number of a tick to look for.

        Raises:
            SetupError: there is no PgQ, or it is too old, or has no such queue.
        """
        queue = self._settings.queue
        with self._connection.cursor() as cursor:
            if not queries.value(cursor, "has_pgq", **self._pgq):
                raise SetupError(
                    f"cannot read queue {queue}: the source database has no PgQ in schema "
                    f"{self._settings.pgq_schema}; run there: create extension pgq"
                )
            if (version := queries.value(cursor, "old_pgq", **self._pgq)) is not None:
                raise SetupError(f"cannot read queue {queue}: {too_old(version)}")
            found = queries.row(cursor, "whereabouts", **self._names, tick=tick)
            if found is None:
                raise SetupError(f"cannot read queue {queue}: {no_queue(cursor, self._settings)}")
        last, last_time, oldest, oldest_time, newest, newest_time, time = found
        return Whereabouts(
            _tick(last, last_time),
            _tick(oldest, oldest_time),
            _tick(newest, newest_time),
            None if time is None else _tick(tick, time),
        )

    def former_is_registered(self) -> bool:
        """Whether the consumer is registered that table_dispatcher 2.1 had for the same file."""
        queue, name = self._settings.queue, self._settings.former_name
        if not name:
            return False
        with self._connection.cursor() as cursor:
            return bool(queries.value(cursor, "is_registered", **self._pgq, queue=queue, consumer=name))

    def has_open_batch(self) -> bool:
        """Whether the consumer has a batch that is not finished."""
        with self._connection.cursor() as cursor:
            return bool(queries.value(cursor, "has_open_batch", **self._names))

    def has_news(self, tick: int) -> bool:
        """Whether the queue has a later tick, and events before it."""
        newest = self.whereabouts().newest
        if newest is None or newest.number <= tick:
            return False
        ticks = {self._settings.queue: (tick, newest.number)}
        return bool(with_events(self._connection, self._settings.pgq_schema, ticks))

    def consumers(self) -> list[ConsumerState]:
        """All consumers of all queues of the database."""
        with self._connection.cursor() as cursor:
            return [ConsumerState(*row) for row in queries.rows(cursor, "all_consumers", **self._pgq)]

    def unregister(self) -> bool:
        """Unregister the consumer; returns False if it was not registered."""
        with self._connection.cursor() as cursor:
            if not queries.value(cursor, "has_queue", **self._pgq, queue=self._settings.queue):
                return False
            return bool(queries.value(cursor, "unregister", **self._names))

    def register(self, tick: int) -> None:
        """Register the consumer at a tick; one that is registered stays where it is."""
        with self._connection.cursor() as cursor:
            queries.run(cursor, "register_new_at", **self._names, tick=tick)

    def register_at(self, tick: int) -> None:
        """Set the consumer to a tick, registering it if need be; the events after the tick are read next."""
        with self._connection.cursor() as cursor:
            queries.run(cursor, "register_at", **self._names, tick=tick)


def no_queue(cursor: Cursor, settings: Settings) -> str:
    """That the source has no queue of the job's name, which ones it has, and what to do."""
    queue = settings.queue
    database, known = queries.row(cursor, "all_queues", pgq=settings.pgq_schema) or ("", [])
    create = cursor.mogrify(f"select {settings.pgq_schema}.create_queue(%s)", [queue]).decode()
    return f"there is no queue {queue} in database {database}{hint(queue, known)}; run there: {create}"


def takes_over(settings: Settings) -> str:
    """What to do about the consumer of table_dispatcher 2.1."""
    former = settings.former_name
    return (
        f"it is not registered, and consumer {former} is, which is what table_dispatcher 2.1 called a file "
        f"without job_name: pgq_consumer_id = {former} goes on where that stands, start = registered begins "
        "anew at the newest tick"
    )


def too_old(version: str) -> str:
    """Why a PgQ of some version cannot be used."""
    return f"PgQ {version} of the source is too old: it has no next_batch_custom; PgQ 3 is needed"


def _tick(number: int | None, time: float | None) -> Tick | None:
    return None if number is None else Tick(number, time)
