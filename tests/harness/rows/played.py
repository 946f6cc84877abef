"""A history that is played: its statements run on the source, its job loads the target."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import psycopg2

from harness.rows.designs import KEPT, SEEDS, STRAYS, TOLD, Design
from harness.rows.job import drain, job_keys
from harness.rows.replayed import Replayed, Row, Sent, replay_of
from harness.rows.steps import (
    ODD,
    Event,
    History,
    NewKey,
    Statement,
    Step,
    Tick,
    Touch,
    json_type,
    urlencoded,
)
from harness.servers.database import Database
from harness.servers.queue import Queue

_numbers = itertools.count(1)


class Stage:
    """Two databases in which one history is played after the other.

    Args:
        queue: a queue to which nobody else makes ticks.
        target: where the job loads.
    """

    def __init__(self, queue: Queue, target: Database) -> None:
        self._queue = queue
        self._source = queue.source
        self._target = target
        self._events = self._source.value("select pgq.current_event_table(%s)", queue.name)

    def play(self, history: History) -> tuple[Replayed, Mapping[str, Any]]:
        """Play a history; returns what its replay comes to, and the numbers of the job that loads it."""
        design = history.design
        design.create_source(self._queue, history.format)
        design.create_target(self._target)
        self.job = f"job{next(_numbers)}"
        replayed = replay_of(design)
        for id_ in (*(SEEDS if history.seeded else ()), *STRAYS):
            self._place(design, id_, replayed)
        self._queue.tick()
        self._source.execute(
            "select pgq.register_consumer_at(queue_name, %s, max(tick_id)) "
            "from pgq.tick join pgq.queue on queue_id = tick_queue where queue_name = %s group by queue_name",
            self.job,
            self._queue.name,
        )
        last = self._source.value(f"select coalesce(max(ev_id), 0) from {self._events}")
        for step in history.steps:
            self._take(design, history.format, step)
        self._queue.tick()
        for sent in self._sent(last):
            replayed.apply(sent)
        return replayed, self._drain(design)

    def _drain(self, design: Design) -> Mapping[str, Any]:
        keys = job_keys(self._source, self._target, queue=self._queue.name)
        more = {**design.keys, "merge_events": 0, "start": "registered", "bad_event_limit": 1000}
        try:
            return drain(**{**keys, **more, "job_name": self.job})
        finally:
            self._source.execute("select pgq.unregister_consumer(%s, %s)", self._queue.name, self.job)

    def rows(self, design: Design) -> Counter[tuple[str | None, ...]]:
        """What the target has, each row with its table."""
        cells = ", ".join(f"{name}::text" for name in design.loaded)
        found: Counter[tuple[str | None, ...]] = Counter()
        for table in ("t", *design.tables_apart(self._target)):
            found.update(self._target.rows(f"select tableoid::regclass::text, {cells} from {table}"))
        return found

    def dead(self) -> set[int]:
        """Ids of the events that the job could not load."""
        if not self._target.value("select to_regclass('tdsup.dead_letter') is not null"):
            return set()
        return set(
            self._target.column("select ev_id from tdsup.dead_letter where consumer_name = %s", self.job)
        )

    def _place(self, design: Design, id_: int, replayed: Replayed) -> None:
        """Let a row be in the target, and in the source if it is no stray."""
        row: Row = design.row(id_, txt="before")
        names = ", ".join(row)
        if id_ in SEEDS:
            self._source.execute("alter table t disable trigger user")
            self._source.execute(
                f"insert into t ({names}) values ({', '.join(['%s'] * len(row))})", *row.values()
            )
            self._source.execute("alter table t enable trigger user")
        if design.own:
            row["own"] = KEPT
        if design.told:
            row.update(dict.fromkeys(TOLD))
        if design.marked:
            row["gone"] = None
        place = design.place(row)
        self._target.execute(
            f"insert into {place} ({', '.join(row)}) values ({', '.join(['%s'] * len(row))})", *row.values()
        )
        replayed.put(row)

    def _sent(self, last: int) -> list[Sent]:
        return [
            Sent(*event)
            for event in self._source.rows(
                "select ev_id, ev_type, ev_data, ev_extra2, ev_time::text "
                f"from {self._events} where ev_id > %s order by ev_id",
                last,
            )
        ]

    # Steps.

    def _take(self, design: Design, format_: tuple[str, ...], step: Step) -> None:
        if isinstance(step, Tick):
            self._queue.tick()
        elif isinstance(step, Event):
            self._send(step.type, step.data)
        elif isinstance(step, Touch):
            for row in self._found(design, f"select * from t where {step.where}"):
                event = ODD[step.odd]("UPDATE", design.key, row)
                self._send(event.type, event.data)
        elif isinstance(step, Statement):
            self._try(step.sql)
        else:
            self._change_key(design, format_[0], step)

    def _try(self, sql: str) -> bool:
        try:
            self._source.execute(sql)
        except psycopg2.errors.IntegrityError:
            return False
        return True

    def _change_key(self, design: Design, function: str, step: NewKey) -> None:
        old = self._found(design, f"select * from t where {step.where}")
        self._source.execute("alter table t disable trigger user")
        new: list[Row] = []
        if old:
            try:
                new = self._found(design, f"update t set {step.sets} where {step.where} returning *")
            except psycopg2.errors.IntegrityError:
                new = []
        self._source.execute("alter table t enable trigger user")
        for before, after in zip(old, new, strict=False):
            self._send_change(design, function, before, after)

    def _send_change(self, design: Design, function: str, before: Row, after: Row) -> None:
        if function == "jsontriga":
            self._send(json_type("UPDATE", design.key), json.dumps(after), json.dumps(before))
        elif function == "sqltriga":
            key = " and ".join(f"{name}={_sql(before[name])}" for name in design.key)
            changed = ",".join(f"{name}={_sql(after[name])}" for name in after if after[name] != before[name])
            self._send("U", f"{changed or key.replace(' and ', ',')} where {key}", urlencoded(before))
        else:
            self._send(f"U:{','.join(design.key)}", urlencoded(after), urlencoded(before))

    def _found(self, design: Design, query: str) -> list[Row]:
        """Rows as a query of the source tells them."""
        return [
            {
                name: None if value is None else str(value)
                for name, value in zip(design.columns, row, strict=True)
            }
            for row in self._source.rows(query)
        ]

    def _send(self, type_: str, data: str, old: str | None = None) -> None:
        self._source.execute(
            "select pgq.insert_event(%s, %s, %s, 'public.t', %s, null, null)",
            self._queue.name,
            type_,
            data,
            old,
        )


def _sql(value: str | None) -> str:
    """As sqltriga writes it."""
    if value is None:
        return "null"
    doubled = value.replace("'", "''")
    return "E'" + doubled.replace("\\", "\\\\") + "'" if "\\" in value else f"'{doubled}'"
