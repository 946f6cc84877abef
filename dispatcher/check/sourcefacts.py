"""Facts of the source: PgQ, the queue, the triggers that feed it, the consumer and some events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from psycopg2.extensions import cursor as Cursor

from ..events import Operation
from ..ledger import Source, Tick
from ..pgq import PLAIN, Reading, Registry, SourcePart, SourceTables, Whereabouts, no_queue, standings
from ..postgres import Connection, TableName, queries
from ..settings import Settings
from .feeders import UNKNOWN, Columns, Feeders, read_columns, read_feeders
from .look import Look
from .serverfacts import Server, read_server

SAMPLE = 10
"""Events that are looked at."""

LONGEST = 1 << 20
"""Bytes of an event's data; longer events are passed over."""

_FUNCTIONS = (
    "version()",
    "register_consumer_at(text, text, bigint)",
    "next_batch_custom(text, text, interval, int4, interval)",
    "finish_batch(bigint)",
)
"""What a job calls, beside one of `_EVENTS`."""

_EVENTS = ("batch_event_sql(bigint)", "get_batch_events(bigint)")
"""What a job reads a batch's events by, the first one that it may call."""


@dataclass(frozen=True, slots=True)
class PgqFacts:
    """PgQ in its schema.

    Attributes:
        hidden: the schema is there, but the role may not use it.
        installed: it is there.
        version: of the extension; empty if PgQ was installed otherwise.
        functions: those that the role may not run, such as ``pgq.finish_batch(bigint)``.
        tables: those that it may not read.
        absent: functions that are not there.
        reader: a role that may do all of this, and of which the job's is no member; empty if there is none.
        is_old: it is of a version that cannot be used.
    """

    hidden: bool = False
    installed: bool = False
    version: str = ""
    functions: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    reader: str = ""
    is_old: bool = False

    @property
    def usable(self) -> bool:
        """Whether the role can use it."""
        return self.installed and not (self.functions or self.tables or self.absent or self.is_old)


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """The queue.

    Attributes:
        events: the parent of the tables that hold its events; None if there is no such queue.
        missing: that it is not there, and what to do.
        newest_tick: id of its newest tick; None if it has none.
        age: of that tick, as PostgreSQL writes an interval.
        trouble: what is wrong with its ticker; empty: nothing.
        denied: tables of events that the role may not read.
        txid: type of the numbers of transactions in events; PgQue's is another one than PgQ's.
    """

    events: TableName | None
    missing: str = ""
    newest_tick: int | None = None
    age: str | None = None
    trouble: str = ""
    denied: tuple[str, ...] = ()
    txid: str = "bigint"


