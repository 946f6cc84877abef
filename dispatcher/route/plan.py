"""Plans: how rows of one shape are written into the tables that there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import BatchError
from ..events import Event
from ..partitions import TEXT, ColumnType, MissingColumn, MissingTable, NotPermitted, Period, Permit, Tables
from ..postgres import Doubt, Encoding, Styles, TableName, copytext, is_possible
from ..settings import Settings
from ..write import Delete, Insert, InsertThrough, Mark, Patch, Replace, Stage, Writer
from .given import TYPES
from .shape import Kind, Shape
from .writeplan import WritePlan

Gaps = tuple[MissingTable | MissingColumn, ...]
"""What has to be made before rows of a shape can be written."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns of a shape that are written.

    Attributes:
        written: their positions in the shape; None: all.
        names: their names in the table.
        lacks: others are left out because the table lacks them.
    """

    written: tuple[int, ...] | None
    names: tuple[str, ...]
    lacks: bool = False


class Planner:
    """Plans how rows are written into the target's present tables.

    Args:
        settings: the job's.
        tables: of the target.
        styles: how values are read.
        encoding: of the rows.
        permit: what may be made for them.
    """

    def __init__(
        self, settings: Settings, tables: Tables, styles: Styles, encoding: Encoding, permit: Permit
    ) -> None:
        self._settings = settings
        self._tables = tables
        self._permit = permit
        self._styles = styles
        self._encoding = encoding.copies_in
        self._given = frozenset(name for name, _ in settings.fields.given)
        self._roots: tuple[TableName, ...] | None = None

    @property
    def roots(self) -> tuple[TableName, ...]:
        """The tables that hold all rows between them."""
        if self._roots is None:
            self._roots = self._tables.roots()
        return self._roots

    def markers(self, values: Sequence[bytes | None]) -> list[tuple[Stage, bytes]]:
        """Stages, like `roots`, of what says when rows were deleted, each with its line of given values.

        Raises:
            BatchError: a root lacks the column that says so.
        """
        self._see_that_marks_fit(self.roots)
        names = self._settings.fields.all_targets([name for name, _ in self._settings.fields.given])
        found = []
        for root in self.roots:
            there = self._tables.columns(root)
            columns = {name: value for name, value in zip(names, values, strict=True) if name in there}
            stage = Stage(root, tuple(columns), encoding=self._encoding)
            found.append((stage, copytext.line([*columns.values()])))
        return found

    def _see_that_marks_fit(self, tables: Iterable[TableName]) -> None:
        """BatchError if rows of a table cannot say that they were deleted."""
        mark = self._settings.deleted_at
        for table in tables:
            if mark not in self._tables.columns(table) and mark not in self._tables.columns(
                table, fresh=True
            ):
                raise BatchError(_no_mark(table, mark))

    def plan(self, shape: Shape, event: Event, key: tuple[bytes, ...]) -> WritePlan | Gaps:
        """How rows of a shape are written, or what has to be made first.

        Args:
            shape: of the event.
            event: the first one of that shape.
            key: source names of the key's columns, for a new table.

        Raises:
            NotPermitted: rows of this event cannot be loaded, and why.
            ValueError: rows of that shape cannot be loaded, and why.
            BatchError: no row can be loaded, and why.
        """
        dest_table = self._settings.dest_table
        named = dest_table if shape.period is None else self._settings.partitioning.partition(shape.period)
        table = self._table(shape.period, named)
        if shape.kind in {Insert, Replace} and table is None:
            found = self._missing(shape.period, named, key)
            if isinstance(found, MissingTable):
                return (found,)
            table = found
        self._see_that_rows_are_apart(shape.period, table)
        like = table or next(iter(self.roots), None)
        if like is None:
            # No table, so no row that could be changed.
            return WritePlan(_search(shape.kind)(Stage(named, (), apart=True), ()), None, names_rows=False)
        columns = self._columns(shape, like, event)
        if not isinstance(columns, _Columns):
            return columns
        writer = self._writer(shape, table, like, columns.names)
        names_rows = self._names_rows(key, like)
        return WritePlan(
            writer, columns.written, names_rows, columns.lacks, *self._peculiar(shape.names, like)
        )

    def _table(self, period: Period | None, named: TableName) -> TableName | None:
        """The table of rows; None if it is not there or not known."""
        if period is not None:
            return self._tables.place(period).table
        return named if not self._settings.part_field and self._tables.exists(named) else None

    def _see_that_rows_are_apart(self, period: Period | None, table: TableName | None) -> None:
        """BatchError if the rows of a period are among those of others, and that matters."""
        parent = self._settings.dest_table
        if self._settings.keeps_latest and period is not None and table == parent:
            raise BatchError(
                f"cannot tell which rows of {parent} are of {period.start}: no partition is known to be "
                "theirs, and row_mode = keep_latest needs one; let the table be partitioned by the range of "
                "a date or timestamp, without a default partition in the way, or set row_mode = plain"
            )

    def _missing(
        self, period: Period | None, named: TableName, key: tuple[bytes, ...]
    ) -> MissingTable | TableName:
        """The table to be made for rows, or the one that takes them if it is not to be made."""
        place = None if period is None else self._tables.place(period)
        if place and place.gap and period:
            named = self._tables.name_for(period)
        missing = MissingTable(named, period, self._settings.fields.rename(key), place.gap if place else None)
        try:
            self._permit.table(missing)
        except NotPermitted as error:
            if place is None or place.otherwise is None or error.is_final:
                raise
            return place.otherwise
        return missing

    def _peculiar(
        self, names: tuple[bytes, ...], table: TableName
    ) -> tuple[tuple[tuple[int, Doubt], ...], tuple[tuple[int, bool], ...]]:
        """Columns that may hold what is not read, and columns of arrays; see `WritePlan`."""
        known = self._tables.columns(table)
        doubts, arrays = [], []
        for position, name in enumerate(self._settings.fields.all_targets(names)):
            column = None if names[position] in self._given else known.get(name)
            if column and (doubt := self._styles.of(column.type)):
                doubts.append((position, doubt))
            if column and column.is_array:
                arrays.append((position, column.type in {"json", "jsonb"}))
        return tuple(doubts), tuple(arrays)

    def _writer(
        self, shape: Shape, table: TableName | None, like: TableName, columns: tuple[str, ...]
    ) -> Writer:
        """What writes some columns of a shape.

        Args:
            shape: of the rows.
            table: where they belong; None if that is not known.
            like: a table that has the columns: `table`, or one of `roots`.
            columns: their names in the table.
        """
        if shape.kind is Insert:
            if not self._tables.takes_copy(like):
                return InsertThrough(Stage(like, columns, encoding=self._encoding))
            return Insert(like, columns, self._encoding)
        key = self._key(shape.key, like)
        equals = tuple(self._tables.columns(like)[name].equals for name in key)
        apart = shape.kind is not Replace or shape.rekeys or not set(key) <= set(columns)
        shared = self._shared(like, (*columns, *key))
        stage = Stage(like, columns, key, equals, apart, self._encoding, shared)
        is_found = self._tables.uniqueness.names_one(like, key) and self._tables.uniqueness.is_alone(like)
        by_index = like if is_found else None
        # Of rows that are kept in each partition, others are of no matter.
        roots = () if self._settings.keeps_latest else self.roots
        if shape.kind is Replace:
            former = dict.fromkeys([like, *roots]) if self._settings.inserts_replace else ()
            mark = self._settings.deleted_at
            return Replace(stage, roots, shape.rekeys, tuple(former), mark, by_index=by_index)
        candidates = dict.fromkeys([*([table] if table else []), *roots])
        if shape.kind is Mark:
            self._see_that_marks_fit(candidates)
        able = tuple(each for each in candidates if self._tables.columns(each).keys() >= set(columns))
        near = self._tables.place(shape.period).near if shape.period else ()
        # What is deleted does not change any more; a key may have come back beside it.
        mark = self._settings.deleted_at if shape.kind is Patch else ""
        return _search(shape.kind)(stage, (*near, *able), mark, by_index=by_index)

    def _shared(self, table: TableName, names: Sequence[str]) -> TableName | None:
        """A root with the very columns that a table has of some names; None: there is none."""
        known = self._tables.columns(table)
        for root in self.roots:
            columns = self._tables.columns(root)
            if all(name in columns and columns[name] == known[name] for name in names):
                return root
        return None

    def _names_rows(self, key: tuple[bytes, ...], table: TableName) -> bool:
        """Whether two events of one row have the same text in their keys."""
        known = self._tables.columns(table)
        names = self._settings.fields.rename(key)
        return len(names) == len(key) > 0 and all(name in known and known[name].canonical for name in names)

    def _columns(self, shape: Shape, table: TableName, event: Event) -> _Columns | Gaps:
        """Which columns of a shape are written, or which of them have to be added to the table first."""
        fields = self._settings.fields
        names = fields.all_targets(shape.names)
        known = self._tables.columns(table)
        if set(names) - known.keys():
            known = self._tables.columns(table, fresh=True)
        unknown = set(names) - known.keys()
        if self._settings.deleted_at in unknown and self._settings.on_new_column == "ignore":
            raise BatchError(_no_mark(table, self._settings.deleted_at))
        if unknown and self._settings.on_new_column == "dead_letter":
            if meant := sorted(unknown & fields.named_targets.keys()):
                key = fields.named_targets[meant[0]]
                raise BatchError(f"table {table} has no column {meant[0]}, which {key} names")
            lacks = f"table {table} has no column {', '.join(sorted(unknown))}"
            raise ValueError(f"{lacks} (on_new_column)")
        if unknown and self._settings.on_new_column == "add":
            if impossible := sorted(name for name in unknown if not is_possible(name)):
                raise ValueError(f"no column can be called {impossible[0]!r}")
            missing = tuple(
                MissingColumn(table, name, event.table.decode(), source.decode(), self._given_type(source))
                for source, name in zip(shape.names, names, strict=True)
                if name in unknown
            )
            self._permit.columns(missing)
            return missing
        # What the target generates it generates itself, from the other columns.
        left_out = unknown | {name for name in names if name in known and known[name].generated}
        if not left_out:
            return _Columns(None, names)
        written = tuple(number for number, name in enumerate(names) if name not in left_out)
        if not written and shape.names:
            raise ValueError(f"table {table} has none of its columns")
        return _Columns(written, tuple(names[number] for number in written), bool(unknown))

    def _given_type(self, source: bytes) -> ColumnType | None:
        """The type of a given column; None if it is a column of the source."""
        return TYPES.get(source.decode(), TEXT) if source in self._given else None

    def _key(self, source: tuple[bytes, ...], table: TableName) -> tuple[str, ...]:
        """Names in the table of the columns that find a row."""
        names = [name for name in source if name not in self._given]
        key = self._settings.fields.rename_key(names)
        if len(key) < len(source) or set(key) - self._tables.columns(table).keys():
            named = ", ".join(name.decode("utf-8", "backslashreplace") for name in names)
            raise ValueError(f"its row cannot be found: not all of the key {named} is loaded")
        return key


def _no_mark(table: TableName, mark: str) -> str:
    return f"table {table} has no column {mark}, which deleted_at names"


def _search(kind: Kind) -> type[Patch | Delete]:
    """The class of what looks for rows, wherever they are."""
    return kind if issubclass(kind, Patch) else Delete
