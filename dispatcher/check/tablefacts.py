"""The target as a look at it finds it: tables, rights, the position, the place for dead letters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from ..events import Operation
from ..ledger import Claim, Position, Storage
from ..partitions import CLONEABLE, SUFFIXES
from ..pgq import Batch, Verdict, judge
from ..postgres import TableName, queries, quote
from ..settings import Settings
from .finding import Findings, each
from .sourcefacts import SourceState

_KINDS = {
    "r": "a table",
    "p": "a partitioned table",
    "v": "a view",
    "f": "a foreign table",
}
"""What rows can be put into, by ``pg_class.relkind``."""

_HERE = {
    Operation.INSERT: ("insert",),
    Operation.UPDATE: ("insert", "select", "update"),
    Operation.DELETE: ("select", "delete"),
    Operation.TRUNCATE: (),
}
"""Rights to the table that a row belongs into."""

_ANYWHERE = {
    Operation.INSERT: (),
    Operation.UPDATE: ("select", "delete"),
    Operation.DELETE: ("select", "delete"),
    Operation.TRUNCATE: ("truncate",),
}
"""Rights to a table that holds all rows together."""

_HERE_AND_ANYWHERE = {operation: (*_HERE[operation], *_ANYWHERE[operation]) for operation in Operation}
"""Rights to a partition that is no child of ``dest_table``."""

_ONLY = {**_HERE, Operation.TRUNCATE: ("truncate",)}
"""Rights to a table that is not partitioned."""

_CREATES = re.compile(r"\bcreate\s+(?:unlogged\s+)?table\b", re.IGNORECASE)
_LINKS = re.compile(r"\b(?:inherits|partition)\b", re.IGNORECASE)
_PARENT = re.compile(r"(?<!\w)_PARENT(?!\w)")


@dataclass(frozen=True, slots=True)
class _Server:
    role: str
    database: str
    may_create: bool
    may_stage: bool


class TargetState:
    """What is known of the target.

    Args:
        settings: the job's.
        findings: words for it.
        source: what is known of the source.

    Attributes:
        has_room: rows have a table, or one can be created for them.
    """

    def __init__(self, settings: Settings, findings: Findings, source: SourceState) -> None:
        self._settings = settings
        self._findings = findings
        self._source = source
        self._changes = _changes(settings, source)
        self._server = _Server("", "", may_create=True, may_stage=True)
        self.has_room = False

    def examine(self, connection: Connection) -> Iterator[str]:
        """Look at everything; yields lines for a person."""
        position = Position(self._settings.queue, self._settings.consumer_name)
        steps = (self._look_at_server, self._table, self._newest, self._creation)
        yield from each(connection, self._findings, *steps)
        yield from each(
            connection,
            self._findings,
            lambda cursor: self._position(cursor, position, Claim(connection, position)),
            self._letters,
        )

    def _look_at_server(self, cursor: Cursor) -> Iterator[str]:
        state = queries.row(cursor, "server_state")
        assert state is not None
        version, role, standby, read_only, may_create, may_stage, database, _now = state
        self._server = _Server(role, database, may_create, may_stage)
        yield self._findings.server(version, role)
        if standby or read_only:
            yield self._findings.unwritable(standby=standby)
        if self._stages:
            yield from self._staging()

    # Tables and rights.

    def _table(self, cursor: Cursor) -> Iterator[str]:
        parent, settings = self._settings.dest_table, self._settings
        usable = queries.row(cursor, "schema_state", schema=parent.schema)
        if usable is None:
            yield self._findings.fault(
                f"there is no schema {parent.schema}; run there: create schema {quote(parent.schema)}"
            )
        elif not usable[0]:
            yield self._grant(f"usage on schema {quote(parent.schema)}")
        elif queries.value(cursor, "table_exists", table=parent.sql):
            self.has_room = True
            rights = self._rights(_ANYWHERE if settings.part_field else _ONLY)
            yield from self._relation(cursor, parent, rights)
        elif not settings.part_template.strip():
            yield self._findings.fault(
                f"there is no table {parent}, and no part_template that would create tables"
            )
        elif settings.part_field and _PARENT.search(settings.part_template):
            yield self._findings.fault(
                f"there is no table {parent}, which part_template refers to as _PARENT"
            )
        else:
            self.has_room = True
            what = "each of its partitions" if settings.part_field else "it"
            yield self._findings.fact(f"there is no table {parent}; part_template creates {what}")

    def _newest(self, cursor: Cursor) -> Iterator[str]:
        parent = self._settings.dest_table
        if not self._settings.part_field or not self.has_room:
            return
        newest = queries.row(
            cursor,
            "newest_partition",
            schema=parent.schema,
            parent=parent.table,
            table=parent.sql,
            suffix=SUFFIXES[self._settings.part_method],
        )
        if newest is None:
            yield self._findings.fact(f"{parent} has no partition yet")
            return
        name, child = newest
        rights = self._rights(_HERE if child else _HERE_AND_ANYWHERE)
        yield from self._relation(cursor, TableName(parent.schema, name), rights, "the newest partition, ")

    @property
    def _stages(self) -> bool:
        """Whether changes go through a staging table, whatever they go to."""
        return bool(self._changes & {Operation.UPDATE, Operation.DELETE})

    def _staging(self) -> Iterator[str]:
        if not self._server.may_stage:
            yield self._grant(f"temporary on database {quote(self._server.database)}")

    def _rights(self, table: dict[Operation, tuple[str, ...]]) -> list[str]:
        """Rights that the job's changes need."""
        changes = [operation for operation in Operation if operation in self._changes]
        return list(dict.fromkeys(right for operation in changes for right in table[operation]))

    def _relation(
        self, cursor: Cursor, table: TableName, rights: Sequence[str], role: str = ""
    ) -> Iterator[str]:
        is_view = queries.value(cursor, "table_kind", table=table.sql) == "v"
        # Rows for a view are staged in a table like it.
        wanted = [*rights, "select"] if is_view and "select" not in rights else rights
        kind, parent, _owned, lacking = self._state(cursor, table, wanted)
        if kind not in _KINDS:
            yield self._findings.fault(f"{table} is nothing that rows can be put into")
            return
        children = " with children" if parent and kind == "r" else ""
        yield self._findings.fact(f"{table} is {role}{_KINDS[kind]}{children}")
        if lacking:
            yield self._grant(f"{', '.join(lacking)} on {table.sql}")
        if is_view and not self._stages:
            yield from self._staging()

    def _state(
        self, cursor: Cursor, table: TableName, rights: Sequence[str]
    ) -> tuple[str, bool, bool, list[str]]:
        """Kind, whether it has children, whether the role owns it, and which of the rights it lacks."""
        state = queries.row(cursor, "table_state", table=table.sql, rights=list(rights))
        assert state is not None
        kind, parent, owned, lacking = state
        return kind, parent, owned, lacking

    def _creation(self, cursor: Cursor) -> Iterator[str]:
        """What the creation of tables needs; nothing if the job never creates one."""
        settings, parent = self._settings, self._settings.dest_table
        template = settings.part_template
        if not self.has_room:
            return
        there = queries.value(cursor, "table_exists", table=parent.sql)
        if there and not settings.part_field:
            return
        clones = not template.strip()
        schema = queries.row(cursor, "schema_state", schema=parent.schema)
        if schema and not schema[1] and (clones or _CREATES.search(template)):
            yield self._grant(f"create on schema {quote(parent.schema)}")
        if not there or not (clones or _LINKS.search(template)):
            return
        kind, _, owned, lacking = self._state(cursor, parent, ["select"])
        if clones and kind not in CLONEABLE:
            self.has_room = False
            yield self._findings.fault(
                f"{parent} cannot be cloned for its partitions, and there is no part_template"
            )
        if not owned:
            yield self._findings.fault(
                f"role {self._server.role} does not own {parent} and cannot make children of it; "
                f"run there: alter table {parent.sql} owner to {quote(self._server.role)}"
            )
        if clones and lacking:
            yield self._grant(f"select on {parent.sql}")

    def _grant(self, what: str) -> str:
        role = self._server.role
        return self._findings.fault(f"role {role} lacks rights; run there: grant {what} to {quote(role)}")

    # The schema tdsup.

    def _position(self, cursor: Cursor, position: Position, claim: Claim) -> Iterator[str]:
        storage = position.find_storage(cursor)
        tick = None if storage is None else position.peek(cursor)
        where = {None: "a new schema tdsup", Storage.PGQ_EXT: "pgq_ext"}.get(storage, "tdsup.completed_tick")
        if storage is Storage.PGQ_EXT:
            functions = ["pgq_ext.get_last_tick(text)", "pgq_ext.set_last_tick(text, bigint)"]
            for (function,) in queries.rows(cursor, "denied_functions", functions=functions):
                yield self._grant(f"execute on function {function}")
        elif storage is not None:
            yield from self._may_write(cursor, "completed_tick", ["select", "insert", "update"])
        else:
            yield from self._may_make(cursor, "install pgq_ext there, or ")
        if holder := claim.holder(cursor):
            yield self._findings.fact(f"the position is kept in {where}; the consumer works now: {holder}")
        elif tick is None:
            yield self._findings.fact(
                f"the position is kept in {where}; there is none, so any batch is taken"
            )
        else:
            yield from self._fit(where, tick, position)

    def _fit(self, where: str, tick: int, position: Position) -> Iterator[str]:
        """Whether the position fits the source's."""
        source = self._source
        text = f"the position is tick {tick}, kept in {where}"
        if source.last_tick is None:
            yield self._findings.fact(text)
            return
        # Without an open batch nothing but its start can fit.
        end = source.last_tick if source.next_tick is None else source.next_tick
        verdict = judge(tick, Batch(0, end, source.last_tick, 0.0))
        if not source.registered:
            yield self._findings.fault(
                f"Lost position: the target is at tick {tick} of a consumer that is not registered; "
                "rewind sets the source to it, reset forgets it"
            )
        elif verdict is Verdict.LOST:
            yield self._findings.fault(
                f"Lost position: the source is at tick {source.last_tick}, the target at {tick}; "
                f"once it is known which is right, run there: {position.repair_command(source.last_tick)}"
            )
        else:
            which = "the source's" if tick == source.last_tick else "the end of the source's open batch"
            yield self._findings.fact(f"{text}; it is {which}")

    def _letters(self, cursor: Cursor) -> Iterator[str]:
        if self._settings.bad_events == "stop":
            yield self._findings.fact("a bad event stops the job")
        elif queries.value(cursor, "has_dead_letters"):
            yield self._findings.fact("bad events go to tdsup.dead_letter")
            yield from self._may_write(cursor, "dead_letter", ["insert"])
        else:
            yield self._findings.fact("bad events go to tdsup.dead_letter, which the first one creates")
            yield from self._may_make(cursor, "set bad_events = stop, or ")

    def _may_write(self, cursor: Cursor, table: str, rights: list[str]) -> Iterator[str]:
        *_, lacking = self._state(cursor, TableName("tdsup", table), rights)
        if lacking:
            yield self._grant(f"{', '.join(lacking)} on tdsup.{table}")

    def _may_make(self, cursor: Cursor, otherwise: str) -> Iterator[str]:
        """Whether a table can be made in schema tdsup, and that schema if need be."""
        role, database = quote(self._server.role), quote(self._server.database)
        schema = queries.row(cursor, "schema_state", schema="tdsup")
        if not self._server.may_create:
            yield self._findings.fault(
                f"role {self._server.role} may not create schema tdsup; {otherwise}run there: "
                f"grant create on database {database} to {role}"
            )
        elif schema and not schema[2]:
            yield self._findings.fault(
                f"role {self._server.role} does not own schema tdsup; {otherwise}run there: "
                f"alter schema tdsup owner to {role}"
            )


def _changes(settings: Settings, source: SourceState) -> frozenset[Operation]:
    """What the job is to do, as far as rights are concerned."""
    changes = source.operations & settings.event_types
    if settings.row_mode == "keep_all":
        return frozenset({Operation.INSERT} if changes & {Operation.INSERT, Operation.UPDATE} else ())
    # A truncate of one of several tables is a dead letter.
    return changes if source.only_table else changes - {Operation.TRUNCATE}
