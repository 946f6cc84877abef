"""Facts of what tdsup keeps in the target: the consumer's position and its dead letters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from psycopg2.errors import InsufficientPrivilege
from psycopg2.extensions import cursor as Cursor

from ..errors import SetupError
from ..ledger import (
    Entry,
    Position,
    SchemaFacts,
    Storage,
    Tick,
    find_position,
    namesake,
    read_entry,
    remembered,
    schema_facts,
    stranger,
)
from ..postgres import TableName, queries
from ..settings import Settings
from .look import Look
from .tablefacts import Relation, read_relation, read_schema

POSITIONS = TableName("tdsup", "completed_tick")
CONSUMERS = TableName("tdsup", "consumer")
DEAD_LETTERS = TableName("tdsup", "dead_letter")
_EXTENSION = "pgq_ext"
_ITS_POSITIONS = TableName(_EXTENSION, "completed_tick")
_READS = "pgq_ext.get_last_tick(text)"
_FUNCTIONS = [_READS, "pgq_ext.set_last_tick(text, bigint)"]


@dataclass(frozen=True, slots=True)
class PositionFacts:
    """The consumer's position and row.

    Attributes:
        ledger: what there is of the ledger.
        foreign: why it cannot be used; empty if it can.
        closed: a schema that the position needs and the role may not use; empty if there is none.
        hidden: the role may not read the position.
        position: what reads it; None if its place has to be made first.
        tick: last applied tick; None if there is none.
        entry: the consumer's row; None if there is none.
        denied: functions of pgq_ext that the role may not run.
        tables: tables that the position needs.
    """

    ledger: SchemaFacts
    foreign: str = ""
    closed: str = ""
    hidden: bool = False
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

    def row_mode(self, table: str = "") -> Mapping[str, Any] | None:
        """What the target remembers of ``row_mode = auto``, as `remembered`."""
        entry = self.position.entry if self.position else None
        return remembered(entry.row_mode, table) if entry else None


def read_bookkeeping(look: Look, settings: Settings) -> Bookkeeping:
    """Ask for the position, and for the table of dead letters if bad events go there."""
    position = look.read(lambda cursor: _read_position(cursor, settings))
    in_vain = position and (position.foreign or position.closed == POSITIONS.schema)
    keeps = settings.bad_events != "stop" and not in_vain
    return Bookkeeping(position, look.read(_read_letters) if keeps else None)


def _read_position(cursor: Cursor, settings: Settings) -> PositionFacts:
    facts = schema_facts(cursor)
    if foreign := stranger(cursor):
        return PositionFacts(facts, foreign)
    if facts.schema and not facts.may_use:
        return PositionFacts(facts, closed=POSITIONS.schema)
    own = _relations(cursor, POSITIONS)
    entries = _relations(cursor, CONSUMERS) if facts.may_own else ()
    try:
        position = find_position(cursor, facts, settings.queue, settings.consumer_name)
    except SetupError as error:
        return PositionFacts(facts, str(error))
    except InsufficientPrivilege:
        return PositionFacts(facts, hidden=True, tables=own)
    if position is None:
        return PositionFacts(facts)
    if position.storage is Storage.PGQ_EXT:
        return _read_of_pgq_ext(cursor, facts, position, entries)
    return _read_tick(cursor, PositionFacts(facts, position=position, tables=(*own, *entries)))


def _read_of_pgq_ext(
    cursor: Cursor, facts: SchemaFacts, position: Position, entries: tuple[Relation, ...]
) -> PositionFacts:
    schema = read_schema(cursor, _EXTENSION)
    if schema and not schema.usable:
        return PositionFacts(facts, closed=_EXTENSION)
    if position.entries and (reason := namesake(cursor, position)):
        return PositionFacts(facts, reason)
    denied = tuple(name for (name,) in queries.rows(cursor, "denied_functions", functions=_FUNCTIONS))
    its_own = _relations(cursor, _ITS_POSITIONS) if queries.value(cursor, "pgq_ext_runs_as_caller") else ()
    found = PositionFacts(facts, position=position, denied=denied, tables=(*its_own, *entries))
    return _read_tick(cursor, found)


def _read_tick(cursor: Cursor, found: PositionFacts) -> PositionFacts:
    """The facts with the position and the consumer's row, if the role may read them."""
    position = found.position
    if position is None or _READS in found.denied or any(table.lacking(["select"]) for table in found.tables):
        return replace(found, hidden=True)
    entry = read_entry(cursor, position) if position.entries else None
    return replace(found, tick=position.read(cursor), entry=entry)


def _relations(cursor: Cursor, name: TableName) -> tuple[Relation, ...]:
    """The table, if it is there."""
    found = read_relation(cursor, name)
    return (found,) if found else ()


def _read_letters(cursor: Cursor) -> LetterFacts:
    return LetterFacts(read_relation(cursor, DEAD_LETTERS), schema_facts(cursor))
