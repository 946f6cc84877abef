"""What will keep partitions from being made, or from going, told before it happens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from shutil import which

from ..partitions import Partitioning, other_key
from ..postgres import Connection, TableName, queries, quote
from .agenda import decide, doubt_of, some_of
from .care import Care
from .inventory import read_inventory

FOR_EVER = float("inf")


def hindrances(connection: Connection, care: Care, role: str) -> Iterator[str]:
    """What a person should change so that partitions can be looked after; each a sentence with its remedy.

    Args:
        connection: to the target.
        care: a table.
        role: the job's, there.
    """
    lifespan, partitioning = care.lifespan, care.partitioning
    if not lifespan.needs_care:
        return
    if not partitioning.field:
        yield f"premake and retention_period do nothing for {partitioning.parent}, which has no part_field"
        return
    if extension := care.extension(connection):
        yield from care.refusals(extension)
        return
    if lifespan.premake and partitioning.names_key and not _key(connection, partitioning):
        yield (
            f"premake makes nothing: part_template says _PKEY, and {partitioning.parent} has no primary key "
            "to tell it before the first event"
        )
    if lifespan.premake and (other := other_key(connection, partitioning)):
        yield (
            f"premake makes nothing: {partitioning.parent} is partitioned by {other}, and not by the time "
            "that part_field tells"
        )
    if not lifespan.ends:
        return
    if lifespan.program and which(lifespan.program[0]) is None:
        yield f"no partition goes: there is no program {lifespan.program[0]} here (retention_program)"
    if lifespan.action == "move":
        yield from _schema(connection, lifespan.schema, role)
        if lifespan.schema == partitioning.parent.schema:
            yield (
                f"retention_schema is the schema of {partitioning.parent}, where its partitions are already: "
                "name another one"
            )
    yield from _of_partitions(connection, care, role)


def _of_partitions(connection: Connection, care: Care, role: str) -> Iterator[str]:
    """Which partitions would stay though they are old, and why."""
    lifespan, partitioning = care.lifespan, care.partitioning
    with connection.cursor() as cursor:
        clock = queries.value(cursor, "target_clock")
    found = read_inventory(connection, partitioning, care.zone, clock)
    # As if all that have bounds were old.
    decisions = decide(found, partitioning.parent, lifespan, FOR_EVER)
    yield from _not_owned([each.partition.table for each in decisions if each.is_barred], role)
    apart = [each.table for each in found if each.parent is None and not each.is_native]
    if lifespan.action == "detach" and apart and len(apart) == len(found):
        yield (
            f"retention_action = detach does nothing: there is nothing to detach {some_of(apart)} from; say "
            "drop or move"
        )
    yield from doubt_of(decisions)
    unread = [each.table for each in found if each.is_unread]
    if unread:
        yield f"{some_of(unread)} will never go: the bounds cannot be read, nor the name"


def _key(connection: Connection, partitioning: Partitioning) -> bool:
    parent = partitioning.parent
    with connection.cursor() as cursor:
        return bool(queries.rows(cursor, "primary_key", schema=parent.schema, table=parent.table))


def _schema(connection: Connection, schema: str, role: str) -> Iterator[str]:
    with connection.cursor() as cursor:
        state = queries.row(cursor, "schema_state", schema=schema)
    if state is None:
        create = f"create schema {quote(schema)} authorization {quote(role)}"
        yield f"there is no schema {schema} (retention_schema); run there: {create}"
    elif not (state[0] and state[1]):
        grant = f"grant usage, create on schema {quote(schema)} to {quote(role)}"
        yield f"role {role} may not put tables into schema {schema} (retention_schema); run there: {grant}"


def _not_owned(tables: Sequence[TableName], role: str) -> Iterator[str]:
    if tables:
        yield (
            f"{some_of(tables)} cannot go, as role {role} does not own all of them and their parents; "
            f"run there for each: alter table {tables[0].sql} owner to {quote(role)}"
        )
