"""A table of orders in the source, its queue, and jobs that load it: what most fleet tests move."""

from __future__ import annotations

from harness.programs.fleet import Fleet
from harness.rows.oracle import Oracle, Verdict
from harness.servers.database import Database
from harness.servers.queue import Queue

DISPATCHER = "table_dispatcher"

TEMPLATE = """
    create table _DEST_TABLE () inherits (_PARENT);
    alter table only _DEST_TABLE add constraint _DEST_TABLE_pkey primary key (_PKEY)"""


class Orders:
    """A table with its queue, both called `name`."""

    def __init__(self, source: Database, target: Database, name: str = "orders") -> None:
        self.name = name
        self._source = source
        self._target = target
        self._last = 0
        self.queue = Queue(source, name)
        self.queue.create()
        source.execute(f"create table {name} (id int primary key, day date, note text)")
        target.execute(f"create table {name} (id int, day date, note text)")
        self.queue.attach(name)

    def keys(self, **changes: object) -> dict[str, object]:
        """Keys of a job file that loads the table by day; the job is to be called like it."""
        return {
            "src_db": self._source.dsn,
            "dst_db": self._target.dsn,
            "pgq_queue_name": self.name,
            "dest_table": self.name,
            "part_field": "day",
            "part_template": TEMPLATE,
            "loop_delay": 0.1,
            **changes,
        }

    def write_job(self, fleet: Fleet, **changes: object) -> None:
        """Write the job's file."""
        fleet.write_job(self.name, DISPATCHER, **self.keys(**changes))

    def insert(self, count: int, *, tick: bool = True) -> None:
        """Insert that many further rows of three days."""
        self._source.execute(
            f"insert into {self.name} select g, date '2026-11-01' + g %% 3, 'note ' || g "
            "from generate_series(%s, %s) g",
            self._last + 1,
            self._last + count,
        )
        self._last += count
        if tick:
            self.queue.tick()

    def wait_loaded(self, seconds: float = 30) -> None:
        """Wait until the target has as many rows as the source."""
        self._target.wait_for(f"select count(*) >= %s from {self.name}", self._last, seconds=seconds)

    def wait_finished(self, seconds: float = 30) -> None:
        """Wait until the source knows that its consumer has no open batch and is at the last tick."""
        self._source.wait_for(
            "select current_batch is null and last_tick = (select max(tick_id) from pgq.tick t "
            "join pgq.queue q on q.queue_id = t.tick_queue where q.queue_name = %s) "
            "from pgq.get_consumer_info(%s, %s)",
            self.name,
            self.name,
            self.name,
            seconds=seconds,
        )

    def verdict(self) -> Verdict:
        """What the oracle says, once the consumer has finished."""
        self.wait_finished()
        return Oracle(self._source, self._target, self.name, queue=self.name, consumer=self.name).check()
