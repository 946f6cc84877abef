"""What the facts of the source mean for the job."""

from __future__ import annotations

from collections.abc import Iterator

from ..events import Operation
from ..pgq import too_old
from ..postgres import quote
from ..settings import Settings
from .feeders import Feeders, column_findings
from .finding import Caution, Fault, Finding, Note
from .serverfacts import Server, server_findings
from .several.parts import part_findings
from .sourcefacts import ConsumerFacts, PgqFacts, QueueFacts, SourceFacts


def source_findings(facts: SourceFacts, settings: Settings) -> Iterator[Finding]:
    """Notes and faults, from the server down to the consumer."""
    if facts.server is None:
        return
    yield from server_findings(facts.server)
    yield from map(Note, facts.reading.styles.notes)
    if facts.pgq is not None:
        yield from _pgq(facts.pgq, settings, facts.server)
    if facts.queue is not None:
        yield from _queue(facts.queue, settings, facts.server)
    if facts.feeders is not None:
        yield from _feeders(facts.feeders, settings)
    yield from part_findings(settings, facts)
    if not settings.tables:
        yield from column_findings(facts.columns, settings)
    if facts.consumer is not None:
        yield _consumer(facts.consumer, settings)


def _pgq(pgq: PgqFacts, settings: Settings, server: Server) -> Iterator[Finding]:
    schema, role = settings.pgq_schema, server.role
    if pgq.hidden:
        yield Fault(
            f"role {role} may not use schema {schema}; "
            f"run there: grant usage on schema {schema} to {quote(role)}"
        )
    elif not pgq.installed:
        yield Fault(f"there is no PgQ in schema {schema}; run there: create extension pgq")
    else:
        yield Note(f"PgQ {pgq.version} in schema {schema}" if pgq.version else f"PgQ in schema {schema}")
    if pgq.is_old:
        yield Fault(too_old(pgq.version))
    if pgq.absent:
        yield Fault(f"PgQ in schema {schema} lacks {', '.join(pgq.absent)}; install all of it")
    if pgq.functions or pgq.tables:
        yield _rights_to_pgq(pgq, role)


def _rights_to_pgq(pgq: PgqFacts, role: str) -> Fault:
    lacking = [("run", "execute on function", pgq.functions), ("read", "select on", pgq.tables)]
    may_not = [f"{verb} {', '.join(names)}" for verb, _, names in lacking if names]
    grants = [f"grant {right} {', '.join(names)} to {quote(role)}" for _, right, names in lacking if names]
    remedy = f"grant {quote(pgq.reader)} to {quote(role)}" if pgq.reader else "; ".join(grants)
    return Fault(f"role {role} may not {' or '.join(may_not)}; run there: {remedy}")


def _queue(queue: QueueFacts, settings: Settings, server: Server) -> Iterator[Finding]:
    name = settings.queue
    if queue.events is None:
        yield Fault(queue.missing)
        return
    ticked = f"its last tick, {queue.newest_tick}, is {queue.age} old" if queue.age else "it has no tick"
    yield Note(f"queue {name}: {ticked}{'' if queue.age else '; does its ticker run?'}")
    if queue.trouble:
        yield Caution(f"queue {name}: {queue.trouble}")
    if queue.denied:
        yield server.grant(f"select on {', '.join(queue.denied)}")


def _feeders(feeders: Feeders, settings: Settings) -> Iterator[Finding]:
    if feeders.idle:
        fed = ", ".join(sorted(feeders.triggers))
        yield Fault(
            f"no trigger of queue {settings.queue} is on a table of {settings.shown_filter}; "
            f"its triggers are on {fed}"
        )
    elif idle := [table for table in feeders.wanted if table not in feeders.fed]:
        yield Note(f"no enabled trigger puts changes of {', '.join(idle)} into queue {settings.queue}")
    if feeders.fed:
        names = [operation.name.lower() for operation in Operation if operation in feeders.operations]
        yield Note(f"triggers put changes of {', '.join(feeders.fed)} into it: {', '.join(names)}")
    elif not feeders.wanted:
        yield Note("no trigger puts changes into it; producers must do so themselves")


def _consumer(consumer: ConsumerFacts, settings: Settings) -> Finding:
    name = f"consumer {settings.consumer_name}"
    if consumer.has_former:
        return Note(f"{name} is not registered, and consumer {settings.former_name} is")
    if consumer.subscription is None:
        return Note(f"{name} is not registered; the job's first start registers it, for later events")
    if consumer.seen is None:
        return Fault(f"{name} is at tick {consumer.last_tick}, which queue {settings.queue} lacks")
    batch = f", has a batch open up to tick {consumer.next_tick}" if consumer.next_tick is not None else ""
    return Note(
        f"{name} is registered, is at tick {consumer.last_tick}, {consumer.age} old{batch}, "
        f"and about {consumer.behind} events behind the last tick"
    )
