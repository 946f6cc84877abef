"""The tables that a job loads, and which of them an event goes to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from psycopg2.extensions import cursor as Cursor

from ..events import Event
from ..ledger import Choice, DeadLetter
from ..partitions import NOW, Missing, References, TableMaker, Tables
from ..pgq import Queue, Roots, SourcePart
from ..postgres import Connection, Encoding, TableName, queries
from ..route import choose
from ..settings import Listed, Settings, SourceName
from ..sieve import LETS_ALL_PASS, Sieve
from .destination import Destination, sieve_of
from .passes import Pass

MAX_TABLES = 1000
"""Most tables that one job loads: what a pattern stands for, whoever writes events decides."""

MAX_NAMES = 4096
"""Most names of tables of the source whose destination is remembered."""

NOT_KEPT = "; its data is not kept, as nothing tells which part of it mask hides"


class Sieves:
    """What masks dead letters: the table of their events may have no destination, or none yet.

    Args:
        settings: the job's.
        encoding: of events.
        root: the table of the source that an event counts for; None: that is not known.

    Raises:
        SetupError: there is no key to mask with.
    """

    def __init__(self, settings: Settings, encoding: Encoding, root: Callable[[bytes], bytes | None]) -> None:
        self._settings = settings
        self._encoding = encoding
        self._root = root
        self._masks = any(each.mask.of for each in (settings, *settings.tables.values()))
        self._of = {id(settings): sieve_of(settings, encoding)}

    def letter(self, event: Event, reason: str, sqlstate: str | None = None) -> DeadLetter:
        """The dead letter of an event; without its data, if nothing tells what of it is to be masked.

        Raises:
            SetupError: there is no key to mask with.
        """
        if sieve := self._sieve(event.table):
            return DeadLetter(sieve.letter(event), reason, sqlstate)
        has_data = event.data is not None or event.old is not None
        return DeadLetter(event.bare_line, reason + NOT_KEPT * has_data, sqlstate)

    def _sieve(self, table: bytes) -> Sieve | None:
        """What masks the events of a table; None: that cannot be told."""
        root = self._root(table)
        found = None if root is None else self._settings.rows_of(_text(root))
        if found is None:
            return None if self._masks else LETS_ALL_PASS
        if id(found) not in self._of:
            self._of[id(found)] = sieve_of(found, self._encoding)
        return self._of[id(found)]


class Destinations:
    """One ``dest_table``, or one for each table of the source, which is made when its first event comes.

    Args:
        queue: knows the tables of the source.
        target: connection to the database of the tables.
        settings: the job's.
        choice: what the target remembers of ``row_mode = auto``.

    Attributes:
        settings: as given.
        only: the only one; None if there may be several.
        leading: columns of events that lines of `Queue.stream` have to begin with.
        encoding: of events.
        moment: of the batch; see `Destination.begin`.
        sieves: what masks dead letters.
        roots: of which tables of the source events are.

    Raises:
        SetupError: there is no key to mask with.
    """

    def __init__(self, queue: Queue, target: Connection, settings: Settings, choice: Choice) -> None:
        self.settings = settings
        self.leading = settings.leading
        self._queue = queue
        self._target = target
        self._choice = choice
        self.moment: float | None = None
        self._reading = queue.reading(target)
        self.encoding = self._reading.encoding
        self._made: dict[TableName, Destination] = {}
        self._makers: dict[TableName, TableMaker] = {}
        self._sections: dict[TableName, SourceName | None] = {}
        self._feeds: dict[TableName, bytes] = {}
        self._known: dict[bytes, Destination | None] = {}
        self._coming: set[TableName] = set()
        self._references = References(target)
        self.roots = Roots(queue.tables, settings)
        self.sieves = Sieves(settings, self.encoding, self.roots.root)
        self.only: Destination | None = None
        if not settings.tables:
            self.only = self._make(settings, None, queue.tables.whole)

    def __iter__(self) -> Iterator[Destination]:
        return iter(self._made.values())

    def find(self, table: bytes, missing: Missing) -> Destination | None:
        """Where events of a table go.

        Args:
            table: as ``ev_extra1`` names it.
            missing: added to, where the destination is to be made first.

        Returns:
            None, too, if the events are ignored.

        Raises:
            ValueError: they are bad, and why.
        """
        if self.only is not None:
            return self.only
        if table not in self._known:
            root = self.roots.root(table)
            if root is None:
                missing.roots = True
                return None
            listed = self.settings.of_table(_text(root))
            found = None if listed is None else self._of(listed, root)
            if listed is not None and found is None:
                missing.sources.add(root)
                return None
            if len(self._known) >= MAX_NAMES:
                self._known.clear()
            self._known[table] = found
        return self._known[table]

    def begin(self, moment: float | None) -> None:
        """A batch begins.

        Args:
            moment: as for `Destination.begin`.
        """
        self.moment = moment
        self._coming.clear()
        self.roots.begin()
        for each in self:
            each.begin(moment)

    def begin_pass(self, cursor: Cursor, moment: float) -> None:
        """A transaction of the target begins.

        Args:
            cursor: of the transaction.
            moment: of the tick that ends the batch, in seconds since 1970.
        """
        by_batch = [each for each in self if each.settings.partitioning.is_by_batch]
        now = [each for each in by_batch if each.settings.part_field == NOW]
        present: float = queries.value(cursor, "transaction_time") if now else moment
        for each in by_batch:
            each.periods.begin(present if each in now else moment)

    def _of(self, listed: Listed[Settings], root: bytes) -> Destination | None:
        """The destination of a table; None: it is to be made first. ValueError: it cannot be, and why."""
        dest = listed.settings.dest_table
        found = self._made.get(dest)
        if found is None and dest not in self._coming:
            if len(self._coming) + len(self._made) >= MAX_TABLES:
                raise ValueError(f"it is of {_text(root)}, and one job loads at most {MAX_TABLES} tables")
            self._coming.add(dest)
        if found is not None and (other := self._sections[dest]) != listed.section:
            whose = f"section [table {other}]" if other else "the job itself"
            raise ValueError(f"it goes to {dest}, which {whose} loads already")
        if found is not None and listed.is_only and (first := self._feeds.get(dest, root)) != root:
            raise ValueError(f"it goes to {dest}, where the rows of {_text(first)} are")
        return found

    def make(self, sources: Iterable[bytes]) -> None:
        """Make the destinations for some tables of the source, between two passes.

        Raises:
            SetupError: the name of a table is too long.
            psycopg2.Error: the infrastructure failed.
        """
        for source in sorted(sources):
            listed = self.settings.of_table(_text(source))
            if listed is not None and listed.settings.dest_table not in self._made:
                part = self._queue.tables.part(source if listed.is_only else None)
                if listed.is_only:
                    self._feeds[listed.settings.dest_table] = source
                self._make(listed.settings, listed.section, part)
        self._coming.clear()
        self.look()

    def _make(self, settings: Settings, section: SourceName | None, feed: SourcePart) -> Destination:
        zone, target = self._queue.time_zone, self._target
        tables = Tables(target, settings.partitioning, zone)
        maker = TableMaker(target, tables, settings.partitioning, zone)
        only = feed.only
        key = self._queue.primary_key(only) if only and settings.row_mode == "auto" else ()
        memory = "" if section is None else str(settings.dest_table)
        known = self._choice.recall(memory)
        with target:
            row_mode = choose(settings, tables, maker, known, key)
        if row_mode.known != known:
            self._choice.remember(row_mode.known, memory)
        found = Destination(settings, tables, feed, row_mode, self._reading, leading=self.leading)
        found.begin(self.moment)
        self._made[settings.dest_table] = found
        self._makers[settings.dest_table] = maker
        self._sections[settings.dest_table] = section
        return found

    def maker(self, parent: TableName) -> TableMaker:
        """What makes tables and columns for a ``dest_table``."""
        return self._makers[parent]

    # All together.

    def forget(self) -> None:
        """The block path forgets what it has learned, and all forget what values a list partition takes."""
        for each in self:
            each.known.clear()
            if each.tables.branches:
                each.tables.forget_places()

    def look(self) -> None:
        """See which foreign keys tie the tables to each other."""
        if self.only is None:
            self._references.look(self._made)
            for table, each in self._made.items():
                each.is_bound = self._references.ties(table)

    @property
    def parents_first(self) -> Sequence[Destination]:
        """The tables that foreign keys tie to each other; those come first that are referred to."""
        return [self._made[table] for table in self._references.parents_first]

    @property
    def is_bound(self) -> bool:
        """Whether foreign keys tie tables to each other."""
        return any(each.is_bound for each in self)

    def pass_for(self, wanted: Pass) -> Pass:
        """The pass to make where one is wanted: tables that refer to each other need the order of events."""
        if self._references.is_cyclic and wanted in {Pass.BLOCKS, Pass.ORDERED}:
            return Pass.ROWS
        return Pass.ORDERED if wanted is Pass.BLOCKS and self.is_bound else wanted

    @property
    def notices(self) -> Collection[str]:
        """What the log should say once of how rows are loaded."""
        return [notice for each in self for notice in each.row_mode.notices.values()]


def have_changed(destinations: Iterable[Destination]) -> bool:
    """Whether somebody has changed partitions meanwhile; then their places are looked up again."""
    changed = [each for each in destinations if each.tables.tree.has_changed()]
    for each in changed:
        each.tables.forget_places()
    return bool(changed)


def _text(table: bytes) -> str:
    return table.decode("utf-8", "backslashreplace")
