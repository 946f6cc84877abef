"""Events into the target in one transaction, in as many passes as that takes."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from logging import Logger

import psycopg2
from psycopg2.extensions import cursor as Cursor
from tdsup.jobtype import brief

from ..errors import BatchError, DataError, EventError, SetupError, is_data, is_infrastructure, one_line
from ..ledger import Choice, DeadLetters, Replay
from ..partitions import Missing, drop_left
from ..pgq import Queue
from ..postgres import Connection, TableName
from ..settings import Settings
from .blocks import BlockLoader
from .destinations import Destinations, have_changed
from .merging import Merging
from .outcome import Outcome
from .passes import End, Pass, PassFailed, Pauses, next_pass
from .rows import RowLoader
from .work import BatchWork, Work

MAX_PASSES = 10
"""Most passes over the same events that make no new table. More are needed only if tables keep vanishing."""


class Delivery:
    """Delivers events to the tables of one job.

    What has to be made first (partitions, columns, the table of dead letters) is made between two passes, in
    transactions of its own on the same connection: docs/decisions/0002.

    Args:
        queue: knows the types of the source's columns.
        target: connection to the database of the tables.
        settings: the job's.
        logger: for what was made, and what a person should know of a batch.
        choice: what the target remembers of ``row_mode = auto``.

    Attributes:
        destinations: the tables.
        dead_letters: those of the consumer in the target.
        partitions_created: how many.
    """

    def __init__(
        self, queue: Queue, target: Connection, settings: Settings, logger: Logger, choice: Choice
    ) -> None:
        self._queue = queue
        self._target = target
        self._settings = settings
        self._logger = logger
        self.destinations = Destinations(queue, target, settings, choice)
        self._warned = bool(settings.table_filter or settings.tables)
        if queue.tables.filter_is_idle:
            self._logger.warning(
                "%s: no trigger of queue %s is on a table of %s: nothing may ever be loaded",
                settings.job_name,
                settings.queue,
                settings.shown_filter,
            )
        self._tables_seen = 0
        self._has_told_of_truncates = False
        self._pauses = Pauses()
        encoding = self.destinations.encoding
        self.dead_letters = DeadLetters(target, settings.queue, settings.consumer_name, encoding)
        self.partitions_created = 0
        self._new: set[TableName] = set()

    def deliver(self, work: BatchWork) -> Outcome | None:
        """Load the events of a batch; returns what became of them, or None if there was nothing to deliver.

        Raises:
            DataError: an event has no row, and bad events stop the job.
            SetupError: the target cannot take them until a person does something.
            psycopg2.Error: the infrastructure failed; nothing was loaded.

        After an error, neither connection can be used any more.
        """
        outcome = self._deliver(work, work.moment)
        if outcome is not None:
            self._tell(work.name, outcome)
        return outcome

    def replay(self, letter: int) -> str | None:
        """Try a dead letter again. It is removed in the transaction that loads it, or stays for a new reason.

        One that asks to remove a row that is not there counts as loaded.

        Args:
            letter: its id.

        Returns:
            Why it stays, or None if it was loaded.

        Raises:
            SetupError, psycopg2.Error: as by `deliver`.
        """
        outcome = self._deliver(Replay(self.dead_letters, letter, self._queue.time_zone), None)
        if outcome is None:
            return "it is gone"
        return outcome.first_dead[1] if outcome.first_dead else outcome.left_out or None

    def _deliver(self, work: Work, moment: float | None) -> Outcome | None:
        self.destinations.begin(moment)
        self._new.clear()
        passes, pass_ = 0, self.destinations.pass_for(self._pauses.first(in_blocks=work.stream is not None))
        try:
            while passes < MAX_PASSES + len(self._new):
                passes += 1
                outcome = Outcome()
                end = self._try(pass_, work, outcome)
                if end is None:
                    return None
                self._pauses.ended(pass_, end)
                if end.is_loaded:
                    return outcome
                pass_ = self.destinations.pass_for(next_pass(pass_, end))
        except EventError as error:
            raise DataError(
                f"cannot load event {error.event_id} of {work.name}: {error}; with bad_events = dead_letter "
                f"in its file, tdsup reload {self._settings.job_name} keeps it as a dead letter, and loads "
                "the rest"
            ) from error
        except BatchError as error:
            raise SetupError(f"cannot load {work.name}: {error}") from error
        except psycopg2.Error as error:
            if drop_left(self._target, error):
                self._logger.info(
                    "%s: dropped CHECK %s, which a partition left that nobody makes",
                    self._settings.job_name,
                    error.diag.constraint_name,
                )
            if is_infrastructure(error):
                raise
            raise SetupError(f"cannot load {work.name}: {one_line(error)}") from error
        raise SetupError(f"cannot load {work.name}: its tables vanish as fast as they are created")

    def _try(self, pass_: Pass, work: Work, outcome: Outcome) -> End | None:
        """Make one pass, and what it finds missing; returns how it ended, None if there is nothing to do."""
        missing, failed = Missing(), None
        with self._target.cursor() as cursor:
            if not self._begin(cursor, work):
                return None
            self.destinations.begin_pass(cursor, work.moment)
            try:
                self._load(pass_, cursor, work, outcome, missing)
            except PassFailed as error:
                failed = error.end
            if not (failed or missing) and have_changed(self.destinations):
                failed = End.MISSING
            if not (failed or missing):
                work.end(cursor, outcome)
        if not (failed or missing):
            return self._commit(pass_, outcome)
        self._target.rollback()
        self.destinations.forget()
        self._make(missing)
        return failed or End.MISSING

    def _begin(self, cursor: Cursor, work: Work) -> bool:
        """Begin a transaction; it is over if there is nothing to deliver."""
        begun = False
        try:
            begun = work.begin(cursor)
        finally:
            if not begun and not self._target.closed:
                self._target.rollback()
        return begun

    def _commit(self, pass_: Pass, outcome: Outcome) -> End:
        try:
            self._target.commit()
        except psycopg2.Error as error:
            if pass_ is Pass.IMMEDIATE or not is_data(error, self._settings.bad_sqlstates):
                raise
            self.destinations.forget()
            return End.REFUSED_AT_COMMIT
        return End.LOADED_WITH_DEAD_LETTERS if outcome.dead_letters else End.LOADED

    def _load(self, pass_: Pass, cursor: Cursor, work: Work, outcome: Outcome, missing: Missing) -> None:
        if pass_ is Pass.IMMEDIATE:
            cursor.execute("set constraints all immediate")
        if pass_ is Pass.ORDERED:
            self._load_in_order(cursor, work, outcome, missing)
        elif pass_ is not Pass.BLOCKS:
            self._load_rows(pass_, cursor, work, outcome, missing)
        elif left_over := self._load_blocks(cursor, work, outcome, missing):
            before = outcome.events.total()
            self._load_rows(pass_, cursor, work, outcome, missing, left_over)
            if outcome.events.total() - before != len(left_over):
                # A producer may number events as it likes: some were loaded already.
                raise PassFailed(End.NOT_PLAIN)

    def _load_blocks(self, cursor: Cursor, work: Work, outcome: Outcome, missing: Missing) -> Sequence[int]:
        """Load events by the block path; returns the ids of those that are left to the row path."""
        assert work.stream is not None
        with Merging(cursor, self._settings.bad_sqlstates) as merging:
            loader = BlockLoader(merging, self.destinations, outcome, missing)
            work.stream(loader.add, ordered=False, leading=self.destinations.leading)
            loader.finish()
        return loader.left_over

    def _load_in_order(self, cursor: Cursor, work: Work, outcome: Outcome, missing: Missing) -> None:
        """Load events by the block path in their order, odd ones by the row path between them."""
        assert work.stream is not None
        rows = RowLoader(cursor, self.destinations, work, outcome, missing, careful=False)
        with Merging(cursor, self._settings.bad_sqlstates) as merging:
            loader = BlockLoader(merging, self.destinations, outcome, missing, rows)
            work.stream(loader.add, ordered=True, leading=self.destinations.leading)
            loader.finish()
        rows.finish()
        if loader.needs_order:
            self._pauses.needed_order()

    def _load_rows(
        self,
        pass_: Pass,
        cursor: Cursor,
        work: Work,
        outcome: Outcome,
        missing: Missing,
        ids: Sequence[int] = (),
    ) -> None:
        """Load events by the row path: all, or those of some ids."""
        loader = RowLoader(cursor, self.destinations, work, outcome, missing, careful=pass_.is_careful)
        work.read(loader.add, ids)
        loader.finish()

    def _make(self, missing: Missing) -> None:
        job = self._settings.job_name
        if missing.dead_letters:
            self.dead_letters.create()
        if missing.triggers:
            self._look_for_truncates()
        if missing.roots:
            self.destinations.roots.ask()
        if missing.sources:
            self.destinations.make(missing.sources)
        for table in sorted(missing.tables.values(), key=lambda each: each.table):
            if self.destinations.maker(missing.parents[table.table]).create(table):
                self._new.add(table.table)
                self.partitions_created += 1
                self._logger.info("%s: Created table %s", job, table.table)
        if missing.tables:
            self.destinations.look()
        for column in missing.columns.values():
            root = self._queue.tables.root(column.source_table.encode()).decode()
            maker = self.destinations.maker(missing.parents[column.table])
            wanted = column.type or self._queue.column_type(root, column.source_name)
            type_ = maker.add_column(column, wanted)
            self._logger.info("%s: added column %s %s to table %s", job, column.name, type_, column.table)

    def _look_for_truncates(self) -> None:
        """A truncate has come that no known trigger has written: a new one may have, or whoever."""
        self._queue.tables.look()
        if not (self._queue.tables.truncates or self._has_told_of_truncates):
            self._has_told_of_truncates = True
            self._logger.warning(
                "%s: truncates are ignored, as no trigger on truncate feeds queue %s; "
                "event_types = I, U, D, R would load them",
                self._settings.job_name,
                self._settings.queue,
            )

    def _tell(self, name: str, outcome: Outcome) -> None:
        """Log what a person should know of a batch."""
        job = self._settings.job_name
        seen = set[bytes]().union(*(each.sources for each in self.destinations))
        if len(seen) != self._tables_seen:
            self._tables_seen = len(seen)
            self._queue.tables.learn(seen)
        if outcome.first_dead is not None:
            number, (event, reason) = outcome.dead_letters.total(), outcome.first_dead
            letters = "1 dead letter" if number == 1 else f"{number} dead letters"
            which = "" if number == 1 else "the first is "
            self._logger.warning("%s: %s in %s: %sevent %d: %s", job, letters, name, which, event, reason)
        for event, size in outcome.large.items():
            became = "is a dead letter" if event in outcome.large_dead else "is loaded"
            self._logger.info("%s: event %d of %s has %d bytes; it %s", job, event, name, size, became)
        if len(seen) > 1 and not self._warned:
            self._warn_of_tables({self._queue.tables.root(name) for name in seen})

    def _warn_of_tables(self, sources: AbstractSet[bytes]) -> None:
        """Warn once of rows of several tables."""
        if len(sources) > 1:
            self._warned = True
            self._logger.warning(
                "%s: queue %s carries rows of several tables into %s (%s); table_filter would choose",
                self._settings.job_name,
                self._settings.queue,
                self._settings.dest_table,
                brief(
                    ", ".join(sorted(name.decode("utf-8", "backslashreplace") or "none" for name in sources))
                ),
            )
