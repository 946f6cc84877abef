"""What tdsup keeps in the target: the consumer's position and its dead letters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import cursor as Cursor

from ..errors import SetupError
from ..ledger import (
    NO_OWNERS,
    Entry,
    Position,
    SchemaFacts,
    Storage,
    Tick,
    find_position,
    namesake,
    other_source,
    read_entry,
    schema_facts,
    stranger,
    working,
)
from ..pgq import Batch, Verdict, judge, lost_position, may_register, takes_over, unregistered
from ..postgres import TableName, queries, quote
from ..settings import Settings
from .finding import Fault, Finding, Note
from .look import Look
from .serverfacts import Server
from .sourcefacts import ConsumerFacts, SourceFacts
from .tablefacts import Relation, read_relation

_POSITIONS = TableName("tdsup", "completed_tick")
_CONSUMERS = TableName("tdsup", "consumer")
_OWNING = "select, insert, update, delete"
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
    """The consumer's position and row.

    Attributes:
        ledger: what there is of the ledger.
        foreign: why it cannot be used; empty if it can.
        position: what reads it; None if its place has to be made first.
        tick: last applied tick; None if there is none.
        entry: the consumer's row; None if there is none.
        denied: functions of pgq_ext that the role may not run.
        tables: our own tables that the position needs.
    """

    ledger: SchemaFacts
    foreign: str = ""
    position: Position | None = None
    tick: Tick | None = None
    entry: Entry | None = None
    denied: tuple[str, ...] = ()
    tables: tuple[Relation, ...] = ()


@dataclass(frozen=True, slots=True)
class LetterFacts:
    """The table of dead letters.

    Attributes:
        table: the table; None if there is none yet.
        ledger: what there is of the ledger.
    """

    table: Relation | None
    ledger: SchemaFacts


@dataclass(frozen=True, slots=True)
class Bookkeeping:
    """What is known of both; None where the target could not be asked, or need not be."""

    position: PositionFacts | None = None
    letters: LetterFacts | None = None

    @property
    def tick(self) -> Tick | None:
        """The target's position, if it is known."""
        return self.position.tick if self.position else None

    @property
    def row_mode(self) -> dict[str, Any] | None:
        """What the target remembers of ``row_mode = auto``; None: nothing."""
        return self.position.entry.row_mode if self.position and self.position.entry else None


def read_bookkeeping(look: Look, settings: Settings) -> Bookkeeping:
    """Ask for the position, and for the table of dead letters if bad events go there."""
    position = look.read(lambda cursor: _read_position(cursor, settings))
    return Bookkeeping(position, None if settings.bad_events == "stop" else look.read(_read_letters))


def _read_position(cursor: Cursor, settings: Settings) -> PositionFacts:
    facts = schema_facts(cursor)
    if foreign := stranger(cursor):
        return PositionFacts(facts, foreign)
    if facts.schema and not facts.may_use:
        return PositionFacts(facts, "run there: grant usage on schema tdsup to this role")
    try:
        position = find_position(cursor, facts, settings.queue, settings.consumer_name)
    except SetupError as error:
        return PositionFacts(facts, str(error))
    if position is None:
        return PositionFacts(facts)
    is_pgq_ext = position.storage is Storage.PGQ_EXT
    if is_pgq_ext and position.entries and (reason := namesake(cursor, position)):
        return PositionFacts(facts, reason)
    denied = queries.rows(cursor, "denied_functions", functions=_FUNCTIONS) if is_pgq_ext else []
    names = [*([] if is_pgq_ext else [_POSITIONS]), *([_CONSUMERS] if facts.may_own else [])]
    tables = tuple(table for name in names if (table := read_relation(cursor, name)))
    return PositionFacts(
        facts,
        position=position,
        tick=position.read(cursor),
        entry=read_entry(cursor, position) if position.entries else None,
        denied=tuple(function for (function,) in denied),
        tables=tables,
    )


def _read_letters(cursor: Cursor) -> LetterFacts:
    return LetterFacts(read_relation(cursor, _DEAD_LETTERS), schema_facts(cursor))


def bookkeeping_findings(
    facts: Bookkeeping, settings: Settings, server: Server, source: SourceFacts
) -> Iterator[Finding]:
    """Where both are kept, the rights that this needs, and whether the position fits the source's."""
    if facts.position is not None:
        yield from _about_position(facts.position, settings, server, source)
    if settings.bad_events == "stop":
        yield Note("a bad event stops the job")
    elif facts.letters is not None:
        yield from _letters(facts.letters, server)


