"""Dead letters, for a person."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor
from tdsup.jobtype import printable

from ..errors import SetupError
from ..ledger import Choice, DeadLetters, stranger
from ..load import Delivery
from ..settings import Settings
from .desk import database, databases, row_of

_CELL = 200
"""Most characters shown of a cell of a list."""

_FIELDS = ("id", "event", "died", "type", "table", "sqlstate", "reason")
"""What a list shows of each dead letter."""

_WORDS = frozenset({"all", "json"})

_NUMBER = re.compile(r"(limit|screen)=(\d+)")


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


@dataclass(frozen=True, slots=True)
class _Request:
    """What a person wants done, and to which dead letters.

    Attributes:
        ids: of the letters; empty: all, or none was named.
        words: others, such as ``all`` and ``json``.
        numbers: numbers by name, such as ``limit``.
    """

    ids: Sequence[int]
    words: AbstractSet[str]
    numbers: Mapping[str, int]

    @classmethod
    def parse(cls, arguments: Sequence[str], doing: str) -> _Request:
        """Read the arguments of an action; raises SetupError if one is none."""
        matches = {each: match for each in arguments if (match := _NUMBER.fullmatch(each))}
        others = [each for each in arguments if each not in _WORDS and each not in matches]
        numbers = {match[1]: int(match[2]) for match in matches.values()}
        return cls(_ids(others, doing), _WORDS & set(arguments), numbers)


def _ids(arguments: Sequence[str], doing: str) -> list[int]:
    try:
        return [int(argument) for argument in arguments]
    except ValueError:
        raise SetupError(f"cannot {doing}: {' '.join(arguments)!r} is no list of ids") from None


def list_letters(settings: Settings, arguments: Sequence[str]) -> Iterator[str]:
    """One line for each dead letter; a summary by reason where there are more than a screen has room for.

    ``limit=N`` are the first N of them, ``screen=N`` is the room; ``json`` prints an object a line.
    """
    doing = f"list dead letters of {settings.job_name}"
    wanted = _Request.parse(arguments, doing)
    limit, screen = wanted.numbers.get("limit"), wanted.numbers.get("screen")
    with _letters(settings, doing) as (letters, cursor):
        found = letters.listing(cursor, wanted.ids, limit if limit is not None else screen and screen + 1)
        summed = letters.by_reason(cursor, screen) if limit is None and screen and len(found) > screen else []
    if "json" in wanted.words:
        yield from (json.dumps(dict(zip(_FIELDS, row, strict=True))) for row in found)
    elif summed:
        yield from _table(("COUNT", "FIRST", "LAST", "TABLE", "SQLSTATE", "REASON"), summed)
        yield f"list --limit N shows the first N one by one, show {summed[0][1]} all of one"
    elif found:
        yield from _table(tuple(name.upper() for name in _FIELDS), found)
    else:
        yield "(no dead letters)"


def _table(heading: tuple[str, ...], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    cells = [heading, *(tuple(printable(str(cell)[:_CELL]) for cell in row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


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
            ids = [row[0] for row in delivery.dead_letters.listing(cursor, given)]
        _refuse_unknown(given, ids, doing)
        loaded = 0
        for letter in ids:
            reason = delivery.replay(letter)
            loaded += reason is None
            yield f"{letter}: {'loaded' if reason is None else printable(reason)}"
        yield f"loaded {loaded} of {len(ids)}"
        # Another replay may have loaded some meanwhile.
        with target, target.cursor() as cursor:
            stay = len(delivery.dead_letters.listing(cursor, ids)) if ids else 0
    if stay:
        raise SetupError(f"cannot {doing}: {stay} of {len(ids)} stay, for the reasons above")


def purge(settings: Settings, arguments: Sequence[str]) -> Iterator[str]:
    """Delete dead letters: those of the given ids, or ``all``."""
    doing = f"purge dead letters of {settings.job_name}"
    wanted = _Request.parse(arguments, doing)
    if bool(wanted.ids) == ("all" in wanted.words):
        raise SetupError(f"cannot {doing}: name their ids, or --all")
    with _letters(settings, doing) as (letters, cursor):
        if wanted.ids:
            _refuse_unknown(wanted.ids, [row[0] for row in letters.listing(cursor, wanted.ids)], doing)
        yield f"purged {letters.delete(cursor, wanted.ids)}"


def _refuse_unknown(given: Sequence[int], known: Sequence[int], doing: str) -> None:
    if unknown := set(given) - set(known):
        raise SetupError(f"cannot {doing}: there is none with id {min(unknown)}")
