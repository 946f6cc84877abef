"""What the facts of position and dead letters mean: where they are kept, and which rights that needs."""

from __future__ import annotations

from collections.abc import Iterator

from ..ledger import NO_OWNERS, SchemaFacts, Storage, other_source, working
from ..pgq import Batch, Verdict, judge, lost_position, may_register, takes_over, unregistered
from ..postgres import quote
from ..settings import Settings
from .bookfacts import CONSUMERS, DEAD_LETTERS, POSITIONS, Bookkeeping, LetterFacts, PositionFacts
from .finding import Fault, Finding, Note
from .serverfacts import Server
from .sourcefacts import ConsumerFacts, SourceFacts
from .tablefacts import Relation

_OWNING = "select, insert, update, delete"

_STORED = {
    None: "a new schema tdsup",
    Storage.PGQ_EXT: "pgq_ext",
    Storage.OWN: str(POSITIONS),
    Storage.UNTIMED: str(POSITIONS),
}
"""Where a position is kept, in words."""


def bookkeeping_findings(
    facts: Bookkeeping, settings: Settings, server: Server, source: SourceFacts
) -> Iterator[Finding]:
    """Where both are kept, the rights that this needs, and whether the position fits the source's."""
    if facts.position is not None:
        yield from _about_position(facts.position, settings, server, source)
    if settings.bad_events == "stop":
        yield Note("a bad event stops the job")
    elif facts.letters is not None:
        has_room = facts.position is None or _has_room(facts.position.ledger)
        yield from _letters(facts.letters, server, has_room=has_room)


def _about_position(
    facts: PositionFacts, settings: Settings, server: Server, source: SourceFacts
) -> Iterator[Finding]:
    if facts.foreign:
        yield Fault(facts.foreign)
        return
    if facts.closed:
        yield server.grant(f"usage on schema {facts.closed}")
        return
    yield from _rights_to_position(facts, server)
    if facts.hidden:
        return
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
    if not _has_room(ledger):
        yield from _making(ledger, "install pgq_ext there, or ", server)
    elif ledger.consumers and not ledger.may_own:
        yield Note(f"{NO_OWNERS}; run there: grant {_OWNING} on {CONSUMERS} to {quote(server.role)}")
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


def _has_room(ledger: SchemaFacts) -> bool:
    """Whether there is a place for positions."""
    return ledger.positions or ledger.pgq_ext


def _letters(facts: LetterFacts, server: Server, *, has_room: bool) -> Iterator[Finding]:
    if facts.table is not None:
        yield Note(f"bad events go to {DEAD_LETTERS}")
        yield from _rights_to(facts.table, ["insert"], server)
    else:
        yield Note(f"bad events go to {DEAD_LETTERS}, which the first start creates")
        if has_room:
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
