"""The oracle: every row of the source is in the target exactly once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from harness.servers.database import Database

SHOWN = 5
"""How many ids of each kind of fault are shown."""


@dataclass(frozen=True)
class Verdict:
    """What the comparison found.

    Attributes:
        events: ids in the source.
        rows: rows in the target.
        lost, doubled, unexpected: ids only in the source, more than once in the target, only in the target.
        positions: last tick according to source and target.
    """

    events: int
    rows: int
    lost: tuple[int, ...]
    doubled: tuple[int, ...]
    unexpected: tuple[int, ...]
    positions: tuple[int | None, int | None]

    @property
    def clean(self) -> bool:
        """Whether there is no fault."""
        source, target = self.positions
        return not (self.lost or self.doubled or self.unexpected) and source == target

    def __str__(self) -> str:
        faults = [
            f"{len(ids)} {name} {list(ids[:SHOWN])}"
            for name in ("lost", "doubled", "unexpected")
            if (ids := getattr(self, name))
        ]
        return f"{self.events} events, {self.rows} rows, positions {self.positions}, " + (
            ", ".join(faults) or "no fault"
        )


class Oracle:
    """Compares the column ``id`` of a table in both databases.

    Args:
        source: database of the queue; its table holds all rows that were ever inserted.
        target: database of the partitions.
        table: its name in both databases; in the target its partitions count too.
        queue: the queue.
        consumer: the consumer.
        target_table: its name in the target, if that differs.
    """

    def __init__(
        self,
        source: Database,
        target: Database,
        table: str,
        *,
        queue: str,
        consumer: str,
        target_table: str = "",
    ) -> None:
        self._source = source
        self._target = target
        self._table = table
        self._target_table = target_table or table
        self._queue = queue
        self._consumer = consumer

    def check(self) -> Verdict:
        """Compare now."""
        sent = set(self._source.column(f"select id from {self._table}"))
        arrived = Counter(self._target.column(f"select id from {self._target_table}"))
        return Verdict(
            events=len(sent),
            rows=arrived.total(),
            lost=tuple(sorted(sent - arrived.keys())),
            doubled=tuple(sorted(key for key, count in arrived.items() if count > 1)),
            unexpected=tuple(sorted(arrived.keys() - sent)),
            positions=(self._source_position(), self._target_position()),
        )

    def _source_position(self) -> int | None:
        ticks = self._source.column(
            "select last_tick from pgq.get_consumer_info(%s, %s)", self._queue, self._consumer
        )
        return ticks[0] if ticks else None

    def _target_position(self) -> int | None:
        if self._target.value("select to_regclass('tdsup.completed_tick') is not null"):
            ticks = self._target.column(
                "select last_tick_id from tdsup.completed_tick where queue_name = %s and consumer_name = %s",
                self._queue,
                self._consumer,
            )
            if ticks:
                return int(ticks[0])
        if self._target.value("select to_regnamespace('pgq_ext') is null"):
            return None
        tick: int | None = self._target.value("select pgq_ext.get_last_tick(%s)", self._consumer)
        return tick