@dataclass(frozen=True, slots=True)
class ConsumerFacts:
    """The consumer's subscription to the queue.

    Attributes:
        subscription: its id; None if the consumer is not registered.
        last_tick: end of the last batch that it finished.
        next_tick: end of the batch that is open; None if none is.
        age: of `last_tick`, as PostgreSQL writes an interval.
        behind: about how many events came after it.
        seen: the transactions that were visible at it, as a txid_snapshot; None if the queue lacks the tick.
        last_time: when `last_tick` was made, in seconds since 1970.
        next_time: the same of `next_tick`.
        has_former: the consumer that table_dispatcher 2.1 had for the file is registered.
    """

    subscription: int | None
    last_tick: int | None = None
    next_tick: int | None = None
    age: str | None = None
    behind: int | None = None
    seen: str | None = None
    last_time: float | None = None
    next_time: float | None = None
    has_former: bool = False


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What is known of the source; None where it could not be asked.

    Attributes:
        pending: `lines` are events that the consumer has before it; else they are the newest ones.
        lines: some events as COPY wrote them.
        whereabouts: of a consumer that is not registered, and of the tick of its position.
        reading: how its values are read.
        tables: its tables that are loaded.
        columns: columns of their rows.
    """

    server: Server | None = None
    database: Source | None = None
    pgq: PgqFacts | None = None
    queue: QueueFacts | None = None
    feeders: Feeders | None = None
    consumer: ConsumerFacts | None = None
    pending: bool = False
    lines: tuple[bytes, ...] = ()
    whereabouts: Whereabouts | None = None
    reading: Reading = PLAIN
    tables: SourcePart | None = None
    columns: Columns = UNKNOWN

    @property
    def only_table(self) -> bytes | None:
        """The one table whose rows are loaded; None if there may be others."""
        return self.tables.only if self.tables else None

    @property
    def operations(self) -> frozenset[Operation]:
        """Operations that may come."""
        return self.feeders.operations if self.feeders else frozenset(Operation)


def read_source(look: Look, settings: Settings) -> SourceFacts:
    """Ask the source, as far as each answer allows the next question."""
    server = look.read(read_server)
    database = look.read(Source.read)
    pgq = look.read(lambda cursor: _read_pgq(cursor, settings)) if server else None
    queue = look.read(lambda cursor: _read_queue(cursor, settings)) if pgq and pgq.usable else None
    if queue is None or queue.events is None or queue.denied:
        return SourceFacts(server, database, pgq, queue)
    events = queue.events
    queue = replace(queue, trouble=look.use(lambda connection: _trouble(connection, settings)) or "")
    tables = look.use(lambda connection: SourceTables(connection, settings, {}))
    feeders = look.read(lambda cursor: read_feeders(cursor, settings, tables)) if tables else None
    consumer = look.use(lambda connection: _read_consumer(connection, settings))
    reading = look.use(lambda connection: Reading.of(connection, None, settings)) or PLAIN
    sample: dict[str, Any] = {
        "table": events.sql,
        "txid": queue.txid,
        "tables": (tables.names if tables else []) or None,
        "options": reading.encoding.copies_out,
    }
    pending = None
    if consumer and consumer.seen:
        known = {"seen": consumer.seen, "subscription": consumer.subscription, **sample}
        pending = look.read(lambda cursor: _read_events(cursor, "pending_events", **known))
    lines = pending or look.read(lambda cursor: _read_events(cursor, "newest_events", **sample)) or ()
    found = SourceFacts(server, database, pgq, queue, feeders, consumer, bool(pending), lines)
    found = replace(found, reading=reading, tables=tables.whole if tables else None)
    if feeders is None or tables is None:
        return found
    fed = feeders.fed
    columns = look.read(lambda cursor: read_columns(cursor, fed, tables, lines, reading))
    return replace(found, columns=columns) if columns else found


def with_wanted_tick(source: SourceFacts, look: Look, settings: Settings, tick: Tick | None) -> SourceFacts:
    """The facts, with where an unregistered consumer would be registered: at its position's tick.

    Args:
        source: the facts so far.
        look: at the source.
        settings: the job's.
        tick: the target's position; None: there is none.
    """
    if tick is None or source.consumer is None or source.consumer.last_tick is not None:
        return source
    where = look.use(lambda connection: Registry(connection, settings).whereabouts(tick.number))
    return replace(source, whereabouts=where)


def _read_pgq(cursor: Cursor, settings: Settings) -> PgqFacts:
    schema = settings.pgq_schema
    rights = queries.row(cursor, "schema_state", schema=schema)
    if rights and not rights[0]:
        return PgqFacts(hidden=True)
    if rights is None or not queries.value(cursor, "has_pgq", pgq=schema):
        return PgqFacts()
    called, ways = ([f"{schema}.{name}" for name in names] for names in (_FUNCTIONS, _EVENTS))
    denied = _names(queries.rows(cursor, "denied_functions", functions=[*called, *ways]))
    if called[0] not in denied and (old := queries.value(cursor, "old_pgq", pgq=schema)):
        return PgqFacts(installed=True, version=old, is_old=True)
    version = queries.row(cursor, "pgq_version", pgq=schema)
    if denied.issuperset(ways):
        # No role but an administrator's may run PgQue's.
        called.append(ways[schema == "pgque"])
    functions = [function for function in called if function in denied]
    absent = _names(queries.rows(cursor, "absent_functions", functions=functions))
    tables = [table for (table,) in queries.rows(cursor, "denied_tables", pgq=schema)]
    lacking = {"functions": [one for one in functions if one not in absent], "tables": tables}
    reader = queries.row(cursor, "helpful_role", role=f"{schema}_reader", **lacking)
    return PgqFacts(
        installed=True,
        version=version[0] if version else "",
        functions=tuple(lacking["functions"]),
        tables=tuple(tables),
        absent=tuple(one for one in functions if one in absent),
        reader=reader[0] if reader else "",
    )


def _names(rows: Iterable[tuple[str]]) -> frozenset[str]:
    return frozenset(name for (name,) in rows)


def _read_queue(cursor: Cursor, settings: Settings) -> QueueFacts:
    state = queries.row(cursor, "queue_state", pgq=settings.pgq_schema, queue=settings.queue)
    if state is None:
        return QueueFacts(None, no_queue(cursor, settings))
    prefix, newest_tick, age = state
    events = TableName.parse(prefix)
    denied = queries.rows(cursor, "denied_events", table=events.sql)
    txid = queries.row(cursor, "column_type", schema=events.schema, table=events.table, column="ev_txid")
    names = tuple(table for (table,) in denied)
    kind = txid[1] if txid else "int8"
    return QueueFacts(events, newest_tick=newest_tick, age=age, denied=names, txid=kind)


def _trouble(connection: Connection, settings: Settings) -> str:
    consumer = settings.queue, settings.consumer_name
    return standings(connection, settings.pgq_schema, [consumer])[consumer].trouble


def _read_consumer(connection: Connection, settings: Settings) -> ConsumerFacts:
    names = {"queue": settings.queue, "consumer": settings.consumer_name}
    with connection.cursor() as cursor:
        state = queries.row(cursor, "consumer_state", pgq=settings.pgq_schema, **names)
    if state:
        return ConsumerFacts(*state)
    former = Registry(connection, settings).former_is_registered()
    return ConsumerFacts(None, has_former=former and not settings.start)


def _read_events(cursor: Cursor, query: str, **known: Any) -> tuple[bytes, ...]:
    return tuple(queries.copy_out(cursor, query, longest=LONGEST, count=SAMPLE, **known))
