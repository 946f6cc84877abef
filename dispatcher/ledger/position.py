"""Positions: the tick up to which the target has applied a consumer's events.

The position is written in the transaction that loads the batch; that makes each load exactly once. It is kept
in ``pgq_ext`` if the target has it (man page, "Setup"), else in ``tdsup.completed_tick``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from psycopg2.errors import SerializationFailure, UniqueViolation
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ
from psycopg2.extensions import cursor as Cursor

from ..errors import Displaced, SetupError
from ..postgres import Connection, lock_key, queries
from .schema import SchemaFacts


class Storage(StrEnum):
    """Where a position is kept."""

    PGQ_EXT = "pgq_ext"
    """In pgq_ext, by the consumer's name alone and without the tick's time."""

    OWN = "own"
    """In ``tdsup.completed_tick``."""

    UNTIMED = "untimed"
    """In ``tdsup.completed_tick`` as an early version made it, without a column for the tick's time."""


@dataclass(frozen=True, slots=True)
class _Statements:
    """Names of the statements for one storage, with or without rows of consumers."""

    read: str
    begin: tuple[str, ...]
    write: tuple[str, ...]
    set: tuple[str, ...]


_STATEMENTS = {
    (Storage.OWN, True): _Statements(
        "read_own",
        # The position's row too: a program that has no row of the consumer locks that one, and could else
        # commit between the moment that the last statement sees and its try for the old locks.
        ("hold_entry", "hold_position", "wait_as_before", "standing_own"),
        ("write_own", "write_counters"),
        ("write_own",),
    ),
    (Storage.PGQ_EXT, True): _Statements(
        "read_pgq_ext",
        ("hold_entry", "hold_pgq_ext", "wait_as_before", "standing_pgq_ext"),
        ("write_pgq_ext", "write_time_and_counters"),
        ("write_pgq_ext", "write_time"),
    ),
    (Storage.OWN, False): _Statements(
        "read_own", ("hold_position", "wait_as_before", "standing_own_alone"), ("write_own",), ("write_own",)
    ),
    (Storage.UNTIMED, False): _Statements(
        "read_untimed",
        ("hold_position", "wait_as_before", "standing_untimed"),
        ("write_untimed",),
        ("write_untimed",),
    ),
    (Storage.PGQ_EXT, False): _Statements(
        "read_pgq_ext_alone",
        ("hold_pgq_ext", "wait_as_before", "standing_pgq_ext_alone"),
        ("write_pgq_ext",),
        ("write_pgq_ext",),
    ),
}


_CONFLICTS = (SerializationFailure, UniqueViolation)
"""How a server tells of a conflict with another program over pgq_ext."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick as a position remembers it.

    Attributes:
        number: its id in the queue.
        time: when it was made, in seconds since 1970 by the source's clock; None: not known.
    """

    number: int
    time: float | None

    def fits(self, number: int, time: float | None) -> bool:
        """Whether it is the source's tick of that number and time; an unknown time fits any.

        A queue that was made anew counts from 1 again, and a restored source makes its last ticks anew: a
        tick of an equal number and another time is another tick.
        """
        return self.number == number and self.time in {None, time}


@dataclass(frozen=True, slots=True)
class Standing:
    """What a batch's transaction begins with.

    Attributes:
        free: no program of schema version 1 works for the consumer.
        owner: identity of the process that owns the consumer; None: nobody, or owners are not kept.
        epoch: of that owner.
        paused: a person holds the consumer.
        tick: the last one that was applied; None if there is none.
    """

    free: bool
    owner: str | None
    epoch: int
    paused: bool
    tick: Tick | None


