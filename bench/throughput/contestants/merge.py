"""The limit of changes: what events come to, decoded and folded beforehand, merged by the best statements.

Meanwhile the events are copied out of the source, in their order; what comes out is discarded. All is one
commit.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from ..case import TABLE
from . import rows
from .limit import BLOCK, drain
from .task import QUEUE, Task

WAYS = ("update", "merge", "conflict")
"""How rows are brought up to date; the quickest one is the limit."""


def prepare(task: Task) -> Callable[[], object]:
    """The work."""
    return lambda: _work(task)


def _work(task: Task) -> None:
    source, target = psycopg2.connect(task.source), psycopg2.connect(task.target)
    source.autocommit = True
    reader = threading.Thread(target=_read, args=(source, task))
    reader.start()
    with target, target.cursor() as cursor:
        cursor.execute(
            "select array_agg(attname order by attnum) from pg_attribute "
            "where attrelid = %s::regclass and attnum > 0",
            (TABLE,),
        )
        ((columns,),) = cursor.fetchall()
        for texts in rows.ticks(Path(task.directory)):
            _merge(cursor, dict(texts), columns, task.way)
    reader.join()
    source.close()
    target.close()


def _read(source: Connection, task: Task) -> None:
    with source.cursor() as cursor:
        for _ in range(task.ticks):
            cursor.execute("select pgq.next_batch(%s, %s)", (QUEUE, task.consumer))
            (batch,) = cursor.fetchone() or (None,)
            cursor.execute("select pgq.batch_event_sql(%s)", (batch,))
            (query,) = cursor.fetchone() or ("",)
            drain(source, query)
            cursor.execute("select pgq.finish_batch(%s)", (batch,))


def _merge(cursor: Cursor, texts: dict[str, bytes], columns: list[str], way: str) -> None:
    """Deletes first, then what moves between tables, then the rest, table by table."""
    by_operation: dict[str, list[tuple[str, bytes]]] = {"D": [], "U": [], "I": []}
    for name, text in texts.items():
        operation, table = name.split()
        by_operation[operation].append((table, text))
    for table, text in by_operation["D"]:
        _stage(cursor, "keys", "id", text)
        cursor.execute(f"delete from {table} t using keys s where t.id = s.id")
    moving = []
    for table, text in by_operation["U"]:
        _stage(cursor, f"stage_{table}", "*", text)
        cursor.execute(_statement(table, columns, "update" if len(by_operation["U"]) > 1 else way))
        if cursor.rowcount < text.count(b"\n"):
            moving.append(table)
    for table in moving:
        _make(cursor, "moved", "id")
        cursor.execute(f"insert into moved select id from stage_{table}")
    if moving:
        cursor.execute(f"delete from {TABLE} t using moved s where t.id = s.id")
    for table in moving:
        cursor.execute(f"insert into {table} select * from stage_{table}")
    for table, text in by_operation["I"]:
        cursor.copy_expert(f"copy {table} from stdin", io.BytesIO(text), BLOCK)


def _stage(cursor: Cursor, name: str, columns: str, text: bytes) -> None:
    _make(cursor, name, columns)
    cursor.execute(f"truncate {name}")
    cursor.copy_expert(f"copy {name} from stdin", io.BytesIO(text), BLOCK)


def _make(cursor: Cursor, name: str, columns: str) -> None:
    like = f"select {columns} from {TABLE} with no data"
    cursor.execute(f"create temp table if not exists {name} on commit drop as {like}")


def _statement(table: str, columns: list[str], way: str) -> str:
    stage, others = f"stage_{table}", columns[1:]
    values = ", ".join(f"{name} = s.{name}" for name in others)
    if way == "update":
        return f"update {table} t set {values} from {stage} s where t.id = s.id"
    if way == "merge":
        return (
            f"merge into {table} t using {stage} s on t.id = s.id when matched then update set {values} "
            f"when not matched then insert values ({', '.join(f's.{name}' for name in columns)})"
        )
    values = ", ".join(f"{name} = excluded.{name}" for name in others)
    return f"insert into {table} select * from {stage} on conflict (id) do update set {values}"
