"""What tdsup keeps in the target: the consumer's position and its dead letters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor

from ..ledger import Claim, Position, Storage
from ..pgq import Batch, Verdict, judge
from ..postgres import TableName, queries, quote
from ..settings import Settings
from .finding import Fault, Finding, Note
from .look import Look
from .relation import Relation, Schema, read_relation, read_schema
from .serverfacts import Server
from .sourcefacts import SourceFacts

_POSITIONS = TableName("tdsup", "completed_tick")
_DEAD_LETTERS = TableName("tdsup", "dead_letter")
_FUNCTIONS = ["pgq_ext.get_last_tick(text)", "pgq_ext.set_last_tick(text, bigint)"]

_STORED = {
    None: "a new schema tdsup",
    Storage.PGQ_EXT: "pgq_ext",
    Storage.OWN: str(_POSITIONS),
    Storage.UNTIMED: str(_POSITIONS),
}
"""Where a position is kept, in words."""


@dataclass(frozen=True, slots=True)
class PositionFacts:
    """The consumer's position.

    Attributes:
        position: what reads it.
        storage: where it is kept; None if that has to be made first.
        tick: last applied tick; None if there is none.
        holder: the session that works for the consumer; None if nobody does.
        denied: functions of pgq_ext that the role may not run.
        table: our own table of positions, where they are kept there.
        schema: tdsup; None if there is none.
    """

    position: Position
    storage: Storage | None
    tick: int | None
    holder: str | None
    denied: tuple[str, ...]
    table: Relation | None
    schema: Schema | None


@dataclass(frozen=True, slots=True)
class LetterFacts:
    """The table of dead letters.

    Attributes:
        table: the table; None if there is none yet.
        schema: tdsup; None if there is none.
    """

    table: Relation | None
    schema: Schema | None


@dataclass(frozen=True, slots=True)
class Bookkeeping:
    """What is known of both; None where the target could not be asked, or need not be."""

    position: PositionFacts | None = None
    letters: LetterFacts | None = None


def read_bookkeeping(look: Look, settings: Settings) -> Bookkeeping:
    """Ask for the position, and for the table of dead letters if bad events go there."""
    position = look.read(lambda cursor: _read_position(cursor, settings))
    return Bookkeeping(position, None if settings.bad_events == "stop" else look.read(_read_letters))


def _read_position(cursor: Cursor, settings: Settings) -> PositionFacts:
    position = Position(settings.queue, settings.consumer_name)
    storage = position.find_storage(cursor)
    is_pgq_ext = storage is Storage.PGQ_EXT
    denied = queries.rows(cursor, "denied_functions", functions=_FUNCTIONS) if is_pgq_ext else []
    return PositionFacts(
        position,
        storage,
        tick=None if storage is None else position.peek(cursor),
        holder=Claim(cursor.connection, position).holder(cursor),
        denied=tuple(function for (function,) in denied),
        table=read_relation(cursor, _POSITIONS) if storage and not is_pgq_ext else None,
        schema=read_schema(cursor, "tdsup"),
    )


def _read_letters(cursor: Cursor) -> LetterFacts:
    return LetterFacts(read_relation(cursor, _DEAD_LETTERS), read_schema(cursor, "tdsup"))


def bookkeeping_findings(
    facts: Bookkeeping, settings: Settings, server: Server, source: SourceFacts
) -> Iterator[Finding]:
    """Where both are kept, the rights that this needs, and whether the position fits the source's."""
    if facts.position is not None:
        yield from _rights_to_position(facts.position, server)
        yield _position(facts.position, source)
    if settings.bad_events == "stop":
        yield Note("a bad event stops the job")
    elif facts.letters is not None:
        yield from _letters(facts.letters, server)


def _rights_to_position(facts: PositionFacts, server: Server) -> Iterator[Finding]:
    for function in facts.denied:
        yield server.grant(f"execute on function {function}")
    if facts.table is not None:
        yield from _rights_to(facts.table, ["select", "insert", "update"], server)
    if facts.storage is None:
        yield from _making(facts.schema, "install pgq_ext there, or ", server)


def _position(facts: PositionFacts, source: SourceFacts) -> Finding:
    where = f"kept in {_STORED[facts.storage]}"
    if facts.holder:
        return Note(f"the position is {where}; the consumer works now: {facts.holder}")
    if facts.tick is None:
        return Note(f"the position is {where}; there is none, so any batch is taken")
    text = f"the position is tick {facts.tick}, {where}"
    if source.consumer is None:
        return Note(text)
    last_tick, next_tick = source.consumer.last_tick, source.consumer.next_tick
    if last_tick is None:
        return Fault(
            f"Lost position: the target is at tick {facts.tick} of a consumer that is not registered; "
            "rewind sets the source to it, reset forgets it"
        )
    # Without an open batch nothing but its start can fit.
    end = last_tick if next_tick is None else next_tick
    if judge(facts.tick, Batch(0, end, last_tick, 0.0)) is Verdict.LOST:
        return Fault(
            f"Lost position: the source is at tick {last_tick}, the target at {facts.tick}; "
            f"once it is known which is right, run there: {facts.position.repair_command(last_tick)}"
        )
    which = "the source's" if facts.tick == last_tick else "the end of the source's open batch"
    return Note(f"{text}; it is {which}")


def _letters(facts: LetterFacts, server: Server) -> Iterator[Finding]:
    if facts.table is not None:
        yield Note(f"bad events go to {_DEAD_LETTERS}")
        yield from _rights_to(facts.table, ["insert"], server)
    else:
        yield Note(f"bad events go to {_DEAD_LETTERS}, which the first one creates")
        yield from _making(facts.schema, "set bad_events = stop, or ", server)


def _rights_to(table: Relation, rights: list[str], server: Server) -> Iterator[Finding]:
    if lacking := table.lacking(rights):
        yield server.grant(f"{', '.join(lacking)} on {table.name.sql}")


def _making(schema: Schema | None, otherwise: str, server: Server) -> Iterator[Finding]:
    """Why no table can be made in schema tdsup, or that schema itself, if that is so."""
    if not server.may_create:
        yield Fault(
            f"role {server.role} may not create schema tdsup; {otherwise}run there: "
            f"grant create on database {quote(server.database)} to {quote(server.role)}"
        )
    elif schema and not schema.owned:
        yield Fault(
            f"role {server.role} does not own schema tdsup; {otherwise}run there: "
            f"alter schema tdsup owner to {quote(server.role)}"
        )
