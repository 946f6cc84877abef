"""What an action works with: connections, the queue, and the consumer's row held for a person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg2
from psycopg2.extensions import cursor as Cursor

from ..errors import Displaced, SetupError, one_line
from ..ledger import ConsumerRow, Position, Tick, find_position, open_schema
from ..pgq import Queue, Registry
from ..postgres import Connection, connected
from ..settings import Settings


@contextmanager
def database(which: str, settings: Settings, doing: str) -> Iterator[Connection]:
    """A connection to ``source`` or ``target``; its errors become ours, in one line.

    Args:
        which: the database.
        settings: the job's.
        doing: what is to be done, for messages, such as ``rewind consumer orders``.
    """
    address = settings.source if which == "source" else settings.target
    with connected(address, f"tdsup {settings.job_name}") as connection:
        try:
            yield connection
        except (psycopg2.Error, Displaced) as error:
            raise SetupError(f"cannot {doing}: {one_line(error)}") from error


@contextmanager
def databases(settings: Settings, doing: str) -> Iterator[tuple[Connection, Queue]]:
    """A connection to the target, and the queue."""
    with database("target", settings, doing) as target, database("source", settings, doing) as source:
        yield target, Queue(source, settings)


def named(settings: Settings) -> str:
    """The job's consumer, for messages."""
    return f"consumer {settings.consumer_name} on queue {settings.queue}"


@dataclass(frozen=True, slots=True)
class Desk:
    """A consumer, for a person who wants to change something about it.

    Attributes:
        target: connection to the target.
        queue: the queue on the source.
        position: the consumer's position.
        registry: of the consumer on the source.
        row: the consumer's.
        doing: what is to be done, for messages.
    """

    target: Connection
    queue: Queue
    position: Position
    registry: Registry
    row: ConsumerRow
    doing: str

    @contextmanager
    def held(self, *, forgets: bool = False) -> Iterator[tuple[Cursor, Tick | None]]:
        """A transaction in which nobody works for the consumer, and the position as it is.

        Args:
            forgets: see `ConsumerRow.intervene`.

        Raises:
            SetupError: somebody works for it.
        """
        with self.target, self.target.cursor() as cursor:
            if wait := self.row.intervene(cursor, forgets=forgets):
                raise SetupError(
                    f"cannot {self.doing}: it works at this moment: {wait.reason}; stop it first"
                )
            yield cursor, self.position.begin(cursor).tick


@contextmanager
def desk(settings: Settings, doing: str) -> Iterator[Desk]:
    """The consumer of a job, for the length of the context."""
    with databases(settings, doing) as (target, queue):
        row = row_of(target, settings)
        yield Desk(target, queue, row.position, Registry(queue.connection, settings), row, doing)


def row_of(target: Connection, settings: Settings) -> ConsumerRow:
    """The row of a job's consumer, which is made if need be."""
    facts = open_schema(target)
    with target, target.cursor() as cursor:
        position = find_position(cursor, facts, settings.queue, settings.consumer_name)
    assert position is not None, "the schema has a place for positions"
    position.prepare(target)
    row = ConsumerRow(target, position)
    row.look()
    return row
