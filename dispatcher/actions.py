"""What people can do about a job besides running it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from tdsup.jobtype import Action

from .errors import SetupError, one_line
from .ledger import Claim, DeadLetters, Position
from .load import Delivery
from .pgq import Queue
from .postgres import connected
from .settings import Settings

_CELL = 200
"""Most characters shown of a cell of a list."""


@contextmanager
def _database(which: str, settings: Settings, doing: str) -> Iterator[Connection]:
    """A connection to ``source`` or ``target``; its errors become ours, in one line."""
    dsn = settings.src_db if which == "source" else settings.dst_db
    with connected(which, dsn, f"tdsup {settings.job_name}") as connection:
        try:
            yield connection
        except psycopg2.Error as error:
            raise SetupError(f"cannot {doing}: {one_line(error)}") from error


@contextmanager
def _databases(settings: Settings, doing: str) -> Iterator[tuple[Connection, Queue]]:
    """A connection to the target, and the queue."""
    with (
        _database("target", settings, doing) as target,
        _database("source", settings, doing) as source,
    ):
        yield target, Queue(source, settings)


def _named(settings: Settings) -> str:
    return f"consumer {settings.consumer_name} on queue {settings.queue}"


def _position(target: Connection, settings: Settings, doing: str) -> Position:
    """The consumer's position, claimed: nobody else works on it."""
    position = Position(settings.queue, settings.consumer_name)
    if holder := Claim(target, position).take():
        raise SetupError(f"cannot {doing}: it works at this moment: {holder}; stop it first")
    return position


def _check(settings: Settings, arguments: Sequence[str]) -> Iterable[str]:
    # Not at the top: no job at work needs it.
    from .check import examine

    return examine(settings, arguments)


def _register(settings: Settings, _arguments: Sequence[str]) -> Iterator[str]:
    named = _named(settings)
    with _database("source", settings, f"register {named}") as source:
        if Queue(source, settings).register():
            yield f"registered {named}"
        else:
            yield f"{named} is registered already"


def _unregister(settings: Settings, _arguments: Sequence[str]) -> Iterator[str]:
    doing = f"unregister {_named(settings)}"
    with _databases(settings, doing) as (target, queue):
        position = _position(target, settings, doing)
        known = queue.unregister()
        _forget(target, position)
        yield f"unregistered {_named(settings)}" if known else f"{_named(settings)} was not registered"


def _reset(settings: Settings, _arguments: Sequence[str]) -> Iterator[str]:
    named = _named(settings)
    with _database("target", settings, f"reset {named}") as target:
        _forget(target, _position(target, settings, f"reset {named}"))
        yield f"forgot the target's position of {named}; any batch is applied next"


def _rewind(settings: Settings, _arguments: Sequence[str]) -> Iterator[str]:
    doing = f"rewind {_named(settings)}"
    with _databases(settings, doing) as (target, queue):
        position = _position(target, settings, doing)
        with target, target.cursor() as cursor:
            tick, _moment = position.read(cursor)
        if tick is None:
            raise SetupError(f"cannot {doing}: the target has no position")
        queue.register_at(tick)
        yield f"rewound {_named(settings)} to tick {tick}, the target's position"


def _forget(target: Connection, position: Position) -> None:
    with target, target.cursor() as cursor:
        position.forget(cursor)


@contextmanager
def _letters(settings: Settings, doing: str) -> Iterator[tuple[DeadLetters, Cursor]]:
    """The job's dead letters and a transaction to look at them."""
    with _database("target", settings, doing) as target, target, target.cursor() as cursor:
        yield DeadLetters(target, settings.queue, settings.consumer_name), cursor


def _ids(arguments: Sequence[str], doing: str) -> list[int]:
    try:
        return [int(argument) for argument in arguments]
    except ValueError:
        raise SetupError(f"cannot {doing}: {' '.join(arguments)!r} is no list of ids") from None


def _list(settings: Settings, arguments: Sequence[str]) -> Iterator[str]:
    doing = f"list dead letters of {settings.job_name}"
    with _letters(settings, doing) as (letters, cursor):
        found = letters.listing(cursor, _ids(arguments, doing))
    rows: list[tuple[str, ...]] = [("ID", "EVENT", "DIED", "TYPE", "TABLE", "SQLSTATE", "REASON")]
    rows += [tuple(" ".join(str(cell).split())[:_CELL] for cell in row) for row in found]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows if found else []:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    if not found:
        yield "(no dead letters)"


def _show(settings: Settings, arguments: Sequence[str]) -> Iterator[str]:
    doing = f"show a dead letter of {settings.job_name}"
    ids = _ids(arguments, doing)
    if not ids:
        raise SetupError(f"cannot {doing}: no id is given")
    with _letters(settings, doing) as (letters, cursor):
        for letter in ids:
            found = letters.show(cursor, letter)
            if found is None:
                raise SetupError(f"cannot {doing}: there is none with id {letter}")
            inexact = found.pop("inexact")
            width = max(map(len, found))
            for name, value in found.items():
                yield f"{name.ljust(width)}  {'NULL' if value is None else value}"
            if inexact:
                yield f"{'note'.ljust(width)}  bytes that the target's encoding lacks are shown as \\x.."


def _replay(settings: Settings, arguments: Sequence[str]) -> Iterator[str]:
    doing = f"replay dead letters of {settings.job_name}"
    given = _ids(arguments, doing)
    # The rules for bad events of a batch do not apply: each dead letter is tried alone.
    alone = settings.model_copy(update={"bad_events": "dead_letter", "bad_event_limit": 1})
    with _databases(alone, doing) as (target, queue):
        delivery = Delivery(queue, target, alone, logging.getLogger(settings.job_name))
        with target, target.cursor() as cursor:
            ids = delivery.dead_letters.ids(cursor, given)
        if unknown := set(given) - set(ids):
            raise SetupError(f"cannot {doing}: there is none with id {min(unknown)}")
        loaded = 0
        for letter in ids:
            reason = delivery.replay(letter)
            loaded += reason is None
            yield f"{letter}: {'loaded' if reason is None else reason}"
        yield f"loaded {loaded} of {len(ids)}"


def _purge(settings: Settings, arguments: Sequence[str]) -> Iterator[str]:
    doing = f"purge dead letters of {settings.job_name}"
    with _letters(settings, doing) as (letters, cursor):
        yield f"purged {letters.delete(cursor, _ids(arguments, doing))}"


ACTIONS = (
    Action("check", "Look at both databases before the job runs; changes nothing.", _check),
    Action("register", "Register the consumer on the queue.", _register),
    Action("unregister", "Unregister the consumer and forget the target's position.", _unregister),
    Action("rewind", "Set the consumer on the source to the target's position.", _rewind),
    Action("reset", "Forget the target's position: any batch is taken next.", _reset),
    Action("list", "List dead letters.", _list),
    Action("show", "Show everything about dead letters.", _show),
    Action("replay", "Try dead letters again, all or the given ones; those that load are removed.", _replay),
    Action("purge", "Delete dead letters, all or the given ones.", _purge),
)
