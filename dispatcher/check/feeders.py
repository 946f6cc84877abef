"""The tables of the source that feed the queue, and which of their columns the job's file names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor

from ..events import Event, Operation, read_change
from ..pgq import Reading, SourceTables
from ..postgres import hint, queries
from ..settings import Settings
from .finding import Fault

_TGTYPES = {
    Operation.INSERT: 4,
    Operation.DELETE: 8,
    Operation.UPDATE: 16,
    Operation.TRUNCATE: 32,
}
"""Bits of ``pg_trigger.tgtype``."""


@dataclass(frozen=True, slots=True)
class Feeders:
    """The tables that feed the queue.

    Attributes:
        wanted: tables whose rows the job loads: those that its file names, else all that have a trigger.
        triggers: the operations that enabled triggers put into the queue, by table.
        key: primary key of the only table; empty if there are several.
        idle: there are triggers, and none of them is on a table that the job's file names.
    """

    wanted: tuple[str, ...]
    triggers: Mapping[str, frozenset[Operation]]
    key: tuple[str, ...] = ()
    idle: bool = False

    @property
    def fed(self) -> tuple[str, ...]:
        """Wanted tables with an enabled trigger."""
        return tuple(table for table in self.wanted if self.triggers.get(table))

    @property
    def operations(self) -> frozenset[Operation]:
        """Operations that may come: those of the triggers; without triggers, all."""
        found = frozenset[Operation]().union(*(self.triggers[table] for table in self.fed))
        return found if self.fed else frozenset(Operation)


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of rows that the job may get.

    Attributes:
        tables: the tables whose rows they are; empty: nothing is known.
        names: columns of the tables, and of events that were seen.
    """

    tables: tuple[str, ...]
    names: frozenset[str]

    def missing(self, settings: Settings) -> Mapping[str, tuple[str, ...]]:
        """Columns that no row has, each with the keys of the job's file that name it."""
        if not self.tables:
            return {}
        found: dict[str, tuple[str, ...]] = {}
        part_field = settings.partitioning.column
        named = [("fields", name.decode()) for name, _ in settings.fields.named]
        named += [("skip_fields", name) for name in settings.skip_fields]
        named += [("where", name.decode()) for name in (settings.where.columns if settings.where else ())]
        named += [("mask", name) for name in settings.mask.of]
        named += [("part_field", part_field)] if part_field else []
        for key, name in named:
            if name not in self.names:
                found[name] = (*found.get(name, ()), key)
        return found


UNKNOWN = Columns((), frozenset())
"""Nothing is known."""


def read_feeders(cursor: Cursor, settings: Settings, tables: SourceTables) -> Feeders:
    """Ask which tables have triggers that put events into the queue."""
    triggers: dict[str, frozenset[Operation]] = {}
    for name, types in queries.rows(
        cursor, "feeding_triggers", pgq=settings.pgq_schema, queue=settings.queue
    ):
        root = tables.root(name.encode()).decode()
        found = {operation for operation, bit in _TGTYPES.items() if (types or 0) & bit}
        triggers[root] = triggers.get(root, frozenset()) | found
    listed = (*settings.sections, *settings.wanted)
    named = list(dict.fromkeys(str(name) for name in listed if not name.is_pattern))
    wanted = (*named, *(table for table in triggers if table not in named and tables.wants(table.encode())))
    if len(wanted) != 1:
        return Feeders(wanted, triggers, idle=tables.filter_is_idle)
    schema, _, name = wanted[0].partition(".")
    key = queries.rows(cursor, "primary_key", schema=schema, table=name)
    return Feeders(wanted, triggers, tuple(column for (column,) in key), tables.filter_is_idle)


def read_columns(
    cursor: Cursor, fed: Iterable[str], tables: SourceTables, lines: Iterable[bytes], reading: Reading
) -> Columns:
    """Ask for the columns of tables that feed the queue, and look at those of events.

    A table without a trigger counts if the events that name it have no column that it lacks: a producer may
    write rows of its own under a table's name.

    Args:
        cursor: of the source.
        fed: tables with a trigger.
        tables: the source's tables.
        lines: events as COPY wrote them.
        reading: how events are read.
    """
    seen: dict[str, set[str]] = {table: set() for table in fed}
    known_by_trigger = set(seen)
    for line in lines:
        event = Event.from_line(line, reading.encoding)
        seen.setdefault(_text(tables.root(event.table)), set()).update(_columns(event))
    had: dict[str, set[str]] = {}
    for table, column in queries.rows(cursor, "columns_of_tables", tables=list(seen)):
        had.setdefault(table, set()).add(column)
    counted = tuple(table for table in had if table in known_by_trigger or seen[table] <= had[table])
    return Columns(counted, frozenset().union(*seen.values(), *(had[table] for table in counted)))


def _columns(event: Event) -> Iterator[str]:
    """Names of an event's columns; none if it cannot be read."""
    try:
        header = event.header()
        change = read_change(header, event) if header.operation else None
    except ValueError:
        return
    if change is not None:
        yield from map(_text, change.row)


def _text(name: bytes) -> str:
    return name.decode(errors="backslashreplace")


def column_findings(columns: Columns, settings: Settings) -> Iterator[Fault]:
    """A fault for each column that the job's file names and no row has."""
    whose = ", ".join(columns.tables)
    lack = f"{whose} has no" if len(columns.tables) == 1 else f"none of {whose} has a"
    for name, keys in columns.missing(settings).items():
        names = "names" if len(keys) == 1 else "name"
        yield Fault(f"{lack} column {name}, which {' and '.join(keys)} {names}{hint(name, columns.names)}")


def mask_findings(feeders: Feeders | None, settings: Settings) -> Iterator[Fault]:
    """A fault for each column of the key of the only table whose values a mask makes alike."""
    for name in feeders.key if feeders else ():
        if name in settings.mask.alike:
            yield Fault(f"column {name} is of the key, and all rows would have the same: mask it by hmac")


def reasons(columns: Columns, settings: Settings) -> set[str]:
    """What events would say of the same faults."""
    missing = columns.missing(settings)
    return {f"it has no column {name}, which {key} names" for name, keys in missing.items() for key in keys}
