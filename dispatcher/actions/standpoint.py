"""Where a consumer stands in both databases, and who works for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tdsup.jobtype import duration

from ..errors import Outage, SetupError
from ..ledger import Entry, find_position, read_entry, schema_facts
from ..pgq import standings
from ..postgres import Connection, database_name, queries
from ..settings import Settings
from .desk import database, named


def stand(settings: Settings, _arguments: Sequence[str]) -> Iterator[str]:
    """Show it, of each database that can be asked.

    Raises:
        SetupError: one of them cannot be asked; the other one was shown.
    """
    failed: list[str] = []
    for which, dsn, look in (
        ("source", settings.src_db, _at_source),
        ("target", settings.dst_db, _at_target),
    ):
        try:
            with database(which, settings, f"look at {named(settings)}") as connection:
                lines = list(look(connection, settings))
        except (Outage, SetupError) as error:
            failed.append(str(error))
            continue
        yield f"  {which}  {database_name(dsn)}"
        yield from (f"    {line}" for line in lines)
    if failed:
        raise SetupError("; ".join(failed))


def _at_source(source: Connection, settings: Settings) -> Iterator[str]:
    pgq, queue, consumer = settings.pgq_schema, settings.queue, settings.consumer_name
    with source, source.cursor() as cursor:
        ticks = queries.row(cursor, "queue_state", pgq=pgq, queue=queue)
        at = queries.row(cursor, "consumer_state", pgq=pgq, queue=queue, consumer=consumer)
    if ticks is None:
        yield f"there is no queue {queue}"
        return
    source.set_session(autocommit=True)
    standing = standings(source, pgq, [(queue, consumer)])[queue, consumer]
    _table, tick, age = ticks
    newest = f"newest tick {tick}, {age} ago" if tick is not None else "no tick"
    yield f"queue {queue}: {newest}"
    if standing.trouble:
        yield standing.trouble
    if at is None:
        yield f"consumer {consumer} is not registered"
        return
    _id, last, following, age, behind, *_rest = at
    there = f"at tick {last}, of {age} ago, {behind or 0} events before the newest"
    open_one = f"; the batch up to tick {following} is open" if following is not None else ""
    yield f"consumer {consumer}: {there}{open_one}"
    if standing.held:
        yield f"it has held up the rotation of the queue's tables for {duration(standing.held)}"


def _at_target(target: Connection, settings: Settings) -> Iterator[str]:
    with target, target.cursor() as cursor:
        facts = schema_facts(cursor)
        position = find_position(cursor, facts, settings.queue, settings.consumer_name)
        tick = None if position is None else position.read(cursor)
        entry = None if position is None or not position.entries else read_entry(cursor, position)
    where = "" if position is None else f" ({position.storage.value})"
    yield "no position yet" if tick is None else f"position: tick {tick.number}{where}"
    if entry is not None:
        yield from _owner(entry)


def _owner(entry: Entry) -> Iterator[str]:
    if entry.paused:
        yield entry.paused
    if entry.blocked:
        yield f"blocked: {entry.blocked}"
    if entry.owner is None:
        yield "nobody works for the consumer"
    elif entry.is_idle:
        yield f"owner: a process on host {entry.host}, without connections until there is news"
    elif entry.lives:
        yield f"owner: a process on host {entry.host}, session {entry.target_pid} here"
    else:
        yield f"owner: a process on host {entry.host}, whose session is gone"
