"""A look at both databases of a job before it runs, or while it does; it changes nothing in either."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from ..errors import Outage, SetupError, one_line
from ..events import Event
from ..partitions import MissingTable, TableMaker, Tables, period_of
from ..postgres import connected
from ..settings import Settings
from .finding import Findings, each
from .sample import Sample, Seen
from .sourcefacts import SourceState
from .tablefacts import TargetState


def examine(settings: Settings, _arguments: Sequence[str]) -> Iterator[str]:
    """Look at source and target; yields facts, and faults as lines that begin with ``cannot``.

    Raises:
        SetupError: there were faults; all have been told by then.
    """
    job = settings.job_name
    of_source, of_target, of_events = (Findings(job, where) for where in ("source", "target", "events"))
    source = SourceState(settings, of_source)
    yield from _visit("source", settings.src_db, of_source, source.examine, job)
    target = TargetState(settings, of_target, source)

    def look(connection: Connection) -> Iterator[str]:
        yield from target.examine(connection)
        if source.reached and target.has_room:
            yield from _Events(settings, of_events, source, connection).examine()

    yield from _visit("target", settings.dst_db, of_target, look, job)
    faults = sum(findings.faults for findings in (of_source, of_target, of_events))
    if faults:
        raise SetupError(f"cannot run {job}: {faults} {'fault' if faults == 1 else 'faults'}, told above")


def _visit(
    which: str, dsn: str, findings: Findings, look: Callable[[Connection], Iterator[str]], job: str
) -> Iterator[str]:
    """What a look at a database tells; the server itself refuses whatever would change something."""
    try:
        with connected(which, dsn, f"tdsup {job} check") as connection:
            connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ, readonly=True)
            yield from look(connection)
    except Outage as error:
        yield findings.fault(f"cannot be reached: {one_line(error.__cause__ or error)}")


class _Events:
    """Some events, and how the table is created that the first of them needs."""

    def __init__(
        self, settings: Settings, findings: Findings, source: SourceState, connection: Connection
    ) -> None:
        self._settings = settings
        self._findings = findings
        self._source = source
        self._connection = connection
        self._tables = Tables(connection, settings.partitioning)
        self._maker = TableMaker(connection, self._tables, settings.partitioning, source.time_zone)

    def examine(self) -> Iterator[str]:
        yield from each(self._connection, self._findings, self._all)

    def _all(self, _cursor: Cursor) -> Iterator[str]:
        sample = Sample(self._settings, self._tables, self._source.only_table)
        try:
            lines = sorted(self._source.lines, key=lambda line: Event.from_line(line).id)
            seen = [sample.look(line) for line in lines]
            yield from self._creation(seen)
        except SetupError as error:
            yield self._findings.fault(str(error))
            return
        yield from self._rows(seen)

    def _creation(self, seen: Sequence[Seen]) -> Iterator[str]:
        """The statements that create the table of the first row, if that is missing."""
        adding = [one for one in seen if one.wanted is not None]
        if adding:
            first = adding[0] if self._source.pending else adding[-1]
            wanted, whose = first.wanted, f"event {first.event}"
        else:
            wanted, whose = self._of_now(), "a row of today"
        assert wanted is not None
        if self._tables.exists(wanted.table):
            yield self._findings.fact(f"{whose} goes to {wanted.table}, which is there")
            return
        if not wanted.key and not adding and "_PKEY" in self._settings.part_template:
            yield self._findings.fact(
                f"{whose} goes to {wanted.table}, which part_template creates with the key of the first event"
            )
            return
        statements = self._maker.statements(wanted)
        yield self._findings.fact(f"{whose} goes to {wanted.table}, which would be created (not tried) by")
        for statement in statements:
            for line in f"{statement.strip().rstrip(';')};".splitlines():
                yield self._findings.fact(f"    {line.rstrip()}")

    def _of_now(self) -> MissingTable:
        settings, source = self._settings, self._source
        key = settings.fields.rename([name.encode() for name in source.key])
        if not settings.part_field:
            return MissingTable(settings.dest_table, None, key)
        period = period_of(source.now.encode(), settings.part_method)
        return MissingTable(settings.dest_table.with_suffix(period.suffix), period, key)

    def _rows(self, seen: Sequence[Seen]) -> Iterator[str]:
        if not seen:
            yield self._findings.fact("the queue holds none")
            return
        which = "the next" if self._source.pending else "none is pending; the newest"
        yield self._findings.fact(f"{which} {len(seen)}:")
        for one in seen:
            blocks = one.fatal and self._source.pending
            yield self._findings.fault(one.text) if blocks else self._findings.fact(one.text)
