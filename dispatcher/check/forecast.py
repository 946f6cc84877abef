"""Events, looked at as the job would and not loaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tdsup.jobtype import printable

from ..errors import BatchError
from ..events import Change, Event, Operation
from ..load import Destination
from ..partitions import MissingColumn, MissingTable
from ..postgres import UTF8, Encoding, TableName
from ..route import Gaps, Routed, WritePlan
from ..write import Insert, Replace

VALUE_WIDTH = 30
"""Most characters shown of a value."""

ROW_WIDTH = 150
"""Most characters shown of a row."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What would become of an event.

    Attributes:
        event: its id.
        what: what would become of it, in a line.
        row: the event's row or, if it cannot be read, its data.
        table: the table that its row goes into, whether it is there or not; None if it adds no row.
        reason: why the job would stop at it; empty if it would not.
    """

    event: int
    what: str
    row: str
    table: MissingTable | None = None
    reason: str = ""


class Forecaster:
    """Tells what would become of events, one after another.

    Args:
        destination: where they go; only looked at.
    """

    def __init__(self, destination: Destination) -> None:
        self._settings = destination.settings
        self._tables = destination.tables
        self._destination = destination
        self._planner = destination.planner()

    def foresee(self, line: bytes) -> Forecast:
        """Tell what would become of an event, as COPY wrote it, unless PostgreSQL would refuse its row.

        Raises:
            SetupError: the name of a table is too long.
            psycopg2.Error: the target cannot be asked.
        """
        event = Event.from_line(line, self._destination.encoding)
        sieve = self._destination.sieve
        shown = "" if sieve.masked else _quoted(event.data or b"", ROW_WIDTH, event.encoding)
        try:
            header = event.header()
            change = sieve.read(header, event) if header.operation else None
            if change is None or not self._destination.router.wants(change.operation, change.key):
                why = "PgQ's own" if change is None else "event_types, row_mode"
                return Forecast(event.id, f"{_kind(event, change)} is ignored ({why})", shown)
            shown = _row(change, event.encoding)
            self._destination.saw(event.table)
            wanted, text = self._route(event, change)
        except BatchError as error:
            return Forecast(event.id, f"{_kind(event, None)} blocks the job", shown, reason=str(error))
        except UnicodeDecodeError:
            return self._dead(event, "the name of a column is not UTF-8", shown)
        except ValueError as error:
            return self._dead(event, str(error), shown)
        return Forecast(event.id, f"{_kind(event, change)} {text}", shown, wanted)

    def _dead(self, event: Event, reason: str, shown: str) -> Forecast:
        kind = _kind(event, None)
        if self._settings.bad_events == "stop":
            return Forecast(event.id, f"{kind} stops the job", shown, reason=reason)
        return Forecast(event.id, f"{kind} becomes a dead letter: {reason}", shown)

    def _route(self, event: Event, change: Change) -> tuple[MissingTable | None, str]:
        """The table that the row needs, if it needs one, and what becomes of the event."""
        if change.operation is Operation.TRUNCATE:
            self._destination.check_truncate(event)
            return None, f"empties {self._settings.dest_table}"
        passes = self._destination.router.passes(change)
        routed = self._destination.route(event, change)
        if routed is None:
            return None, f"is ignored ({'none of its columns is loaded' if passes else 'where'})"
        if not passes:
            return None, f"removes its row from {self._settings.dest_table}, if it is there (where)"
        plan = self._planner.plan(routed.shape, event, change.key)
        if isinstance(plan, WritePlan):
            plan.examine(routed.values)
            plan.with_arrays(routed.values, event.encoding)
        gaps = () if isinstance(plan, WritePlan) else plan
        table = self._table(routed, plan)
        notes = [f"column {gap.name} is added" for gap in gaps if isinstance(gap, MissingColumn)]
        if any(isinstance(gap, MissingTable) for gap in gaps):
            notes += ["to be created", *self._strangers(routed)]
        text = f"goes to {table}" if table else f"changes {self._settings.dest_table}, wherever its row is"
        wanted = next((gap for gap in gaps if isinstance(gap, MissingTable)), None)
        if wanted is None and table and routed.shape.kind in {Insert, Replace}:
            key = self._settings.fields.rename(change.key)
            wanted = MissingTable(table, routed.shape.period, key)
        return wanted, text + (f" ({'; '.join(notes)})" if notes else "")

    def _table(self, routed: Routed, plan: WritePlan | Gaps) -> TableName | None:
        """The table that a row is in, by its values; None if they do not tell."""
        period = routed.shape.period
        if not isinstance(plan, WritePlan):
            return plan[0].table
        if period is not None:
            return self._tables.place(period).table or self._settings.partitioning.partition(period)
        return None if self._settings.part_field else self._settings.dest_table

    def _strangers(self, routed: Routed) -> Iterator[str]:
        """Columns that the new table lacks if it becomes like its parent."""
        parent = self._settings.dest_table
        if self._tables.exists(parent):
            names = self._settings.fields.all_targets(routed.shape.names)
            for name in sorted(set(names) - self._tables.columns(parent).keys()):
                yield f"{parent} has no column {name}"


def _kind(event: Event, change: Change | None) -> str:
    """What the event is, in words."""
    what = _quoted(event.type, VALUE_WIDTH) if change is None else change.operation.name.lower()
    return f"{event.id}: {what}" + (f" of {_quoted(event.table, ROW_WIDTH)}" if event.table else "")


def _row(change: Change, encoding: Encoding) -> str:
    """Names and values of the row."""
    pairs = ((_quoted(name, VALUE_WIDTH), _value(value, encoding)) for name, value in change.row.items())
    return _cut(" ".join(f"{name}={value}" for name, value in pairs), ROW_WIDTH)


def _value(value: bytes | None, encoding: Encoding) -> str:
    if value is None:
        return "NULL"
    return "'NULL'" if value == b"NULL" else _quoted(value, VALUE_WIDTH, encoding) or "''"


def _quoted(value: bytes, width: int, encoding: Encoding = UTF8) -> str:
    """A value on one line: in quotes if it is more than a word, with escapes for what cannot be shown.

    A backslash stays one: bytea is shown as SQL shows it.
    """
    text = printable(_cut(encoding.shown(value[: 4 * width]), width))
    if not set(text) & set(" '\"="):
        return text
    return "'" + text.replace("'", "''") + "'"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
