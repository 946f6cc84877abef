"""What would become of some events, and how the table is created that the first row needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from ..errors import SetupError
from ..events import Event
from ..load import Destination
from ..partitions import MissingTable, Period, TableMaker, Tables
from ..postgres import Connection
from ..route import RowMode
from ..settings import Settings
from .finding import Fault, Finding, Note
from .forecast import Forecast, Forecaster
from .serverfacts import Server
from .sourcefacts import SourceFacts

_TODAY = "a row of today"
"""What stands for the first event where none is known that adds a row."""


def event_findings(
    target: Connection,
    settings: Settings,
    source: SourceFacts,
    server: Server,
    row_mode: RowMode,
    told: AbstractSet[str],
) -> list[Finding]:
    """What would become of the events that the source showed; nothing is loaded.

    Args:
        target: connection to the target, which is asked for its tables.
        settings: the job's.
        source: what is known of the source.
        server: the source's server.
        row_mode: the job's.
        told: reasons for which events stop the job that have been told as faults.

    Raises:
        psycopg2.Error: the target cannot be asked.
    """
    if source.tables is None:
        return []
    tables = Tables(target, settings.partitioning, server.time_zone)
    maker = TableMaker(target, tables, settings.partitioning, server.time_zone)
    try:
        feed, leading = source.tables, settings.leading
        where = Destination(settings, tables, feed, row_mode, source.reading, leading=leading)
        now = where.periods.written(server.now)
        where.periods.present = now if settings.partitioning.is_by_batch else None
        forecaster = Forecaster(where)
        lines = sorted(source.lines, key=lambda line: Event.from_line(line).id)
        forecasts = [forecaster.foresee(line) for line in lines]
        first = _first_row(forecasts, settings, source, tables, now)
        creation = list(_creation(*first, settings, tables, maker)) if first else []
    except SetupError as error:
        return [Fault(str(error))]
    return [*creation, *_rows(forecasts, set(told), pending=source.pending)]


def _first_row(
    forecasts: Sequence[Forecast], settings: Settings, source: SourceFacts, tables: Tables, now: Period
) -> tuple[str, MissingTable] | None:
    """The row that shows how tables are created: whose it is, and the table that it needs; or None."""
    adding = [(f"event {one.event}", one.table) for one in forecasts if one.table is not None]
    if adding:
        return adding[0] if source.pending else adding[-1]
    key = settings.fields.rename([name.encode() for name in source.feeders.key] if source.feeders else [])
    if not settings.part_field:
        return _TODAY, MissingTable(settings.dest_table, None, key)
    for spot in tables.branches.spots(now):
        place = tables.place(spot)
        table = place.table or settings.partitioning.partition(spot)
        return _TODAY, MissingTable(table, spot, key, place.gap)
    return None


def _creation(
    whose: str, needed: MissingTable, settings: Settings, tables: Tables, maker: TableMaker
) -> Iterator[Finding]:
    """The statements that create the table, if it is missing."""
    goes = f"{whose} goes to {needed.table}, which"
    if tables.exists(needed.table):
        yield Note(f"{goes} is there")
    elif not needed.key and whose == _TODAY and (says := settings.partitioning.names_key):
        yield Note(f"{goes} {says.split()[0]} creates with the key of the first event")
    else:
        statements = maker.statements(needed)
        yield Note(f"{goes} would be created (not tried) by")
        for statement in statements:
            for line in f"{statement.strip().rstrip(';')};".splitlines():
                yield Note(f"    {line.rstrip().expandtabs(4)}")


def _rows(forecasts: Sequence[Forecast], told: set[str], *, pending: bool) -> Iterator[Finding]:
    """What would become of each event; the first that stops the job for a reason is a fault if pending."""
    if not forecasts:
        yield Note("the queue holds none")
        return
    which = "the next" if pending else "none is pending; the newest"
    yield Note(f"{which} {len(forecasts)}:")
    for one in forecasts:
        if not one.reason:
            yield Note(f"{one.what}: {one.row}")
        elif one.reason in told:
            yield Note(f"{one.what}, as told above: {one.row}")
        else:
            told.add(one.reason)
            yield (Fault if pending else Note)(f"{one.what}: {one.reason}: {one.row}")
