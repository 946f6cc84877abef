"""What there is in the databases of a job besides its own consumer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..errors import SetupError
from ..ledger import VERSION, schema_facts, stranger
from ..pgq import Registry
from ..postgres import database_name
from ..settings import Settings
from .desk import database

SQL = "sql"
"""Argument of `schema`: print what is missing as SQL."""


def consumers(settings: Settings, arguments: Sequence[str]) -> Iterator[str]:
    """List the consumers of the source's queues, and who reads them.

    Args:
        settings: of a job of the source.
        arguments: job, queue and consumer of each of the fleet's jobs there, one after the other.
    """
    where = database_name(settings.src_db)
    named = zip(arguments[::3], arguments[1::3], arguments[2::3], strict=True)
    # Of several jobs that name one consumer, the first one works.
    readers = {(queue, consumer): job for job, queue, consumer in reversed([*named])}
    with database("source", settings, f"list the consumers in database {where}") as source:
        found = Registry(source, settings).consumers()
    rows = [("QUEUE", "CONSUMER", "LAG", "EVENTS BEHIND", "LAST ASKED", "READ BY")]
    rows += [
        (
            state.queue,
            state.consumer,
            state.lag or "its tick is gone",
            str(state.behind),
            f"{state.seen} ago",
            readers.get((state.queue, state.consumer), "nobody of this fleet"),
        )
        for state in found
    ]
    yield f"database {where}:"
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows if found else []:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    if not found:
        yield "(no consumers)"


def schema(settings: Settings, arguments: Sequence[str]) -> Iterator[str]:
    """Show the version of schema tdsup in the target, or print the steps that are missing as SQL."""
    where = database_name(settings.dst_db)
    doing = f"look at schema tdsup in database {where}"
    with database("target", settings, doing) as target, target, target.cursor() as cursor:
        facts, foreign = schema_facts(cursor), stranger(cursor)
    if SQL in arguments:
        yield f"-- database {where}: schema tdsup from version {facts.version} to {VERSION}"
        yield facts.sql() or "-- nothing is missing"
        return
    there = f"version {facts.version}" if facts.version else "there is none"
    kept = "pgq_ext keeps positions there; " if facts.pgq_ext else ""
    yield f"database {where}: {kept}schema tdsup: {there}; this program makes version {VERSION}"
    if foreign:
        raise SetupError(f"cannot use the ledger in database {where}: {foreign}")
    if facts.steps:
        how = "the next start makes it" if facts.may_make else f"the role lacks {facts.lacking}"
        yield f"database {where}: {', '.join(facts.steps)} missing; {how}; --sql prints it"
