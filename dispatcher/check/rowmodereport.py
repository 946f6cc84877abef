"""What the job will do to rows, as ``row_mode`` says or ``auto`` chooses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import BatchError
from ..partitions import Tables
from ..postgres import Connection
from ..route import Mode, RowMode, choose
from ..settings import Settings
from .finding import Fault, Finding, Note
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
