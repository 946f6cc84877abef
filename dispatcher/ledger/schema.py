"""Schema ``tdsup`` of a target: what there is, who owns it, and the steps from one version to the next.

Version 1 has positions and dead letters. Version 2 adds ``tdsup.consumer``: owners, sources and counters.
Each step only adds, so that programs of both versions can run on one schema.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import psycopg2
from psycopg2.extensions import cursor as Cursor

from ..errors import SetupError, is_infrastructure, one_line
from ..postgres import Connection, lock_key, queries, quote

VERSION = 2
"""The version that this program makes and likes best."""

_STEPS = ("make_schema", "make_positions", "make_dead_letters", "make_consumers")


@dataclass(frozen=True, slots=True)
class SchemaFacts:
    """What there is of the ledger in a target.

    Attributes:
        pgq_ext: pgq_ext can keep positions.
        schema: there is a schema tdsup.
        positions: it has a table of positions.
        dead_letters: it has a table of dead letters.
        consumers: it has a table of consumers.
        timed: positions have times; an early version 1 had none.
        may_make_schema: the role may make schemas in the database.
        may_use: the role may use schema tdsup.
        may_make_tables: the role may make tables there.
        may_own: the role may use the table of consumers.
    """

    pgq_ext: bool
    schema: bool
    positions: bool
    dead_letters: bool
    consumers: bool
    timed: bool
    may_make_schema: bool
    may_use: bool
    may_make_tables: bool
    may_own: bool

    @property
    def version(self) -> int:
        """The schema's version; 0: there is none."""
        if self.consumers:
            return 2
        return 1 if self.positions else 0

    @property
    def steps(self) -> tuple[str, ...]:
        """Names of the statements that are missing to `VERSION`."""
        missing = (
            not self.schema,
            not (self.positions and self.timed),
            not self.dead_letters,
            not self.consumers,
        )
        return tuple(step for step, is_missing in zip(_STEPS, missing, strict=True) if is_missing)

    @property
    def may_make(self) -> bool:
        """Whether the role has the rights that the missing steps need."""
        return self.may_make_tables if self.schema else self.may_make_schema

    @property
    def lacking(self) -> str:
        """The right that keeps the role from making what is missing, as the end of ``grant``."""
        return "create on schema tdsup" if self.schema else "create on the database"

    def sql(self) -> str:
        """The missing steps as SQL, for a person to run; empty if nothing is missing."""
        return schema_sql(self.steps)


def schema_sql(steps: Iterable[str] = _STEPS) -> str:
    """Steps of schema tdsup as SQL, for a person to run; by default the whole schema."""
    return "\n\n".join(map(queries.text, steps))


def schema_facts(cursor: Cursor) -> SchemaFacts:
    """Ask the target; takes no lock."""
    found = queries.row(cursor, "ledger_facts")
    assert found is not None
    return SchemaFacts(*found)


def stranger(cursor: Cursor) -> str:
    """Why the ledger cannot be trusted, and what to do; empty if it can.

    Whoever owns an object can give it triggers, which run with the rights of the role that writes.
    """
    found = queries.rows(cursor, "strangers")
    if not found:
        return ""
    kind, name, owner, _ = found[0]
    remedy = "; ".join(f"alter {kind} {name} owner to {quote(to)}" for kind, name, _, to in found)
    return (
        f"{kind} {name} in the target database belongs to role {owner}, which is neither this role nor the "
        f"database's owner nor a superuser; once you trust what is in it, run there: {remedy}"
    )


def open_schema(connection: Connection) -> SchemaFacts:
    """Make what is missing of schema tdsup, as far as the role may; returns what there is then.

    Raises:
        SetupError: a stranger owns a part of it, the role may not use it, or there is no place for positions.
        psycopg2.Error: the infrastructure failed.
    """
    with connection, connection.cursor() as cursor:
        if reason := stranger(cursor):
            raise SetupError(f"cannot use the ledger: {reason}")
        facts = schema_facts(cursor)
    if facts.steps and facts.may_make:
        facts = _make(connection, facts)
    if facts.schema and not facts.may_use:
        role = quote(connection.session.info.user)
        raise SetupError(
            "cannot use schema tdsup in the target database; "
            f"run there: grant usage on schema tdsup to {role}"
        )
    if not (facts.pgq_ext or facts.positions):
        raise SetupError(
            f"cannot create schema tdsup in the target database: the role lacks {facts.lacking}; grant it, "
            "let the database's owner run what tdsup schema --sql prints, or install pgq_ext there"
        )
    return facts


def make_dead_letters(connection: Connection) -> None:
    """Make the table of dead letters, in a transaction of its own.

    Raises:
        SetupError: it cannot be made, and what to do.
    """
    with connection, connection.cursor() as cursor:
        if reason := stranger(cursor):
            raise SetupError(f"cannot keep dead letters: {reason}")
        facts = schema_facts(cursor)
    if not facts.dead_letters and not (facts.may_make and _make(connection, facts).dead_letters):
        raise SetupError(
            f"cannot create table tdsup.dead_letter in the target database: the role lacks {facts.lacking}; "
            "grant it, let the database's owner run what tdsup schema --sql prints, or set bad_events = stop"
        )


def _make(connection: Connection, facts: SchemaFacts) -> SchemaFacts:
    """Run the missing steps that the role may run; returns what there is then."""
    for step in facts.steps:
        try:
            with connection, connection.cursor() as cursor:
                queries.run(cursor, "wait_at_most", "lock_transaction", key=lock_key("schema"))
                found = schema_facts(cursor)
                if not found.steps:
                    return found
                if step in found.steps:
                    queries.run(cursor, step)
        except psycopg2.errors.InsufficientPrivilege:
            # It takes the owner of a table. What there is may do.
            continue
        except psycopg2.Error as error:
            if is_infrastructure(error):
                raise
            raise SetupError(
                f"cannot create schema tdsup in the target database: {one_line(error)}"
            ) from error
    with connection, connection.cursor() as cursor:
        return schema_facts(cursor)
