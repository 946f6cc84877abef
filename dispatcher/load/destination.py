"""The table that a job loads, and what decides where in it an event goes."""

from __future__ import annotations

from ..events import Event
from ..partitions import PeriodCache, Tables
from ..pgq import Reading
from ..settings import Settings
from .layout import Classifier
from .plan import Planner
from .routes import Router
from .rowmode import RowMode


class Destination:
    """One ``dest_table``.

    Args:
        settings: the job's.
        tables: tables of the target.
        only_source: the one table of the source whose rows are loaded, as ``ev_extra1`` names it; None if
            there may be others.
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
        only_source: bytes | None,
        row_mode: RowMode,
        reading: Reading,
    ) -> None:
        self.settings = settings
        self.tables = tables
        self.periods = PeriodCache(settings.part_method, reading.styles.date_order)
        self.router = Router(settings, self.periods, row_mode)
        self.classifier = Classifier(settings, self.router, reading.encoding)
        self.sources: set[bytes] = set()
        self._only_source = only_source
        self._styles = reading.styles
        self.encoding = reading.encoding

    def planner(self) -> Planner:
        """A planner for the tables as they are now."""
        return Planner(self.settings, self.tables, self._styles, self.encoding)

    def check_truncate(self, event: Event) -> None:
        """Make sure that a truncate removes no rows of other tables.

        Raises:
            ValueError: it might.
        """
        if self._only_source != event.table or len(self.sources) > 1:
            raise ValueError(
                "it is a truncate, and dest_table may hold rows of other tables too (table_filter)"
            )
