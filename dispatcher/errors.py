"""What can go wrong, sorted by what it takes to go on."""

from __future__ import annotations

import os
from collections.abc import Set as AbstractSet

import psycopg2
from tdsup.jobtype import brief


class DispatcherError(Exception):
    """The job cannot go on."""

    exit_code = os.EX_SOFTWARE

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.__doc__)


class SetupError(DispatcherError):
    """A person has to change something in the set-up; a retry would fail in the same way."""

    exit_code = os.EX_CONFIG


class LostPosition(SetupError):
    """The target's position is neither the start nor the end of the source's batch."""


class DataError(SetupError):
    """An event cannot be loaded; its batch was rolled back and the job stops."""


class Outage(DispatcherError):
    """A database failed; a retry on new connections is safe and may succeed.

    Attributes:
        which: the database, ``source`` or ``target``; empty if it is not known.
        answered: the server itself reported the error (a full disk, a lock timeout); it can be reached.
        refused: nobody is let in until a person changes something, such as a password.
    """

    def __init__(self, message: str, which: str, answered: bool = False, *, refused: bool = False) -> None:
        super().__init__(message)
        self.which = which
        self.answered = answered
        self.refused = refused


class Displaced(DispatcherError):
    """Another process works for the consumer, or a person holds it; nothing was changed."""


class EventError(Exception):
    """Why an event cannot be loaded; becomes a `DataError` where queue and batch are known.

    Attributes:
        event_id: ``ev_id`` of the event.
    """

    def __init__(self, event_id: int, reason: str) -> None:
        super().__init__(reason)
        self.event_id = event_id


class BatchError(Exception):
    """Why no event of a batch can be loaded; becomes a `SetupError` where queue and batch are known."""


class Enough(Exception):
    """Whoever receives the events of a batch needs no more of them; the rest is read and dropped."""


# SQLSTATE classes (PostgreSQL manual, appendix A) of errors that neither the batch nor the set-up causes.
INFRASTRUCTURE_CLASSES = frozenset({
    "08",  # connection exception
    "25",  # invalid transaction state: read-only transaction, idle-in-transaction timeout
    "40",  # transaction rollback: deadlock, serialization failure
    "53",  # insufficient resources: disk full, too many connections, out of memory
    "55",  # object not in prerequisite state: lock timeout, object in use
    "57",  # operator intervention: shutdown, crash, cancelled query
    "58",  # system error: input/output error
    "72",  # snapshot too old
})  # fmt: skip

DATA_CLASSES = frozenset({
    "22",  # data exception: a value that its column does not take, a byte that is not a character
    "23",  # integrity constraint violation
    "44",  # with check option violation: a row that the view would not show
    "54",  # program limit exceeded: a row too large for a page, a value too large for an index
})  # fmt: skip


GUARD = "tdsup_new_"
"""How names of CHECKs begin that stand while a partition is attached; see partitions/guard.py."""

ABORTED = "25P02"
"""SQLSTATE of a statement in a transaction that has failed already: a bug of ours, which no retry mends."""


def is_infrastructure(error: psycopg2.Error) -> bool:
    """Whether a retry may succeed although nobody changes data or set-up.

    An error without a SQLSTATE means that the server could not be reached or went away. psycopg2 then raises
    one of two classes, or their base class if the server was killed while the connection was idle.
    """
    if error.pgcode is None:
        return isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError) or (
            type(error) is psycopg2.DatabaseError
        )
    return _met_guard(error) or (error.pgcode[:2] in INFRASTRUCTURE_CLASSES and error.pgcode != ABORTED)


def _met_guard(error: psycopg2.Error) -> bool:
    """Whether a partition is being made for the row that was refused."""
    return (error.diag.constraint_name or "").startswith(GUARD)


def is_data(error: psycopg2.Error, more: AbstractSet[str] = frozenset()) -> bool:
    """Whether the error is caused by the rows.

    Args:
        error: the server's.
        more: SQLSTATEs, or their classes, that count too.
    """
    state = error.pgcode
    is_so = state is not None and (state[:2] in DATA_CLASSES or state in more or state[:2] in more)
    return is_so and not _met_guard(error)


def one_line(error: BaseException) -> str:
    """An error's first line, for messages: libpq and the server add lengthy explanations below it.

    It is `brief`: a server may say anything, and it quotes values.
    """
    if isinstance(error, psycopg2.Error) and error.diag.message_primary:
        return f"{brief(error.diag.message_primary)} ({error.pgcode})"
    lines = str(error).strip().splitlines()
    return brief(lines[0].strip()) if lines else type(error).__name__
