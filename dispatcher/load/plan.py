"""Shapes: events of one kind, for one partition, with the same columns share a writer."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import BatchError
from ..events import Event
from ..partitions import MissingColumn, MissingTable, Period, Tables
from ..postgres import TableName, is_possible
from ..settings import Settings
from ..write import Delete, Insert, InsertThrough, Patch, Replace, Stage, Writer
from .outcome import Needs

Kind = type[Insert | Replace | Patch | Delete]
"""What is done to rows, by what does it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What events have to agree in.

    Attributes:
        kind: what is done.
        period: of the partition; None if there is none or it is not known.
        names: source names of the columns that are loaded.
        key: source names of the key's columns, where the kind finds rows by them.
        rekeys: the key itself changes.
    """

    kind: Kind
    period: Period | None
    names: tuple[bytes, ...]
    key: tuple[bytes, ...] = ()
    rekeys: bool = False


@dataclass(frozen=True, slots=True)
class Fit:
    """How rows of a shape are written.

    Attributes:
        writer: what writes them.
        picked: positions of the columns that are written, None for all.
        names_rows: an event's key, as text, tells its row from every other.
        lacks: columns are left out that the table lacks; it may get them.
    """

    writer: Writer
    picked: tuple[int, ...] | None
    names_rows: bool
    lacks: bool = False


class Fitter:
    """Finds the writer of a shape in the target's present tables.

    Args:
        settings: the job's.
        tables: of the target.
        needs: where missing tables and columns are noted.
    """

    def __init__(self, settings: Settings, tables: Tables, needs: Needs) -> None:
        self._settings = settings
        self._tables = tables
        self._needs = needs
        self._roots: tuple[TableName, ...] | None = None

    @property
    def roots(self) -> tuple[TableName, ...]:
        """Tables that hold all rows together."""
        if self._roots is None:
            self._roots = self._tables.roots()
        return self._roots

    def fit(self, shape: Shape, event: Event, key: tuple[bytes, ...]) -> Fit | None:
        """The writer of a shape; None if something has to be made first.

        Args:
            shape: of the event.
            event: the first one of that shape.
            key: source names of the key's columns, for a new table.

        Raises:
            ValueError: rows of that shape cannot be loaded, and why.
            BatchError: no row can be loaded, and why.
        """
        settings = self._settings
        named = (
            settings.dest_table
            if shape.period is None
            else settings.dest_table.with_suffix(shape.period.suffix)
        )
        unknown_place = shape.period is None and bool(settings.part_field)
        there = not unknown_place and self._tables.exists(named)
        adds = shape.kind in {Insert, Replace}
        if adds and not there:
            self._needs.tables.setdefault(
                named, MissingTable(named, shape.period, settings.fields.rename(key))
            )
            return None
        table = named if there else None
        like = table or next(iter(self.roots), None)
        change = Patch if shape.kind is Patch else Delete
        if like is None:
            # Nothing is there to be changed.
            return Fit(change(Stage(named, ()), ()), None, names_rows=False)
        picked, columns, lacks = self._columns(shape, like, event)
        names_rows = self._names_rows(key, like)
        if shape.kind is Insert:
            view = self._tables.is_view(like)
            writer: Writer = InsertThrough(Stage(like, columns)) if view else Insert(like, columns)
            return Fit(writer, picked, names_rows, lacks)
        stage = Stage(like, columns, self._key(shape.key, like))
        if shape.kind is Replace:
            return Fit(Replace(stage, self.roots, shape.rekeys), picked, names_rows)
        places = dict.fromkeys([*([table] if table else []), *self.roots])
        able = tuple(place for place in places if self._tables.columns(place).keys() >= set(columns))
        return Fit(change(stage, able), picked, names_rows)

    def _names_rows(self, key: tuple[bytes, ...], table: TableName) -> bool:
        """Whether two events of one row have the same text in their keys."""
        known = self._tables.columns(table)
        names = self._settings.fields.rename(key)
        return len(names) == len(key) > 0 and all(name in known and known[name].canonical for name in names)

    def _columns(
        self, shape: Shape, table: TableName, event: Event
    ) -> tuple[tuple[int, ...] | None, tuple[str, ...], bool]:
        """Which of the columns are written, their names in the table, and whether it lacks others."""
        columns = self._settings.fields.rename(shape.names)
        known = self._tables.columns(table)
        if set(columns) - known.keys():
            known = self._tables.columns(table, fresh=True)
        unknown = set(columns) - known.keys()
        # What the target generates it generates itself, from the other columns.
        left_out = {name for name in columns if name in known and known[name].generated}
        if unknown and self._settings.on_new_column == "dead_letter":
            lacks = f"table {table} has no column {', '.join(sorted(unknown))}"
            if self._settings.fields.pairs is not None:
                raise BatchError(f"{lacks}, which fields names")
            raise ValueError(f"{lacks} (on_new_column)")
        if unknown and self._settings.on_new_column == "add":
            if impossible := sorted(name for name in unknown if not is_possible(name)):
                raise ValueError(f"no column can be called {impossible[0]!r}")
            for source, column in zip(shape.names, columns, strict=True):
                if column in unknown:
                    new = MissingColumn(table, column, event.table.decode(), source.decode())
                    self._needs.columns.setdefault((table, column), new)
        left_out |= unknown
        if not left_out:
            return None, columns, False
        picked = tuple(number for number, column in enumerate(columns) if column not in left_out)
        if not picked and shape.names:
            raise ValueError(f"table {table} has none of its columns")
        return picked, tuple(columns[number] for number in picked), bool(unknown)

    def _key(self, source: tuple[bytes, ...], table: TableName) -> tuple[str, ...]:
        """Names in the table of the columns that find a row."""
        key = self._settings.fields.rename(source)
        if len(key) < len(source) or set(key) - self._tables.columns(table).keys():
            named = ", ".join(name.decode("utf-8", "backslashreplace") for name in source)
            raise ValueError(f"its row cannot be found: not all of the key {named} is loaded")
        return key
