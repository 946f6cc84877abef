"""The check of a job, before it runs or while it does: it changes nothing in either database."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing

from ..errors import SetupError
from ..maintenance import Care, hindrances
from ..route import RowMode
from ..settings import Settings
from .bookfacts import Bookkeeping, read_bookkeeping
from .bookkeeping import bookkeeping_findings
from .feeders import column_findings, mask_findings, reasons
from .finding import Caution, Fault, Finding, Note
from .look import Look, look_at
from .preview import event_findings
from .rowmodereport import kept_findings, mode_of, read_kept, read_row_mode, row_mode_findings, why_no_mode
from .serverfacts import Server, excess_findings, read_server, server_findings
from .several.parts import Part, parts_of
from .sourcefacts import SourceFacts, read_source, with_wanted_tick
from .sourcereport import source_findings
from .tablefacts import Lack, read_lacks, read_tables
from .tablereport import has_room, lack_findings, table_findings


def examine(settings: Settings, _arguments: Sequence[str]) -> Iterator[str]:
    """Look at source and target; yields notes, and faults as lines that begin with ``cannot``.

    Raises:
        SetupError: there were faults; all have been told by then.
    """
    job, faults = settings.job_name, 0
    for where, finding in _once(_findings(settings)):
        faults += isinstance(finding, Fault)
        yield finding.line(job, where)
    if faults:
        raise SetupError(f"cannot run {job}: {faults} {'fault' if faults == 1 else 'faults'}, told above")


def first_fault(settings: Settings) -> str:
    """The first thing that would keep a job from running; empty: none is found.

    Raises:
        SetupError: the check itself cannot look.
    """
    with closing(_findings(settings)) as findings:
        faults = (f"{where}: {finding.text}" for where, finding in findings if isinstance(finding, Fault))
        return next(faults, "")


def _once(findings: Iterable[tuple[str, Finding]]) -> Iterator[tuple[str, Finding]]:
    """The findings, with a fault or warning of several places told once, for all of them."""
    lines: list[tuple[list[str], Finding]] = []
    places: dict[Finding, list[str]] = {}
    for where, finding in findings:
        if isinstance(finding, Note):
            lines.append(([where], finding))
        elif finding not in places:
            lines.append((places.setdefault(finding, [where]), finding))
        elif where not in places[finding]:
            places[finding].append(where)
    for wheres, finding in lines:
        yield " and ".join(wheres), finding


def _findings(settings: Settings) -> Generator[tuple[str, Finding]]:
    """All findings, each with the place that it is about."""
    with (
        look_at(settings.source, settings.job_name) as its_look,
        look_at(settings.target, settings.job_name) as look,
    ):
        source = read_source(its_look, settings)
        yield from _about("source", source_findings(source, settings), its_look)
        if source.server:
            excess = excess_findings(its_look, source.server.role, loads=False, makes=False)
            yield from _about("source", excess, its_look)
        yield from _about_target(look, settings, source, its_look)


def _about_target(
    look: Look, settings: Settings, source: SourceFacts, its_look: Look
) -> Iterator[tuple[str, Finding]]:
    server = look.read(read_server)
    if server is None:
        yield from _about("target", (), look)
        return
    bookkeeping = read_bookkeeping(look, settings)
    source = with_wanted_tick(source, its_look, settings, bookkeeping.tick)
    parts = parts_of(settings, source, its_look)
    if settings.tables:
        columns = (each for part in parts for each in column_findings(part.source.columns, part.settings))
        yield from _about("source", columns, its_look)
    yield from _about("target", server_findings(server), look)
    modes = []
    for part in parts:
        found, row_mode = _look_at_part(look, part, server, bookkeeping)
        modes.append(row_mode)
        yield from _about("target", found, look)
    yield from _about("target", bookkeeping_findings(bookkeeping, settings, server, source), look)
    makes = bool(bookkeeping.position and bookkeeping.position.ledger.steps)
    yield from _about("target", excess_findings(look, server.role, loads=True, makes=makes), look)
    for part, mode in zip(parts, modes, strict=True):
        yield from _about("events", _look_at_events(look, part, mode), look)


def _look_at_part(
    look: Look, part: Part, server: Server, bookkeeping: Bookkeeping
) -> tuple[list[Finding], RowMode | None]:
    """What is to be said of a table, and its mode, if its rows have a table."""
    settings, source = part.settings, part.source
    tables, row_mode = read_tables(look, settings), None
    if has_room(tables, settings, server):
        known = bookkeeping.row_mode(part.memory)
        row_mode = look.use(lambda connection: read_row_mode(connection, settings, source, known))
    mode = mode_of(row_mode, source) if row_mode else "plain"
    care = Care(settings.partitioning, settings.lifespan, "UTC")
    hinders = look.use(lambda connection: list(hindrances(connection, care, server.role)))
    kept = look.use(lambda connection: read_kept(connection, settings, source)) if row_mode else []
    found = [
        *table_findings(tables, settings, server, source, mode),
        *(lack_findings(_lacks(look, settings)) if row_mode else ()),
        *(row_mode_findings(row_mode, source) if row_mode else ()),
        *kept_findings(kept or (), settings),
        *map(Caution, hinders or ()),
        *mask_findings(source.feeders, settings),
    ]
    return found, row_mode


def _look_at_events(look: Look, part: Part, row_mode: RowMode | None) -> list[Finding]:
    """What would become of events of a table."""
    settings, source, server = part.settings, part.source, part.source.server
    if server is None or row_mode is None:
        return []
    told = {*reasons(source.columns, settings), why_no_mode(row_mode, source)}
    told.update(lack.reason for lack in _lacks(look, settings))
    found = look.use(lambda target: event_findings(target, settings, source, server, row_mode, told))
    return found or []


def _lacks(look: Look, settings: Settings) -> list[Lack]:
    return look.use(lambda connection: read_lacks(connection, settings)) or []


def _about(where: str, findings: Iterable[Finding], look: Look) -> Iterator[tuple[str, Finding]]:
    """Findings, then what went wrong with the look itself."""
    for finding in (*findings, *look.faults()):
        yield where, finding
