"""The original and ours over one queue, cell by cell.

It leaves out what the original gets wrong (`harness.programs.original` shows what it does): truncates, which
it cannot read; partition values that are NULL, infinite, empty or not written ``YYYY-MM-DD hh:mm``; rows of
one batch with different columns under ``fields = *``, which it drops; ``%00`` and bytes that are no UTF-8, at
which it stops; ``_PKEY`` and ``_PARENT``, which it does not know.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import skytools
from harness.paths import PGQ_EXT
from harness.programs import original
from harness.rows.job import drain, job_keys
from harness.servers.database import Database
from harness.servers.queue import Queue

SEED = 20261124
ROWS = 700
CHANGED = 50

AWKWARD = (
    "\t",
    "\n",
    "\r",
    "\\",
    "'",
    '"',
    r"\N",
    r"\.",
    "%",
    "+",
    "&",
    "=",
    " ",
    "\x01",
    "\x7f",
    "é",
    "😀",
    "\u2028",
)
"""Pieces with a meaning in some format on the way."""

COLUMNS = """
    id int primary key, seen timestamp not null, zoned timestamptz not null, day date not null, note text,
    amount numeric, ratio float8, raw bytea, tags text[], doc jsonb, flag bool, "Odd ""Name" text,
    "select" text, "zwei Wörter" varchar(60)"""

Make = Callable[[random.Random], object]


def _text(rng: random.Random) -> str:
    return "".join(rng.choices(AWKWARD + tuple("abcXYZ089"), k=rng.randrange(12)))


def _when(rng: random.Random) -> datetime:
    return datetime(2025, 11, 1) + timedelta(
        seconds=rng.randrange(120 * 86400), microseconds=rng.randrange(10**6)
    )


def _zoned(rng: random.Random) -> str:
    return f"{_when(rng)}{rng.choice(('+00', '-11:30', '+14'))}"


MAKERS: dict[str, Make] = {
    "seen": _when,
    "zoned": _zoned,
    "day": lambda rng: date(2025, 11, 1) + timedelta(days=rng.randrange(120)),
    "note": _text,
    "amount": lambda rng: rng.choice(("NaN", "-0.000", "1e40", str(rng.uniform(-1e9, 1e9)))),
    "ratio": lambda rng: rng.choice(
        ("NaN", "-Infinity", "-0", rng.uniform(-1, 1) * 10 ** rng.randint(-300, 300))
    ),
    "raw": lambda rng: rng.randbytes(rng.randrange(20)),
    "tags": lambda rng: [rng.choice((None, _text(rng))) for _ in range(rng.randrange(4))],
    "doc": lambda rng: json.dumps({_text(rng): [_text(rng), None, rng.random()]}),
    "flag": lambda rng: rng.random() < 0.5,
    'Odd "Name': _text,
    "select": _text,
    "zwei Wörter": _text,
}
"""What fills each column except the id."""

REQUIRED = {"seen", "zoned", "day"}
"""Columns that name partitions: never NULL."""


def _row(rng: random.Random) -> dict[str, Any]:
    return {
        name: make(rng) if name in REQUIRED or rng.random() < 0.85 else None for name, make in MAKERS.items()
    }


def _insert_things(source: Database, rng: random.Random, first: int) -> None:
    """Insert `ROWS` rows through the table, in one transaction."""
    names = ", ".join(skytools.quote_ident(name) for name in MAKERS)
    source.execute("begin")
    for number in range(first, first + ROWS):
        values = ", ".join(["%s"] * (len(MAKERS) + 1))
        source.execute(f"insert into things (id, {names}) values ({values})", number, *_row(rng).values())
    source.execute("commit")


def _insert_messages(queue: Queue, source: Database, rng: random.Random, first: int) -> None:
    """Put `ROWS` events of a producer's own into the queue: columns in any order, empty elements between."""
    source.execute("begin")
    for number in range(first, first + ROWS):
        row = list({"id": number, "day": date(2026, 1, 1 + number % 28), "body text": _text(rng)}.items())
        rng.shuffle(row)
        data = skytools.db_urlencode(dict(row)).replace("&", rng.choice(("&", "&&")))
        queue.insert("message.sent", data, "public.messages")
    source.execute("commit")


def _make_changes(queue: Queue, source: Database, rng: random.Random, first: int) -> None:
    """Insert, update and delete rows of a table, and send such events by hand: 7 for each of some rows."""
    source.execute("begin")
    for number in range(first, first + CHANGED):
        day, notes = date(2026, 1, 1 + number % 28), [_text(rng) for _ in range(2)]
        source.execute("insert into changes values (%s, %s, %s)", number, day, notes[0])
        source.execute("update changes set note = %s where id = %s", notes[1], number)
        source.execute("delete from changes where id = %s", number)
        for type_ in ("U", "D", "D:id", "U:id"):
            row = {"id": number, "day": day, "note": rng.choice(notes)}
            queue.insert(type_, skytools.db_urlencode(row), "public.changes")
    source.execute("commit")


