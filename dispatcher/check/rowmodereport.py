"""What the job will do to rows, as ``row_mode`` says or ``auto`` chooses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import BatchError
from ..partitions import Tables
from ..postgres import Connection, quote
from ..route import Mode, RowMode, choose
from ..settings import Settings
from .finding import Caution, Fault, Finding, Note
from .sourcefacts import SourceFacts


def read_row_mode(
    connection: Connection, settings: Settings, source: SourceFacts, known: Mapping[str, Any] | None
) -> RowMode:
    """The mode as the job would choose it now, but by the words of ``part_template``: nothing is made.

    Args:
        connection: to the target.
        settings: the job's.
        source: what is known of the source.
        known: what the target remembers of an earlier choice.

    Raises:
        SetupError: the name of a table is too long.
    """
    tables = Tables(connection, settings.partitioning)
    return choose(settings, tables, None, known, _key(source))


def read_kept(connection: Connection, settings: Settings, source: SourceFacts) -> Sequence[str]:
    """What deleted rows keep beside their key, as columns of each unique index, unless they are removed.

    Args:
        connection: to the target.
        settings: the job's.
        source: what is known of the source.

    Raises:
        SetupError: the name of a table is too long.
    """
    key = frozenset(settings.fields.rename_key(_key(source)))
    if not (settings.deleted_at and key):
        return []
    tables = Tables(connection, settings.partitioning)
    newest = tables.newest() if settings.part_field else None
    unique = tables.uniqueness.columns(newest[0] if newest else settings.dest_table)
    return sorted(", ".join(sorted(columns)) for columns in unique if not columns <= key)


def kept_findings(kept: Sequence[str], settings: Settings) -> Iterator[Finding]:
    """That rows which the source has deleted stand in the way of new ones."""
    for columns in kept:
        yield Caution(
            f"rows that deleted_at keeps keep {columns}, too, which must be unique: another row with the "
            "same becomes a bad event; with create unique index … "
            f"where {quote(settings.deleted_at)} is null, it does not"
        )


def mode_of(row_mode: RowMode, source: SourceFacts) -> Mode:
    """The mode for changes of the table that feeds the queue; `plain`, which takes most rights, if unsure."""
    try:
        return row_mode.of(_key(source))
    except BatchError:
        return "plain"


def why_no_mode(row_mode: RowMode, source: SourceFacts) -> str:
    """Why there is no mode for changes of the table that feeds the queue; empty if there is."""
    try:
        row_mode.of(_key(source))
    except BatchError as error:
        return str(error)
    return ""


def row_mode_findings(row_mode: RowMode, source: SourceFacts) -> Iterator[Finding]:
    """What was chosen, and why, or why the job would stop at the first update or delete."""
    if reason := why_no_mode(row_mode, source):
        yield Fault(f"the first update or delete blocks the job: {reason}")
    yield from map(Note, row_mode.notices.values())


def _key(source: SourceFacts) -> tuple[bytes, ...]:
    return tuple(name.encode() for name in source.feeders.key) if source.feeders else ()
