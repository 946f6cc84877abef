"""The tables of a job, each with what concerns it of the source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from tdsup.jobtype import printable

from ...events import Event
from ...pgq import SourcePart
from ...postgres import TableName, nearest, queries
from ...settings import Settings
from ..feeders import UNKNOWN, Columns, read_columns
from ..finding import Caution, Finding, Note
from ..look import Look
from ..sourcefacts import SourceFacts


@dataclass(frozen=True, slots=True)
class Part:
    """One table of the target that a job loads.

    Attributes:
        settings: of a job that loads it alone.
        source: what is known of the tables whose rows go there.
        memory: under which name the target remembers what ``row_mode = auto`` has chosen.
    """

    settings: Settings
    source: SourceFacts
    memory: str = ""


@dataclass(slots=True)
class _Group:
    """Tables of the source that go to one of the target."""

    settings: Settings
    memory: str
    is_only: bool
    roots: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Sorted:
    """All tables of the source that are known, by where they go; and those that have no section."""

    groups: dict[TableName, _Group] = field(default_factory=dict)
    unlisted: list[str] = field(default_factory=list)


def parts_of(settings: Settings, source: SourceFacts, look: Look) -> list[Part]:
    """The tables of the target that a job loads, as far as they can be told before events come.

    Args:
        settings: the job's.
        source: what is known of the source.
        look: at the source.
    """
    if not settings.tables:
        return [Part(settings, source)]
    groups = _sorted(settings, source).groups.values()
    return [Part(each.settings, _of(source, each, look), each.memory) for each in groups]


def part_findings(settings: Settings, source: SourceFacts) -> Iterator[Finding]:
    """What a person should know of sections that get nothing, and of tables that have none."""
    if not settings.tables or source.feeders is None:
        return
    triggers, fed = source.feeders.triggers, set(_known(source))
    left = [each for each in triggers if not any(name.matches(each) for name in settings.sections)]
    for name in settings.sections:
        if not any(name.matches(table) for table in (triggers if name.is_pattern else fed)) and triggers:
            near = "" if name.is_pattern else _nearest(str(name), left)
            guess = f"; did you mean [table {printable(near)}]?" if near else ""
            told = f"no trigger of queue {settings.queue} is on a table of section [table {name}]{guess}"
            yield Caution(told) if near else Note(told)
    for table in _sorted(settings, source).unlisted:
        yield Caution(
            f"there is no section for {table}, whose rows are in queue {settings.queue}: they are bad "
            "events; unlisted_tables says what else to do with them"
        )


def _nearest(name: str, known: Iterable[str]) -> str:
    """The known table whose name, but for its schema, is most like that of another one; empty if none is."""
    by_table = {each.rpartition(".")[2]: each for each in known}
    near = nearest(name.rpartition(".")[2], by_table)
    return by_table[near] if near else ""


def _sorted(settings: Settings, source: SourceFacts) -> _Sorted:
    found = _Sorted()
    named = [str(name) for name in settings.sections if not name.is_pattern]
    if settings.unlisted == "default":
        found.groups[settings.dest_table] = _Group(settings.alone(), "", is_only=False)
    for table in dict.fromkeys((*named, *_known(source))):
        try:
            listed = settings.of_table(table)
        except ValueError:
            found.unlisted.append(table or "events of no table")
            continue
        if listed is not None:
            memory = "" if listed.section is None else str(listed.settings.dest_table)
            group = _Group(listed.settings, memory, listed.is_only)
            found.groups.setdefault(listed.settings.dest_table, group).roots.append(table)
    return found


def _known(source: SourceFacts) -> Iterator[str]:
    """The tables that have triggers, or events."""
    if source.feeders is not None:
        yield from source.feeders.triggers
    yield from (_root(source, line) for line in source.lines if not _is_of_pgq(line))


def _is_of_pgq(line: bytes) -> bool:
    """Whether an event is PgQ's own, which asks for nothing."""
    try:
        return Event.from_line(line).header().operation is None
    except ValueError:
        return False


def _root(source: SourceFacts, line: bytes) -> str:
    table = Event.from_line(line, source.reading.encoding).table
    root = source.tables.root(table) if source.tables else table
    return root.decode("utf-8", "backslashreplace")


def _of(source: SourceFacts, group: _Group, look: Look) -> SourceFacts:
    """What concerns some tables of the source."""
    if source.feeders is None or source.tables is None:
        return source
    lines = tuple(line for line in source.lines if _root(source, line) in group.roots)
    only = group.roots[0].encode() if group.is_only else None
    tables = SourcePart(source.tables.tables, only)
    key = _key(group.roots[0], look) if group.is_only else ()
    feeders = replace(source.feeders, wanted=tuple(group.roots), key=key)
    columns = _columns(source, feeders.fed, lines, look) or UNKNOWN
    return replace(source, lines=lines, tables=tables, feeders=feeders, columns=columns)


def _key(table: str, look: Look) -> tuple[str, ...]:
    schema, _, name = table.partition(".")
    rows = look.read(lambda cursor: queries.rows(cursor, "primary_key", schema=schema, table=name))
    return tuple(column for (column,) in rows or ())


def _columns(source: SourceFacts, fed: Iterable[str], lines: Iterable[bytes], look: Look) -> Columns | None:
    whole = source.tables
    if whole is None:
        return None
    return look.read(lambda cursor: read_columns(cursor, fed, whole.tables, lines, source.reading))
