"""The tables of a job whose partitions are looked after."""

from __future__ import annotations

from collections.abc import Iterator

from ..pgq import Queue
from ..settings import Settings
from .care import Care


def cares_of(settings: Settings, queue: Queue, *, every: bool = False) -> list[Care]:
    """Those that are known before their first event: named by the job's file, or by triggers of the queue.

    Args:
        settings: the job's.
        queue: of the job.
        every: also partitioned tables that ask for no care.
    """
    tables = _several(settings, queue) if settings.tables else [settings]
    found = {
        each.dest_table: Care(each.partitioning, each.lifespan, queue.time_zone)
        for each in tables
        if each.part_field and (every or each.lifespan.needs_care)
    }
    return [found[parent] for parent in sorted(found)]


def _several(settings: Settings, queue: Queue) -> Iterator[Settings]:
    """What holds for each of several tables."""
    # A section may name a partition; what no section is for may have the job's own table.
    named = {str(name) for name in settings.sections if not name.is_pattern}
    for table in sorted({"", *named, *queue.tables.feeding}):
        try:
            listed = settings.of_table(table)
        except ValueError:
            continue
        if listed is not None:
            yield listed.settings
