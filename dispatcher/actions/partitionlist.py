"""The partitions of a job's tables, and what becomes of them, for a person."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tdsup.jobtype import duration

from ..errors import SetupError
from ..ledger import find_position, schema_facts
from ..maintenance import Care, Decision, Deed, Present, cares_of, script_of, within
from ..partitions import MissingTable, TableMaker, Tables
from ..postgres import Connection, TableName, queries
from ..settings import Settings
from .desk import databases

JSON = "json"
"""Argument: an object a line, for programs."""

DRY_RUN = "dry-run"
"""Argument: print the SQL of the next maintenance instead."""

_HEADINGS = ("PARTITION", "FROM", "TO", "ROWS", "SIZE", "AGE", "NEXT")
_RIGHT = frozenset({"ROWS", "SIZE", "AGE"})
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


@dataclass(frozen=True, slots=True)
class _Outlook:
    """A table, and what the next maintenance would do.

    Attributes:
        care: the table.
        present: the present moment.
        decisions: about the partitions that there are.
        missing: those that would be made.
        scripts: the SQL of each of those.
        sizes: rows and bytes of partitions, by their quoted names.
    """

    care: Care
    present: Present
    decisions: Sequence[Decision]
    missing: Sequence[MissingTable]
    scripts: Sequence[Sequence[str]]
    sizes: Mapping[str, tuple[float | None, int | None]]


def partitions(settings: Settings, arguments: Sequence[str]) -> Iterator[str]:
    """List the partitions, or print the SQL of the next maintenance."""
    doing = f"list the partitions of {settings.job_name}"
    with databases(settings, doing) as (target, queue), target:
        present = _present(target, settings)
        cares = cares_of(settings, queue, every=True)
        if not cares:
            raise SetupError(f"cannot {doing}: there is no part_field")
        outlooks = [_look(target, care, present) for care in cares]
        version = target.session.server_version
    if DRY_RUN in arguments:
        for outlook in outlooks:
            yield from _script(outlook, version)
    elif JSON in arguments:
        yield from (json.dumps(each) for outlook in outlooks for each in _facts(outlook))
    else:
        yield from _table(outlooks)


def _present(target: Connection, settings: Settings) -> Present:
    with target.cursor() as cursor:
        position = find_position(cursor, schema_facts(cursor), settings.queue, settings.consumer_name)
        tick = None if position is None else position.read(cursor)
        return Present(queries.value(cursor, "target_clock"), None if tick is None else tick.time)


def _look(target: Connection, care: Care, present: Present) -> _Outlook:
    decisions = within(care.lifespan.limit, care.decisions(target, present))
    tables = Tables(target, care.partitioning, care.zone)
    maker = TableMaker(target, tables, care.partitioning, care.zone)
    missing = list(care.missing(target, tables, present))
    with target.cursor() as cursor:
        names = [each.partition.table.sql for each in decisions]
        sizes = {name: (rows, size) for name, rows, size in queries.rows(cursor, "table_sizes", tables=names)}
    return _Outlook(care, present, decisions, missing, [_creation(maker, each) for each in missing], sizes)


def _creation(maker: TableMaker, missing: MissingTable) -> Sequence[str]:
    """The SQL that makes a partition, or a comment on why there is none."""
    try:
        return ["begin;", *(f"{each.rstrip().rstrip(';')};" for each in maker.statements(missing)), "commit;"]
    except SetupError as error:
        return [f"-- {error}"]


def _script(outlook: _Outlook, version: int) -> Iterator[str]:
    """The SQL of the next maintenance."""
    if doubt := _doubt(outlook):
        yield f"-- {doubt}"
    for missing, statements in zip(outlook.missing, outlook.scripts, strict=True):
        yield f"-- make {missing.table}"
        yield from statements
    done = [each for each in outlook.decisions if each.deed is not Deed.KEEP]
    for decision in done:
        yield f"-- {decision.deed} {decision.partition.table}: {decision.why}"
        yield from script_of(outlook.care, decision, version)
    if not (outlook.missing or done):
        yield "-- nothing is to be done"


def _doubt(outlook: _Outlook) -> str:
    """Why nothing goes, if that is so."""
    doubt = outlook.present.doubt if outlook.care.lifespan.ends else ""
    return f"no partition goes: {doubt}" if doubt else ""


def _facts(outlook: _Outlook) -> Iterator[dict[str, Any]]:
    """What is known of each partition."""
    for decision in outlook.decisions:
        partition, bounds = decision.partition, decision.partition.bounds
        rows, size = outlook.sizes.get(partition.table.sql, (None, None))
        ended = None if bounds is None else outlook.present.moment - bounds.end_moment
        yield {
            "partition": str(partition.table),
            "parent": None if partition.parent is None else str(partition.parent),
            "start": None if bounds is None else bounds.start,
            "end": None if bounds is None else bounds.end,
            "rows": None if rows is None else int(rows),
            "bytes": size,
            "age_seconds": None if ended is None or math.isinf(ended) else max(0.0, ended),
            "next": decision.deed.value,
            "why": decision.why,
        }
    for missing in outlook.missing:
        period = missing.period
        yield {
            "partition": str(missing.table),
            "parent": str(_parent(outlook, missing)),
            "start": None if period is None else period.start.isoformat(),
            "end": None if period is None else period.end.isoformat(),
            "rows": None,
            "bytes": None,
            "age_seconds": None,
            "next": "make",
            "why": "premake",
        }


def _parent(outlook: _Outlook, missing: MissingTable) -> TableName:
    """What a partition would be a part of."""
    how = outlook.care.partitioning
    return how.parent if missing.period is None else how.of(missing.period).parent


def _table(outlooks: Sequence[_Outlook]) -> Iterator[str]:
    """A table for people, and what they should know besides."""
    rows = [_HEADINGS, *(_cells(facts) for outlook in outlooks for facts in _facts(outlook))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows if len(rows) > 1 else []:
        cells = (
            cell.rjust(width) if heading in _RIGHT else cell.ljust(width)
            for heading, cell, width in zip(_HEADINGS, row, widths, strict=True)
        )
        yield "  ".join(cells).rstrip()
    if len(rows) == 1:
        yield "(no partitions)"
    yield from dict.fromkeys(doubt for outlook in outlooks if (doubt := _doubt(outlook)))


def _cells(facts: Mapping[str, Any]) -> tuple[str, ...]:
    rows, age = facts["rows"], facts["age_seconds"]
    following = f"{facts['next']}: {facts['why']}" if facts["why"] else facts["next"]
    return (
        facts["partition"],
        facts["start"] or "-",
        facts["end"] or "-",
        "-" if rows is None else str(rows),
        "-" if facts["bytes"] is None else _size(facts["bytes"]),
        "-" if age is None else "now" if age == 0 else duration(age),
        following,
    )


def _size(count: float) -> str:
    """Bytes as people say them."""
    for unit in _UNITS:
        if count < 10_000 or unit == _UNITS[-1]:
            return f"{count:.0f} {unit}"
        count /= 1024
    raise AssertionError("the last unit takes all")
