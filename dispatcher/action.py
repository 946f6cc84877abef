"""What people may have done about a job besides running it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg2
from psycopg2.extensions import connection as Connection

from .connection import connected
from .errors import SetupError, one_line
from .position import Position
from .settings import Settings
from .source import Source


@dataclass(frozen=True, slots=True)
class Action:
    """One of them.

    Attributes:
        name: how it is called.
        help: what it does, in one sentence.
        run: does it for a job's settings and arguments; yields lines for the person.
    """

    name: str
    help: str
    run: Callable[[Settings, Sequence[str]], Iterable[str]]


@contextmanager
def _database(which: str, settings: Settings, doing: str) -> Iterator[Connection]:
    """A connection to ``source`` or ``target``, whose errors become one line of ours."""
    dsn = settings.src_db if which == "source" else settings.dst_db
    with connected(which, dsn, f"tdsup {settings.job_name}") as connection:
        try:
            yield connection
        except psycopg2.Error as error:
            raise SetupError(f"cannot {doing}: {one_line(error)}") from error


def _named(settings: Settings) -> str:
    return f"consumer {settings.consumer_name} on queue {settings.queue}"


def _position(target: Connection, settings: Settings, doing: str) -> Position:
    """The consumer's position, with nobody else at work on it."""
    position = Position(target, settings.queue, settings.consumer_name)
    if holder := position.claim():
        raise SetupError(f"cannot {doing}: it works at this moment: {holder}; stop it first")
    return position


def _register(settings: Settings, _arguments: Sequence[str]) -> Iterator[str]:
    named = _named(settings)
    with _database("source", settings, f"register {named}") as source:
        if Source(source, settings).register():
            yield f"registered {named}"
        else:
            yield f"{named} is registered already"


def _unregister(settings: Settings, _arguments: Sequence[str]) -> Iterator[str]:
    named = _named(settings)
    with (
        _database("target", settings, f"unregister {named}") as target,
        _database("source", settings, f"unregister {named}") as source,
    ):
        position = _position(target, settings, f"unregister {named}")
        known = Source(source, settings).unregister()
        _set_position(target, position, None)
        yield f"unregistered {named}" if known else f"{named} was not registered"


def _reset(settings: Settings, _arguments: Sequence[str]) -> Iterator[str]:
    named = _named(settings)
    with _database("target", settings, f"reset {named}") as target:
        _set_position(target, _position(target, settings, f"reset {named}"), None)
        yield f"forgot the target's position of {named}; the next batch is applied whatever it is"


def _rewind(settings: Settings, _arguments: Sequence[str]) -> Iterator[str]:
    named = _named(settings)
    with (
        _database("target", settings, f"rewind {named}") as target,
        _database("source", settings, f"rewind {named}") as source,
    ):
        position = _position(target, settings, f"rewind {named}")
        with target, target.cursor() as cursor:
            tick = position.read(cursor)
        if tick is None:
            raise SetupError(f"cannot rewind {named}: the target has no position")
        Source(source, settings).register_at(tick)
        yield f"rewound {named} to tick {tick}, the target's position"


def _set_position(target: Connection, position: Position, tick: int | None) -> None:
    with target, target.cursor() as cursor:
        position.write(cursor, tick)


ACTIONS = (
    Action("register", "Subscribe the consumer to the queue.", _register),
    Action("unregister", "Unsubscribe the consumer and forget the target's position.", _unregister),
    Action("rewind", "Set the consumer on the source to the target's position.", _rewind),
    Action("reset", "Forget the target's position, so that any batch is taken next.", _reset),
)
