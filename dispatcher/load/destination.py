"""The table that a job loads, and what decides where in it an event goes."""

from __future__ import annotations

from ..events import Event, read_change
from ..partitions import MissingTable, PeriodCache, Permit, Tables
from ..pgq import Reading, SourceTables
from ..settings import Settings
from .layout import Classifier
from .plan import Planner
from .routes import Router
from .rowmode import RowMode

MAX_SOURCES = 1000
"""Most tables of the source that are remembered: whoever writes events names them as he likes."""

MAX_SOURCE = 260
"""Bytes of a name that are remembered: more than two identifiers in quotes have."""


class Destination:
    """One ``dest_table``.

    Args:
        settings: the job's.
        tables: tables of the target.
        its_tables: tables of the source.
        row_mode: the job's.
        reading: how values are read.

    Attributes:
        settings: as given.
        tables: as given.
        periods: partitions by value.
        router: where events go.
        classifier: what events of the block path look like.
        sources: the tables of the source that were seen so far.
        encoding: of events.
    """

    def __init__(
        self,
        settings: Settings,
        tables: Tables,
        its_tables: SourceTables,
        row_mode: RowMode,
        reading: Reading,
    ) -> None:
        self.settings = settings
        self.tables = tables
        self.periods = PeriodCache(settings.part_method, reading.styles.date_order)
        self.router = Router(settings, self.periods, row_mode, its_tables)
        self.classifier = Classifier(settings, self.router, reading.encoding)
        self.sources: set[bytes] = set()
        self._its_tables = its_tables
        self._styles = reading.styles
        self.encoding = reading.encoding
        self.begin()

    def begin(self) -> None:
        """A batch begins: what may be made for it is counted anew."""
        self._permit = Permit(self.tables, self.settings.partitioning)
        self._has_asked = False

    def asks_for_triggers(self) -> bool:
        """Whether triggers of the source are to be looked at again for a truncate: once for a batch."""
        if self._has_asked or not self.router.doubts_truncates():
            return False
        self._has_asked = True
        return True

    def planner(self) -> Planner:
        """A planner for the tables as they are now."""
        return Planner(self.settings, self.tables, self._styles, self.encoding, self._permit)

    def saw(self, table: bytes) -> None:
        """Remember a table of the source, unless that are too many."""
        if len(self.sources) < MAX_SOURCES:
            self.sources.add(table[:MAX_SOURCE])

    def true_table(self, event: Event) -> MissingTable | None:
        """The partition to be made for a row whose moment is in another day than its text says; None: none.

        Such a row is from a producer in another time zone than the source's.

        Raises:
            NotPermitted: it is not to be made, and why.
            psycopg2.Error: the target cannot be asked.
        """
        change = read_change(event.header(), event)
        value = change.row.get(self.settings.part_field.encode())
        if value is None or not self.tables.place(self.periods[value]).by_moment:
            return None
        period = self.periods[self.tables.day_of(value.decode()).encode()]
        place = self.tables.place(period)
        if place.table is not None:
            return None
        named = self.tables.name_for(period)
        missing = MissingTable(named, period, self.settings.fields.rename(change.key), place.gap)
        self._permit.table(missing)
        return missing

    def check_truncate(self, event: Event) -> None:
        """Make sure that a truncate removes no rows of other tables.

        Raises:
            ValueError: it might.
        """
        only, root = self._its_tables.only, self._its_tables.root
        if root(event.table) != event.table:
            raise ValueError("it is a truncate of one partition, and the target does not tell its rows")
        if only != event.table or {root(name) for name in self.sources} - {only}:
            raise ValueError(
                "it is a truncate, and dest_table may hold rows of other tables too (table_filter)"
            )
