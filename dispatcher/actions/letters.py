"""Dead letters, for a person."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from psycopg2.extensions import cursor as Cursor
from tdsup.jobtype import printable

from ..errors import SetupError
from ..ledger import Choice, DeadLetters, stranger
from ..load import Delivery
from ..settings import Settings
from .desk import database, databases, row_of

_CELL = 200
"""Most characters shown of a cell of a list."""


@contextmanager
def _letters(settings: Settings, doing: str) -> Iterator[tuple[DeadLetters, Cursor]]:
    """The job's dead letters and a transaction to look at them."""
    with database("target", settings, doing) as target, target, target.cursor() as cursor:
        _trust(cursor, doing)
        yield DeadLetters(target, settings.queue, settings.consumer_name), cursor


def _trust(cursor: Cursor, doing: str) -> None:
    """Refuse a ledger that a stranger may have given triggers."""
    if reason := stranger(cursor):
        raise SetupError(f"cannot {doing}: {reason}")


def _ids(arguments: Sequence[str], doing: str) -> list[int]:
    try:
        return [int(argument) for argument in arguments]
    except ValueError:
        raise SetupError(f"cannot {doing}: {' '.join(arguments)!r} is no list of ids") from None


def list_letters(settings: Settings, arguments: Sequence[str]) -> Iterator[str]:
    """One line for each dead letter."""
    doing = f"list dead letters of {settings.job_name}"
    with _letters(settings, doing) as (letters, cursor):
        found = letters.listing(cursor, _ids(arguments, doing))
    rows: list[tuple[str, ...]] = [("ID", "EVENT", "DIED", "TYPE", "TABLE", "SQLSTATE", "REASON")]
    rows += [tuple(printable(str(cell)[:_CELL]) for cell in row) for row in found]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows if found else []:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    if not found:
        yield "(no dead letters)"


def show(settings: Settings, arguments: Sequence[str]) -> Iterator[str]:
    """Everything about some dead letters."""
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
                yield f"{name.ljust(width)}  {'NULL' if value is None else printable(str(value))}"
            if inexact:
                yield f"{'note'.ljust(width)}  bytes that the target's encoding lacks are shown as \\x.."


def replay(settings: Settings, arguments: Sequence[str]) -> Iterator[str]:
    """Try dead letters again."""
    doing = f"replay dead letters of {settings.job_name}"
    given = _ids(arguments, doing)
    # The rules for bad events of a batch do not apply: each dead letter is tried alone.
    alone = settings.model_copy(update={"bad_events": "dead_letter", "bad_event_limit": 1})
    with databases(alone, doing) as (target, queue):
        with target, target.cursor() as cursor:
            _trust(cursor, doing)
        row = row_of(target, alone)
        choice = Choice(row, row.look())
        delivery = Delivery(queue, target, alone, logging.getLogger(settings.job_name), choice)
        with target, target.cursor() as cursor:
            ids = delivery.dead_letters.ids(cursor, given)
        if unknown := set(given) - set(ids):
            raise SetupError(f"cannot {doing}: there is none with id {min(unknown)}")
        loaded = 0
        for letter in ids:
            reason = delivery.replay(letter)
            loaded += reason is None
            yield f"{letter}: {'loaded' if reason is None else printable(reason)}"
        yield f"loaded {loaded} of {len(ids)}"


def purge(settings: Settings, arguments: Sequence[str]) -> Iterator[str]:
    """Delete dead letters."""
    doing = f"purge dead letters of {settings.job_name}"
    with _letters(settings, doing) as (letters, cursor):
        yield f"purged {letters.delete(cursor, _ids(arguments, doing))}"
