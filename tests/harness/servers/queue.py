"""A PgQ queue that a test feeds."""

from __future__ import annotations

from typing import Any

from harness.servers.database import Database


class Queue:
    """A queue in a source database; `tick` makes tests independent of the daemon's rhythm."""

    def __init__(self, source: Database, name: str) -> None:
        self.name = name
        self.source = source

    def create(self) -> None:
        """Create it, so that any event, but nothing else, makes a tick."""
        self.source.execute("select pgq.create_queue(%s)", self.name)
        for setting, value in (("ticker_max_count", "1"), ("ticker_max_lag", "1 hour")):
            self.source.execute("select pgq.set_queue_config(%s, %s, %s)", self.name, setting, value)

    def attach(self, table: str, *arguments: str, function: str = "logutriga") -> None:
        """Let a trigger of PgQ put the table's changes into the queue."""
        given = ", ".join(f"'{argument}'" for argument in (self.name, *arguments))
        self.source.execute(
            f"create trigger {table}_{self.name} after insert or update or delete on {table} "
            f"for each row execute function pgq.{function}({given})"
        )

    def attach_truncate(self, table: str, function: str = "logutriga") -> None:
        """Let a trigger of PgQ put the table's truncates into the queue."""
        self.source.execute(
            f"create trigger {table}_{self.name}_truncate after truncate on {table} "
            f"for each statement execute function pgq.{function}('{self.name}')"
        )

    def tick(self) -> None:
        """Make what was inserted visible to consumers, unless the daemon has just done so.

        A tick of the daemon's amid an insert counts its event, but does not show it, and a queue's very first
        event counts for nothing: then PgQ sees no need for a tick, and one has to be forced.
        """
        self.source.execute("select pgq.ticker(%s)", self.name)
        events = self.source.value("select pgq.current_event_table(%s)", self.name)
        if self.source.value(
            f"select exists (select from {events} where not txid_visible_in_snapshot(ev_txid, ("
            "select tick_snapshot from pgq.tick join pgq.queue on queue_id = tick_queue "
            "where queue_name = %s order by tick_id desc limit 1)))",
            self.name,
        ):
            self.source.execute("select pgq.force_tick(%s)", self.name)
            self.source.execute("select pgq.ticker(%s)", self.name)

    def last_tick(self, consumer: str) -> int:
        """The last tick that a consumer has finished."""
        tick: int = self.source.value(
            "select last_tick from pgq.get_consumer_info(%s, %s)", self.name, consumer
        )
        return tick

    def send(self, *rows: str, type_: str = "I:id", table: str = "public.t", tick: bool = True) -> None:
        """Put encoded rows into the queue, each an event."""
        for row in rows:
            self.insert(type_, row, table)
        if tick:
            self.tick()

    def insert(self, type_: str, data: str | None, table: str | None = None) -> int:
        """Put an event of a producer's own into the queue; returns its id."""
        event: Any = self.source.value(
            "select pgq.insert_event(%s, %s, %s, %s, null, null, null)", self.name, type_, data, table
        )
        return int(event)
