"""What the job's role needs in the source database."""

from __future__ import annotations

from collections.abc import Iterator

from ..postgres import quote
from ..settings import Settings
from .sqltexts import each, literal, on_database

_CALLED = ("version", "register_consumer_at", "unregister_consumer", "next_batch_custom", "finish_batch")
"""Functions of PgQ that a job and the actions on it call, whatever its version."""

_PLANNED = ("batch_event_sql", "batch_event_tables", "quote_fqname")
"""What tells the query of a batch's events, which runs with the role's own rights."""

_UNPLANNED = {"pgque": ("get_batch_events",)}
"""The same, by the schema of PgQ, where no role but an administrator's may ask for the query."""

_TABLES = ("queue", "tick", "subscription", "consumer")

_FUNCTIONS = """
select format('grant execute on function %s to %I', oid::regprocedure, {role})
from pg_proc where pronamespace = {schema}::regnamespace and proname in ({names})
"""

_EVENTS = """
select format('grant select on %s to %I', c.oid::regclass, {role})
from {pgq}.queue join pg_class p on p.oid = to_regclass(queue_data_pfx)
join pg_class c on c.oid = p.oid or c.oid in (select inhrelid from pg_inherits where inhparent = p.oid)
where queue_name = {queue}
"""


def grants_in_source(settings: Settings, role: str) -> Iterator[str]:
    """The statements, each perhaps with a comment before it.

    Args:
        settings: the job's.
        role: its name.
    """
    schema = settings.pgq_schema
    pgq, to = quote(schema), f"to {quote(role)};"
    called = ", ".join(map(literal, (*_CALLED, *_UNPLANNED.get(schema, _PLANNED))))
    functions = _FUNCTIONS.format(schema=literal(pgq), role=literal(role), names=called)
    tables = ", ".join(f"{pgq}.{table}" for table in _TABLES)
    events = _EVENTS.format(pgq=pgq, role=literal(role), queue=literal(settings.queue))
    yield on_database("connect", role)
    yield f"grant usage on schema {pgq} {to}"
    yield f"-- They take the name of any queue: the role may move consumers of others.\n{each(functions)}"
    yield f"grant select on {tables} {to}"
    yield f"-- Events of this queue, and of no other. Make the queue before.\n{each(events)}"
