"""Events into the target in one transaction, in as many passes as that takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from logging import Logger

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from ..errors import BatchError, DataError, EventError, SetupError, is_data, is_infrastructure, one_line
from ..ledger import DeadLetters, Retry
from ..partitions import PeriodCache, TableMaker, Tables
from ..pgq import Queue
from ..settings import Settings
from .blocks import Bulk
from .layout import Forms, Sorter
from .outcome import Needs, Outcome
from .pause import Trust
from .plan import Fitter
from .rows import Loader

MAX_PASSES = 10
"""Passes over the same events while tables for them keep missing; more means that somebody drops them."""

Receive = Callable[[bytes], object]
"""Takes what is read."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Hands events over, anew for each pass.

    Attributes:
        read: hands each event in order, as COPY wrote it, to a function; only those of some ids, if there are
            any.
        stream: hands blocks of events in any order, as `Queue.stream`, with their times or without; None if
            there is no such way.
    """

    read: Callable[[Receive, Sequence[int]], None]
    stream: Callable[[Receive, bool], None] | None = None


class Delivery:
    """Delivers events to one ``dest_table``.

    What has to be made first (partitions, columns, the table of dead letters) is made between two passes, in
    transactions of its own on the same connection: docs/decisions/0002.

    Args:
        source: the queue, which knows the types of its columns.
        target: connection to the database of the tables.
        settings: the job's.
        logger: where it is told what was made.

    Attributes:
        letters: the target's dead letters.
        partitions: how many were created.
    """

    def __init__(self, source: Queue, target: Connection, settings: Settings, logger: Logger) -> None:
        self._source = source
        self._target = target
        self._settings = settings
        self._logger = logger
        self._periods = PeriodCache(settings.part_method)
        self._tables = Tables(target, settings.partitioning)
        self._maker = TableMaker(target, self._tables, settings.partitioning, source.time_zone)
        self._sources: set[bytes] = set()
        self._only_source = source.only_table()
        self._warned = bool(settings.table_filter)
        self._careful = False
        self._immediate = False
        self._one_by_one = False
        self._trust = Trust()
        self._sorter = Sorter(settings, self._periods)
        self._forms = Forms()
        self.letters = DeadLetters(target, settings.queue, settings.consumer_name)
        self.partitions = 0

    def deliver(
        self, name: str, feed: Feed, begin: Callable[[Cursor], bool], end: Callable[[Cursor], None]
    ) -> Outcome | None:
        """Load the events that `feed` hands over; returns what became of them.

        Args:
            name: what people call them, for messages.
            feed: where they come from.
            begin: first act of the transaction; False ends it, and None is returned.
            end: last act before its commit.

        Raises:
            DataError: an event has no row, and bad events stop the job.
            SetupError: the target cannot take them until a person does something.
            psycopg2.Error: the infrastructure failed; nothing was loaded.
        """
        outcome = self._deliver(name, self.letters, feed, begin, end)
        if outcome is not None:
            self._tell(name, outcome)
        return outcome

    def redeliver(self, letter: int) -> str | None:
        """Try a dead letter again: it is removed in the transaction that loads it, or stays.

        Returns:
            Why it stays, or None if it was loaded.

        Raises:
            SetupError, psycopg2.Error: as by `deliver`.
        """
        retry = Retry(self.letters, letter, self._source.time_zone)
        feed = Feed(lambda receive, _ids: retry.feed(receive))
        outcome = self._deliver(f"dead letter {letter}", retry, feed, retry.take, retry.settle)
        if outcome is None:
            return "it is gone"
        return outcome.dead[1] if outcome.dead else None

    def _deliver(
        self,
        name: str,
        letters: DeadLetters | Retry,
        feed: Feed,
        begin: Callable[[Cursor], bool],
        end: Callable[[Cursor], None],
    ) -> Outcome | None:
        self._one_by_one = feed.stream is None or self._careful or not self._trust.is_given()
        try:
            for _ in range(MAX_PASSES):
                result = self._pass(letters, feed, begin, end)
                if result is None:
                    return None
                outcome, needs = result
                if not needs:
                    return outcome
                self._make(needs)
        except EventError as error:
            raise DataError(f"cannot load event {error.event_id} of {name}: {error}") from error
        except BatchError as error:
            raise SetupError(f"cannot load {name}: {error}") from error
        except psycopg2.Error as error:
            if is_infrastructure(error):
                raise
            raise SetupError(f"cannot load {name}: {one_line(error)}") from error
        raise SetupError(f"cannot load {name}: its tables vanish as fast as they are created")

    def _pass(
        self,
        letters: DeadLetters | Retry,
        feed: Feed,
        begin: Callable[[Cursor], bool],
        end: Callable[[Cursor], None],
    ) -> tuple[Outcome, Needs] | None:
        """Try once; nothing is left of a pass that meets a need."""
        outcome, needs = Outcome(), Needs()
        with self._target.cursor() as cursor:
            if not begin(cursor):
                self._target.rollback()
                return None
            if self._immediate:
                cursor.execute("set constraints all immediate")
            ids = () if self._one_by_one else self._stream(cursor, feed, outcome, needs)
            if self._one_by_one or ids:
                self._read(cursor, letters, feed, ids, outcome, needs)
            if needs:
                self._target.rollback()
                return outcome, needs
            end(cursor)
        try:
            self._target.commit()
        except psycopg2.Error as error:
            if self._immediate or not is_data(error):
                raise
            # What is checked at the commit only does not tell the row.
            needs.care = self._immediate = True
        else:
            # Where the target refused rows it may do so again; a batch without a bad one ends that.
            self._careful = self._careful and outcome.dead_letters > 0
            self._immediate = self._immediate and self._careful
            if not self._one_by_one:
                self._trust.confirm()
        return outcome, needs

    def _stream(self, cursor: Cursor, feed: Feed, outcome: Outcome, needs: Needs) -> Sequence[int]:
        """Load events by whole blocks; returns the ids of those that have to be read one by one."""
        assert feed.stream is not None
        fitter = Fitter(self._settings, self._tables, needs)
        # A COPY in progress and blocks take as much again.
        limit = self._settings.buffer_size // 4
        with Bulk(cursor, self._sorter, fitter, self._forms, self._sources, outcome, needs, limit) as bulk:
            feed.stream(bulk.add, self._sorter.by_event_time)
            bulk.finish()
        return bulk.odd

    def _read(
        self,
        cursor: Cursor,
        letters: DeadLetters | Retry,
        feed: Feed,
        ids: Sequence[int],
        outcome: Outcome,
        needs: Needs,
    ) -> None:
        """Load events one by one, all or those of some ids."""
        loader = Loader(
            cursor,
            self._settings,
            self._tables,
            self._periods,
            letters,
            self._sources,
            self._only_source,
            outcome,
            needs,
            careful=self._careful,
        )
        seen = outcome.events
        feed.read(loader.add, ids)
        loader.finish()
        if ids and not needs.care and outcome.events - seen != len(ids):
            # A producer may number events as it likes: some were loaded already.
            needs.order = True

    def _make(self, needs: Needs) -> None:
        self._forms.clear()
        if needs.care:
            self._careful = self._one_by_one = True
        if needs.order:
            self._one_by_one = True
            self._trust.withdraw()
        if needs.letters:
            self.letters.create()
        for missing in sorted(needs.tables.values(), key=lambda missing: missing.table):
            if self._maker.create(missing):
                self.partitions += 1
                self._logger.info("%s: Created table %s", self._settings.job_name, missing.table)
        for column in needs.columns.values():
            type_ = self._source.column_type(column.source_table, column.source_name)
            self._maker.add_column(column, type_)
            self._logger.info(
                "%s: added column %s %s to table %s",
                self._settings.job_name,
                column.name,
                type_,
                column.table,
            )

    def _tell(self, name: str, outcome: Outcome) -> None:
        job = self._settings.job_name
        if outcome.dead is not None:
            number, (event, reason) = outcome.dead_letters, outcome.dead
            letters = "1 dead letter" if number == 1 else f"{number} dead letters"
            which = "" if number == 1 else "the first is "
            self._logger.warning("%s: %s in %s: %sevent %d: %s", job, letters, name, which, event, reason)
        for event, size in outcome.large.items():
            became = "is a dead letter" if event in outcome.large_dead else "is loaded"
            self._logger.info("%s: event %d of %s has %d bytes; it %s", job, event, name, size, became)
        if len(self._sources) > 1 and not self._warned:
            self._warned = True
            tables = ", ".join(
                sorted(source.decode("utf-8", "backslashreplace") or "none" for source in self._sources)
            )
            self._logger.warning(
                "%s: queue %s carries rows of several tables into %s (%s); table_filter would choose",
                job,
                self._settings.queue,
                self._settings.dest_table,
                tables,
            )
