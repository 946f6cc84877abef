"""What may be made for the rows of one batch: events ask for it, and anybody may write events."""

from __future__ import annotations

from datetime import date

from ..errors import BatchError
from ..postgres import TableName, queries
from .missing import MissingColumn, MissingTable
from .partitioning import Lifespan, Partitioning
from .period import Period, as_time
from .tables import Tables

MAX_ADDED = 100
"""Most columns that are added for one batch."""

MAX_COLUMNS = 1000
"""Columns of a table, with dropped ones, from which on none is added; PostgreSQL's own limit is 1600."""


class NotPermitted(ValueError):
    """Why something is not made for an event; for another event of the same columns it may be."""

    is_final = False
    """Whether the default partition does not take the row either."""


class LateRow(NotPermitted):
    """Why a row has no partition: its time is over.

    Attributes:
        is_ignored: nothing is to become of its event.
    """

    is_final = True

    def __init__(self, reason: str, *, is_ignored: bool) -> None:
        super().__init__(reason)
        self.is_ignored = is_ignored


class Permit:
    """What may be made for one batch, however often that is tried.

    Args:
        tables: of the target.
        partitioning: how ``dest_table`` is partitioned.
        lifespan: for how long its partitions exist.
        moment: of the batch, in seconds since 1970; None: a person loads it, and it is never late.

    Attributes:
        renewed: periods whose time is over, and whose partitions were gone and may be made again.
    """

    def __init__(
        self, tables: Tables, partitioning: Partitioning, lifespan: Lifespan, moment: float | None
    ) -> None:
        self._tables = tables
        self._partitioning = partitioning
        self._lifespan = lifespan
        self._moment = moment
        self.renewed: set[Period] = set()
        self._made: set[str] = set()
        self._added: set[str] = set()
        self._widths: dict[TableName, int] = {}
        self._last: date | None = None

    def table(self, missing: MissingTable) -> None:
        """Permit a table.

        Raises:
            NotPermitted: it is not to be made, and why; `LateRow`, if its time is over.
            BatchError: no table is to be made, and why.
        """
        if self._partitioning.names_key:
            self._check_key(missing.key)
        if missing.period is not None:
            self._check_period(missing.period)
        limit = self._partitioning.limit
        if str(missing.table) not in self._made and len(self._made) >= limit:
            raise NotPermitted(
                f"there is no partition {missing.table}, and no more than {limit} are made for a batch "
                "(part_limit)"
            )
        self._made.add(str(missing.table))

    def _check_key(self, key: tuple[str, ...]) -> None:
        parent = self._partitioning.parent
        if not self._tables.exists(parent):
            says = self._partitioning.names_key
            raise BatchError(f"{says}, and there is no {parent} that has such columns")
        if reason := self._partitioning.why_no_key(key, self._tables.columns(parent)):
            raise NotPermitted(reason)

    def _check_period(self, period: Period) -> None:
        """Rows of long ago or of the far future are mistakes more often than not."""
        if self._is_over(period):
            if self._lifespan.late != "create":
                raise LateRow(
                    f"its partition, of {period.start}, is gone (retention_period, late_events)",
                    is_ignored=self._lifespan.late == "ignore",
                )
            self.renewed.add(period)
        asked = self._partitioning
        if as_time(period.end) <= as_time(asked.past) and not self._has_earlier(period):
            raise NotPermitted(
                f"there is no partition for {period.start}, and none is made before {asked.past} (part_past)"
            )
        if self._last is None:
            with self._tables.connection.cursor() as cursor:
                self._last = queries.value(cursor, "day_after", interval=asked.future)
        if as_time(period.start).date() > self._last:
            raise NotPermitted(
                f"there is no partition for {period.start}, and none is made after {self._last} (part_future)"
            )

    def _is_over(self, period: Period) -> bool:
        """Whether the time of a period's partition is over."""
        lifespan = self._lifespan
        if not lifespan.ends or self._moment is None:
            return False
        asked = {"moment": self._moment, "interval": lifespan.period, "until": period.until}
        zone = self._partitioning.zone or self._tables.time_zone
        with self._tables.connection.cursor() as cursor:
            return bool(queries.value(cursor, "is_over", end=period.end.isoformat(), zone=zone, **asked))

    def _has_earlier(self, period: Period) -> bool:
        """Whether there is a partition for an earlier time."""
        if self._tables.place(period).has_earlier:
            return True
        naming = self._partitioning.of(period).naming
        named = {"schema": naming.parent.schema, "pattern": naming.pattern, "order": naming.order}
        before = naming.order_of(period.start)
        with self._tables.connection.cursor() as cursor:
            return bool(queries.value(cursor, "has_partition_before", before=before, **named))

    def columns(self, missing: tuple[MissingColumn, ...]) -> None:
        """Permit new columns of one table.

        Raises:
            NotPermitted: they are not to be added, and why.
        """
        table = missing[0].table
        wanted = {column.name for column in missing}
        if len(self._added | wanted) > MAX_ADDED:
            raise NotPermitted(
                f"table {table} lacks {len(wanted)} of its columns; no more than {MAX_ADDED} are added for a "
                "batch"
            )
        if self._width(table) + len(self._added | wanted) > MAX_COLUMNS:
            raise NotPermitted(
                f"table {table} lacks {len(wanted)} of its columns, and has too many for more: none is added "
                f"beyond {MAX_COLUMNS}, and dropped ones count"
            )
        self._added |= wanted

    def _width(self, table: TableName) -> int:
        """How many columns a table has ever had when the batch asked first."""
        if table not in self._widths:
            with self._tables.connection.cursor() as cursor:
                self._widths[table] = queries.value(cursor, "table_width", table=table.sql)
        return self._widths[table]