class Position:
    """One consumer's position in one target database, which the given cursors belong to.

    Args:
        queue: the queue's name.
        consumer: the consumer's name.
        storage: where the position is.
        entries: whether the target keeps a row of each consumer, with its owner.
    """

    def __init__(self, queue: str, consumer: str, storage: Storage, *, entries: bool) -> None:
        self.queue = queue
        self.consumer = consumer
        self.storage = storage
        self.entries = entries
        self._statements = _STATEMENTS[storage, entries]
        self._names: dict[str, Any] = {"queue": queue, "consumer": consumer}
        self._begin = b""
        self.old_keys: dict[str, Any] = {
            "key": lock_key("position", queue, consumer),
            "name_key": lock_key("position", consumer) if storage is Storage.PGQ_EXT else None,
        }

    def prepare(self, connection: Connection) -> None:
        """Set up a connection for `begin`; not within a transaction."""
        if self.storage is Storage.PGQ_EXT:
            connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ)

    def read(self, cursor: Cursor) -> Tick | None:
        """The last applied tick, None if there is none; takes no lock."""
        return _tick(*(queries.row(cursor, self._statements.read, **self._names) or (None, None)))

    def begin(self, cursor: Cursor) -> Standing:
        """The first act of a transaction that moves the position, which is locked until it ends.

        Raises:
            Displaced: somebody else has just moved it.
            psycopg2.Error: the infrastructure failed; somebody may hold the lock for too long.
        """
        try:
            cursor.execute(self._begin or self._bind(cursor))
            found = cursor.fetchone()
        except _CONFLICTS as error:
            raise self._overtaken() from error
        if found is None:
            raise Displaced(f"the row of consumer {self.consumer} is gone")
        key, name_key, owner, epoch, paused, tick, time = found
        return Standing(key and name_key, owner, epoch, paused, _tick(tick, time))

    def _bind(self, cursor: Cursor) -> bytes:
        """The statements of `begin`, which every batch executes."""
        names = ("wait_at_most", *self._statements.begin)
        self._begin = queries.bound(cursor, *names, **self._names, **self.old_keys)
        return self._begin

    def write(self, cursor: Cursor, tick: int, time: float, counters: str) -> None:
        """Set the last applied tick and what the job has done in all, which needs rows of consumers.

        It is the last act of a transaction: after it, names mean what they mean to users, as their deferred
        triggers run at the commit.

        Args:
            cursor: of the transaction.
            tick: number of the tick.
            time: its time.
            counters: JSON.
        """
        queries.run(
            cursor,
            *self._statements.write,
            "users_names",
            **self._names,
            tick=tick,
            tick_time=time,
            counters=counters,
        )

    def set(self, cursor: Cursor, tick: Tick) -> None:
        """Set the last applied tick, as a person wishes or for a new consumer.

        Raises:
            Displaced: somebody else has just moved it.
        """
        try:
            queries.run(cursor, *self._statements.set, **self._names, tick=tick.number, tick_time=tick.time)
        except _CONFLICTS as error:
            raise self._overtaken() from error

    def _overtaken(self) -> Displaced:
        return Displaced(f"somebody else has just moved consumer {self.consumer}")

    def forget(self, cursor: Cursor) -> None:
        """Delete the position, and the consumer's row with all that is kept there."""
        where = "pgq_ext" if self.storage is Storage.PGQ_EXT else "own"
        queries.run(cursor, f"forget_{where}", *(["forget_entry"] if self.entries else []), **self._names)


def _tick(number: int | None, time: float | None) -> Tick | None:
    return None if number is None else Tick(number, time)


def find_position(cursor: Cursor, facts: SchemaFacts, queue: str, consumer: str) -> Position | None:
    """The position of a consumer, where it is kept or will be; None if no place has been made yet.

    Raises:
        SetupError: its place is gone.
    """
    names = {"queue": queue, "consumer": consumer}
    stored = queries.row(cursor, "stored_in", **names) if facts.may_own else None
    if stored is None:
        known = facts.positions and queries.value(cursor, "has_own_position", **names)
        storage = Storage.PGQ_EXT if facts.pgq_ext and not known else Storage.OWN
    else:
        storage = Storage(stored[0])
    if storage is Storage.PGQ_EXT and not facts.pgq_ext:
        raise SetupError(
            f"cannot read the position of consumer {consumer}: it was kept in pgq_ext, which the target "
            "database no longer has; install it there again and restore its table completed_tick"
        )
    if storage is Storage.OWN and not facts.positions:
        return None
    if storage is Storage.OWN and not facts.timed:
        storage = Storage.UNTIMED
    return Position(queue, consumer, storage, entries=facts.may_own and storage is not Storage.UNTIMED)
