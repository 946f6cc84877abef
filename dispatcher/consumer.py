"""The batch algorithm: each batch of the source into the target exactly once."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from logging import Logger

import psycopg2
from psycopg2.extensions import connection as Connection

from .connection import check
from .errors import DataError, EventError, LostPosition, SetupError, is_infrastructure, one_line
from .loader import Loader
from .partition import PeriodCache
from .position import Position, Verdict, judge
from .settings import Settings
from .source import Batch, Source
from .tables import Tables

MAX_PASSES = 10
"""Passes over one batch while tables for it keep missing; more means that somebody drops them."""


@dataclass(slots=True)
class Tally:
    """What a job has done since its process began.

    Attributes:
        events, rows, batches, partitions: events read, rows loaded, batches finished, partitions created.
        in_step_at: moment, by ``time.monotonic()``, up to which the source's events are loaded.
    """

    events: int = 0
    rows: int = 0
    batches: int = 0
    partitions: int = 0
    in_step_at: float = field(default_factory=time.monotonic)


class Consumer:
    """Works for one consumer over two open connections.

    Args:
        source: connection to the database of the queue; every call leaves it without a transaction.
        target: the same for the database of the tables.
        position: the consumer's position there, claimed.
        tally: counted up as work is done; it outlives the connections.
    """

    def __init__(
        self,
        source: Connection,
        target: Connection,
        position: Position,
        settings: Settings,
        tally: Tally,
        logger: Logger,
    ) -> None:
        self._source = Source(source, settings)
        self._target = target
        self._position = position
        self._settings = settings
        self._tally = tally
        self._logger = logger
        self._tables = Tables(target, settings.dest_table, settings.part_field, settings.part_template)
        self._periods = PeriodCache(settings.part_method)

    def register(self) -> None:
        """Make sure that the consumer is registered on the queue.

        Raises:
            SetupError: there is no such queue.
        """
        if self._source.register():
            self._logger.info(
                "registered consumer %s on queue %s", self._settings.consumer_name, self._settings.queue
            )

    def work(self) -> bool:
        """Take one batch, if there is one; returns whether there may be more.

        A crash at any point repeats the batch or skips it, as the position in the target tells.

        Raises:
            DataError: an event has no row; nothing of the batch was loaded.
            LostPosition: the target's position does not fit the batch.
            SetupError: the target cannot take the batch until a person does something.
            psycopg2.Error: the infrastructure failed; a retry on new connections is safe.
        """
        asked = time.monotonic()
        batch = self._source.next_batch()
        if batch is None:
            check(self._target)
            if not self._holds_back:
                self._tally.in_step_at = asked
            return False
        try:
            self._apply(batch)
        except EventError as error:
            event = "an event" if error.event_id is None else f"event {error.event_id}"
            raise DataError(f"cannot load {event} of {self._name(batch)}: {error}") from error
        except psycopg2.Error as error:
            if is_infrastructure(error):
                raise
            raise SetupError(f"cannot load {self._name(batch)}: {one_line(error)}") from error
        self._finish(batch)
        return True

    @property
    def _holds_back(self) -> bool:
        """Whether no batch can mean that PgQ waits, not that all events are loaded."""
        settings = self._settings
        return bool(
            settings.pgq_keep_lag or settings.pgq_batch_collect_events or settings.pgq_batch_collect_interval
        )

    def _name(self, batch: Batch) -> str:
        return f"batch {batch.id} of queue {self._settings.queue}"

    def _apply(self, batch: Batch) -> None:
        for _ in range(MAX_PASSES):
            loader = self._load(batch)
            if loader is None:
                return
            if not loader.missing:
                self._tally.events += loader.events
                self._tally.rows += loader.rows
                return
            for wanted in sorted(loader.missing.values(), key=lambda wanted: wanted.table):
                if self._tables.create(wanted):
                    self._tally.partitions += 1
                    self._logger.info("%s: Created table %s", self._settings.job_name, wanted.table)
        raise SetupError(f"cannot load {self._name(batch)}: its tables vanish as fast as they are created")

    def _load(self, batch: Batch) -> Loader | None:
        """Load the batch and its position in one transaction; None if the target has it already.

        With a table missing, nothing is loaded and no transaction left.
        """
        with self._target.cursor() as cursor:
            position = self._position.read(cursor)
            verdict = judge(position, batch)
            if verdict is Verdict.LOST:
                raise LostPosition(
                    f"cannot load {self._name(batch)}: "
                    f"Lost position: batch {batch.previous_tick}..{batch.tick}, dst has {position}; "
                    "once it is known which is right, run on the target: "
                    f"{self._position.repair_command(batch.previous_tick)}"
                )
            if verdict is Verdict.SKIP:
                self._target.rollback()
                self._logger.info("skipped %s: the target has it already", self._name(batch))
                return None
            loader = Loader(cursor, self._settings, self._tables, self._periods)
            self._source.read(batch, loader.add)
            loader.finish()
            if loader.missing:
                self._target.rollback()
            else:
                self._position.write(cursor, batch.tick)
                self._target.commit()
        return loader

    def _finish(self, batch: Batch) -> None:
        lag = self._source.finish(batch)
        self._tally.batches += 1
        self._tally.in_step_at = time.monotonic() - lag
