"""A table of orders, its queue and the job that loads it: what most fleet tests use."""

from __future__ import annotations

from harness.programs.fleet import Fleet
from harness.rows.oracle import Verdict
from harness.rows.pipeline import Pipeline, Table
from harness.servers.database import Database
from harness.servers.queue import Queue

DISPATCHER = "table_dispatcher"

TEMPLATE = """
    create table _DEST_TABLE () inherits (_PARENT);
    alter table only _DEST_TABLE add constraint _DEST_TABLE_pkey primary key (_PKEY)"""


class Orders(Pipeline):
    """A table and its queue, both called `name`, and a job that loads it by day.

    A job that runs from a file is called `name` too; one that runs in the test's process is called ``job``.
    """

    def __init__(self, source: Database, target: Database, name: str = "orders") -> None:
        queue = Queue(source, name)
        queue.create()
        table = Table(name, parent="id int, day date, note text")
        super().__init__(queue, target, table, part_field="day", part_template=TEMPLATE, loop_delay=0.1)
        self.name = name

    def write_job(self, fleet: Fleet, **changes: object) -> None:
        """Write the job's file."""
        fleet.write_job(self.name, DISPATCHER, **self.keys(**changes))

    def wait_loaded(self, seconds: float = 30) -> None:
        """Wait until the target has as many rows as the source."""
        self.target.wait_for(f"select count(*) >= %s from {self.name}", self._last, seconds=seconds)

    def wait_finished(self, seconds: float = 30) -> None:
        """Wait until, according to the source, the consumer has no open batch and is at the last tick."""
        self.source.wait_for(
            "select current_batch is null and last_tick = (select max(tick_id) from pgq.tick t "
            "join pgq.queue q on q.queue_id = t.tick_queue where q.queue_name = %s) "
            "from pgq.get_consumer_info(%s, %s)",
            self.name,
            self.name,
            self.name,
            seconds=seconds,
        )

    def verdict(self, consumer: str = "") -> Verdict:
        """Wait until the consumer has finished; what the oracle then says."""
        self.wait_finished()
        return super().verdict(consumer or self.name)