def _about_position(
    facts: PositionFacts, settings: Settings, server: Server, source: SourceFacts
) -> Iterator[Finding]:
    if facts.foreign:
        yield Fault(facts.foreign)
        return
    yield from _rights_to_position(facts, server)
    yield from _standing(facts, server, source)
    yield _position(facts, settings, source)
    if settings.start and facts.tick is not None:
        yield Note(
            f"start = {settings.start} has done its work; remove it: after a restore it would count again"
        )


def _rights_to_position(facts: PositionFacts, server: Server) -> Iterator[Finding]:
    for function in facts.denied:
        yield server.grant(f"execute on function {function}")
    for table in facts.tables:
        yield from _rights_to(table, ["select", "insert", "update"], server)
    ledger = facts.ledger
    if not (ledger.positions or ledger.pgq_ext):
        yield from _making(ledger, "install pgq_ext there, or ", server)
    elif ledger.consumers and not ledger.may_own:
        yield Note(f"{NO_OWNERS}; run there: grant {_OWNING} on {_CONSUMERS} to {quote(server.role)}")
    elif not (ledger.consumers or ledger.may_make):
        yield Note(f"{NO_OWNERS}; tdsup schema --sql prints what is missing")


def _standing(facts: PositionFacts, server: Server, source: SourceFacts) -> Iterator[Finding]:
    """What the consumer's row says."""
    entry = facts.entry
    if entry is None:
        return
    for reason in (entry.paused, entry.blocked):
        if reason:
            yield Note(reason)
    if source.database and (reason := other_source(entry, source.database)):
        yield Fault(reason)


def _position(facts: PositionFacts, settings: Settings, source: SourceFacts) -> Finding:
    where = f"kept in {_STORED[facts.position.storage if facts.position else None]}"
    if facts.entry and facts.entry.lives:
        return Note(f"the position is {where}; the consumer works now: {working(facts.entry).reason}")
    consumer = source.consumer
    if facts.tick is None:
        return _no_position(where, settings, consumer)
    text = f"the position is tick {facts.tick.number}, {where}"
    if consumer is None:
        return Note(text)
    if consumer.last_tick is None:
        found = source.whereabouts
        if found and not may_register(facts.tick, found, is_new=False):
            return Fault(unregistered(facts.tick, found, settings))
        return Note(f"{text}; the consumer is not registered, the next start registers it there")
    # Without an open batch nothing but its start can fit.
    end, end_time = (
        (consumer.last_tick, consumer.last_time)
        if consumer.next_tick is None
        else (consumer.next_tick, consumer.next_time)
    )
    batch = Batch(0, end, consumer.last_tick, end_time or 0.0, consumer.last_time or 0.0)
    if judge(facts.tick, batch) is Verdict.LOST:
        return Fault(lost_position(facts.tick, batch, settings.job_name))
    which = (
        "the source's" if facts.tick.number == consumer.last_tick else "the end of the source's open batch"
    )
    return Note(f"{text}; it is {which}")


def _no_position(where: str, settings: Settings, consumer: ConsumerFacts | None) -> Finding:
    text = f"the position is {where}; there is none"
    if consumer is not None and consumer.has_former:
        return Fault(f"{text}; consumer {settings.consumer_name}: {takes_over(settings)}")
    if consumer is None or consumer.last_tick is None:
        return Note(f"{text} yet; the first start writes the tick at which it registers the consumer")
    if settings.start:
        return Note(f"{text} yet; start = {settings.start} says where it begins")
    return Fault(
        f"{text}, and the consumer is registered on the source, at tick {consumer.last_tick}; choose where "
        "it begins: table_dispatcher --register FILE, start = registered or start = beginning"
    )


def _letters(facts: LetterFacts, server: Server) -> Iterator[Finding]:
    if facts.table is not None:
        yield Note(f"bad events go to {_DEAD_LETTERS}")
        yield from _rights_to(facts.table, ["insert"], server)
    else:
        yield Note(f"bad events go to {_DEAD_LETTERS}, which the first start creates")
        yield from _making(facts.ledger, "set bad_events = stop, or ", server)


def _rights_to(table: Relation, rights: list[str], server: Server) -> Iterator[Finding]:
    if lacking := table.lacking(rights):
        yield server.grant(f"{', '.join(lacking)} on {table.name.sql}")


def _making(ledger: SchemaFacts, otherwise: str, server: Server) -> Iterator[Finding]:
    """Why no table can be made in schema tdsup, or that schema itself, if that is so."""
    if ledger.may_make:
        return
    what, right = (
        ("create tables in schema tdsup", "create on schema tdsup")
        if ledger.schema
        else ("create schema tdsup", f"create on database {quote(server.database)}")
    )
    yield Fault(
        f"role {server.role} may not {what}; {otherwise}let the database's owner run what tdsup schema --sql "
        f"prints, or run there: grant {right} to {quote(server.role)}"
    )
