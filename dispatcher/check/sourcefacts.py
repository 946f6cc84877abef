"""The source as a look at it finds it: PgQ, the queue, who feeds it, the consumer and its events."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from ..events import Operation
from ..postgres import TableName, queries, quote
from ..settings import Settings
from .finding import Findings, each

SAMPLE = 10
"""Events that are looked at."""

LONGEST = 1 << 20
"""Bytes of data of an event that is looked at; longer ones are passed over."""

_FUNCTIONS = (
    "get_consumer_info(text, text)",
    "register_consumer(text, text)",
    "next_batch_custom(text, text, interval, int4, interval)",
    "batch_event_sql(bigint)",
    "finish_batch(bigint)",
)
"""What a job calls."""

_TGTYPES = {
    Operation.INSERT: 4,
    Operation.DELETE: 8,
    Operation.UPDATE: 16,
    Operation.TRUNCATE: 32,
}
"""Bits of ``pg_trigger.tgtype``."""


class SourceState:
    """What is known of the source. All is empty until `examine` finds it.

    Attributes:
        reached: the server could be asked.
        now: the moment, as the source writes it.
        time_zone: in which it writes times.
        registered: the consumer is subscribed.
        last_tick: that the consumer has finished, or at which it would begin; None if there is none.
        next_tick: end of the batch that is open; None if none is.
        only_table: the one table whose rows are loaded, as `Source.only_table` tells it.
        key: primary key of that table.
        operations: changes that triggers put into the queue; all if producers may do so without.
        pending: whether `lines` are events that the consumer has before it, else they are the newest ones.
        lines: some events as COPY wrote them.
    """

    def __init__(self, settings: Settings, findings: Findings) -> None:
        self._settings = settings
        self._findings = findings
        self._pgq = {"pgq": settings.pgq_schema}
        self._names = {**self._pgq, "queue": settings.queue}
        self._role = ""
        self._readable = False
        self._events: TableName | None = None
        self.reached = False
        self.now = ""
        self.time_zone = "UTC"
        self.registered = False
        self.last_tick: int | None = None
        self.next_tick: int | None = None
        self.only_table: bytes | None = None
        self.key: tuple[str, ...] = ()
        self.operations = frozenset(Operation)
        self.pending = False
        self.lines: list[bytes] = []

    def examine(self, connection: Connection) -> Iterator[str]:
        """Look at everything; yields lines for a person."""
        self.time_zone = connection.get_parameter_status("TimeZone") or "UTC"
        yield from each(
            connection,
            self._findings,
            self._server,
            self._engine,
            self._queue,
            self._feeders,
            self._consumer,
            self._newest,
        )

    def _server(self, cursor: Cursor) -> Iterator[str]:
        state = queries.row(cursor, "server_state")
        assert state is not None
        version, self._role, standby, read_only, _create, _temp, _database, self.now = state
        self.reached = True
        yield self._findings.server(version, self._role)
        if standby or read_only:
            yield self._findings.unwritable(standby=standby)

    def _engine(self, cursor: Cursor) -> Iterator[str]:
        schema = self._settings.pgq_schema
        usable = queries.row(cursor, "schema_state", schema=schema)
        if usable and not usable[0]:
            yield self._findings.fault(
                f"role {self._role} may not use schema {schema}; "
                f"run there: grant usage on schema {schema} to {quote(self._role)}"
            )
            return
        if usable is None or not queries.value(cursor, "has_pgq", **self._pgq):
            yield self._findings.fault(f"there is no PgQ in schema {schema}; run there: create extension pgq")
            return
        version = queries.row(cursor, "pgq_version", **self._pgq)
        known = f"PgQ {version[0]}" if version else "PgQ"
        yield self._findings.fact(f"{known} in schema {schema}")
        functions = [f"{schema}.{function}" for function in _FUNCTIONS]
        rows = queries.rows(cursor, "denied_functions", functions=functions)
        denied = [f"run {function}" for (function,) in rows]
        rows = queries.rows(cursor, "denied_tables", **self._pgq)
        denied += [f"read {table}" for (table,) in rows]
        if denied:
            remedy = f"; run there: grant pgq_reader to {quote(self._role)}" if schema == "pgq" else ""
            yield self._findings.fault(f"role {self._role} may not {', '.join(denied)}{remedy}")
            return
        self._readable = True

    def _queue(self, cursor: Cursor) -> Iterator[str]:
        if not self._readable:
            return
        schema, queue = self._settings.pgq_schema, self._settings.queue
        state = queries.row(cursor, "queue_state", **self._names)
        if state is None:
            yield self._findings.fault(
                f"there is no queue {queue}; run there: select {schema}.create_queue('{queue}')"
            )
            return
        prefix, paused, self.last_tick, age, late = state
        ticked = f"its last tick, {self.last_tick}, is {age} old" if age else "it has no tick"
        warning = "; its ticker is paused" if paused else "; does its ticker run?" if late or not age else ""
        yield self._findings.fact(f"queue {queue}: {ticked}{warning}")
        events = TableName.parse(prefix)
        if denied := queries.rows(cursor, "denied_events", table=events.sql):
            tables = ", ".join(table for (table,) in denied)
            yield self._findings.fault(
                f"role {self._role} lacks rights; run there: grant select on {tables} to {quote(self._role)}"
            )
            return
        self._events = events

    def _feeders(self, cursor: Cursor) -> Iterator[str]:
        if self._events is None:
            return
        found: dict[str, int | None] = dict(queries.rows(cursor, "feeding_triggers", **self._names))
        wanted = self._settings.source_tables or tuple(found)
        fed = [table for table in wanted if found.get(table)]
        if idle := [table for table in wanted if table not in fed]:
            yield self._findings.fact(
                f"no enabled trigger puts changes of {', '.join(idle)} into queue {self._settings.queue}"
            )
        if fed:
            types = [found[table] or 0 for table in fed]
            self.operations = frozenset(
                operation for operation, bit in _TGTYPES.items() if any(type_ & bit for type_ in types)
            )
            changes = ", ".join(
                operation.name.lower() for operation in Operation if operation in self.operations
            )
            yield self._findings.fact(f"triggers put changes of {', '.join(fed)} into it: {changes}")
        elif not wanted:
            yield self._findings.fact("no trigger puts changes into it; producers must do so themselves")
        if len(wanted) == 1:
            self.only_table = wanted[0].encode()
            schema, _, name = wanted[0].partition(".")
            rows = queries.rows(cursor, "primary_key", table=TableName(schema, name).sql)
            self.key = tuple(column for (column,) in rows)

    def _consumer(self, cursor: Cursor) -> Iterator[str]:
        if self._events is None:
            return
        consumer = self._settings.consumer_name
        state = queries.row(cursor, "consumer_state", **self._names, consumer=consumer)
        if state is None:
            yield self._findings.fact(
                f"consumer {consumer} is not registered; the job's first start registers it, for later events"
            )
            return
        self.registered = True
        subscription, self.last_tick, self.next_tick, age, behind, seen = state
        if seen is None:
            yield self._findings.fault(
                f"consumer {consumer} is at tick {self.last_tick}, which queue {self._settings.queue} lacks"
            )
            return
        batch = f", has a batch open up to tick {self.next_tick}" if self.next_tick is not None else ""
        yield self._findings.fact(
            f"consumer {consumer} is registered, is at tick {self.last_tick}, {age} old{batch}, "
            f"and about {behind} events behind the last tick"
        )
        self._sample(cursor, "pending_events", seen=seen, subscription=subscription)
        self.pending = bool(self.lines)

    def _newest(self, cursor: Cursor) -> Iterator[str]:
        if self._events is not None and not self.pending:
            self._sample(cursor, "newest_events")
        # It has nothing to tell.
        yield from ()

    def _sample(self, cursor: Cursor, name: str, **parameters: object) -> None:
        assert self._events is not None
        self.lines = queries.copy_out(
            cursor,
            name,
            self._events.sql,
            tables=list(self._settings.source_tables) or None,
            longest=LONGEST,
            count=SAMPLE,
            **parameters,
        )