def _cells(target: Database) -> dict[str, tuple[list[str], list[tuple[Any, ...]]]]:
    """Columns and cells of every table that a job may have loaded, as text, by the table's name."""
    found = {}
    for schema, table in target.rows(
        "select schemaname, tablename from pg_tables where schemaname in ('public', 'archive') order by 1, 2"
    ):
        name = f"{schema}.{table}"
        columns = target.column(
            "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 order by attnum",
            ".".join(map(skytools.quote_ident, (schema, table))),
        )
        text = ", ".join(f"{skytools.quote_ident(column)}::text" for column in columns)
        rows = target.rows(f'select {text} from only {schema}."{table}"')
        found[name] = (columns, sorted(rows, key=repr))
    return found


JOBS: dict[str, dict[str, object]] = {
    "by_day": {
        "dest_table": "by_day",
        "table_filter": "things",
        "part_field": "seen",
        # The original makes as many as there are days.
        "part_limit": 1000,
        "part_template": "create table _DEST_TABLE (primary key (id)) inherits (by_day)",
    },
    "by_month": {
        "dest_table": "archive.By_Month",
        "table_filter": "public.things",
        "part_field": "zoned",
        "part_method": "monthly",
        "part_template": 'create table _DEST_TABLE (primary key (id)) inherits (archive."By_Month")',
    },
    "renamed": {
        "dest_table": "renamed",
        "table_filter": "things",
        "part_field": "day",
        "part_method": "monthly",
        "part_template": "create table _DEST_TABLE () inherits (renamed)",
        "fields": 'select:order, id, Odd "Name:odd, zwei Wörter:Two Words, raw',
    },
    "whole": {"dest_table": "whole", "table_filter": "things"},
    "logged": {
        "dest_table": "logged",
        "table_filter": "changes",
        "part_field": "day",
        "part_template": "create table _DEST_TABLE () inherits (logged)",
    },
    "keyless": {
        "dest_table": "keyless",
        "table_filter": "changes",
        "fields": "note:body, day",
    },
    "messages": {
        "dest_table": "messages",
        "table_filter": "messages",
        "part_field": "day",
        "part_template": "create table _DEST_TABLE () inherits (messages)",
    },
}
"""The jobs' own keys, by name."""


def _create_sources(source: Database) -> Queue:
    queue = Queue(source, "everything")
    queue.create()
    source.execute(f"create table things ({COLUMNS})")
    source.execute("create table changes (id int primary key, day date, note text)")
    queue.attach("things")
    queue.attach("changes")
    return queue


def _create_parents(target: Database) -> None:
    target.execute("create schema archive")
    for table in ("by_day", 'archive."By_Month"', "whole"):
        target.execute(f"create table {table} ({COLUMNS})")
    target.execute('create table renamed ("order" text, id int, odd text, "Two Words" text, raw bytea)')
    target.execute(
        "create table logged (id int, day date, note text); create table keyless (day date, body text)"
    )
    target.execute('create table messages (id int, day date, "body text" text)')


@pytest.mark.timeout(180)
def test_ours_loads_what_the_original_loads(
    tmp_path: Path, source: Database, target: Database, other_target: Database
) -> None:
    """With seven jobs and 2,450 events of one queue, both make the same tables with the same cells."""
    rng = random.Random(SEED)  # noqa: S311 (the same events in every run)
    queue = _create_sources(source)
    for database in (target, other_target):
        _create_parents(database)
    other_target.execute(PGQ_EXT.read_text())

    def run_all() -> None:
        for name, keys in JOBS.items():
            theirs = {**job_keys(source, other_target, queue=queue.name), **keys}
            original.run(tmp_path / f"{name}.ini", **theirs, job_name=f"original_{name}")
            ours = {**job_keys(source, target, queue=queue.name), **keys}
            drain(**ours, job_name=f"ours_{name}")

    run_all()
    for first in (1, ROWS + 1):
        _insert_things(source, rng, first)
        queue.tick()
    _insert_messages(queue, source, rng, 1)
    _make_changes(queue, source, rng, 1)
    queue.tick()
    run_all()

    ours, theirs = _cells(target), _cells(other_target)
    assert ours.keys() == theirs.keys()
    for table, cells in theirs.items():
        assert ours[table] == cells, table
    rows = {
        name: sum(len(rows) for table, (_, rows) in ours.items() if name in table.lower()) for name in JOBS
    }
    assert rows == {
        **dict.fromkeys(JOBS, 2 * ROWS),
        "messages": ROWS,
        "logged": 7 * CHANGED,
        "keyless": 7 * CHANGED,
    }
    assert len(ours) > 120 + 5 + 5 + 28
