"""A PgQ queue that a test fills."""

from __future__ import annotations

from typing import Any

from harness.servers.database import Database


class Queue:
    """A queue in a source database. With `tick`, tests do not depend on when pgqd makes ticks."""

    def __init__(self, source: Database, name: str) -> None:
        self.name = name
        self.source = source

    def create(self) -> None:
        """Create it; settings let pgqd make a tick for any event, and for nothing else."""
        self.source.execute("select pgq.create_queue(%s)", self.name)
        for setting, value in (("ticker_max_count", "1"), ("ticker_max_lag", "1 hour")):
            self.source.execute("select pgq.set_queue_config(%s, %s, %s)", self.name, setting, value)

    def attach(self, table: str, *arguments: str, function: str = "logutriga") -> None:
        """Let a trigger of PgQ put the table's changes into the queue."""
        given = ", ".join(f"'{argument}'" for argument in (self.name, *arguments))
        self.source.execute(
            f"create trigger {table.replace('.', '_')}_{self.name} after insert or update or delete "
            f"on {table} for each row execute function pgq.{function}({given})"
        )

    def attach_truncate(self, table: str, function: str = "logutriga") -> None:
        """Let a trigger of PgQ put the table's truncates into the queue."""
        self.source.execute(
            f"create trigger {table}_{self.name}_truncate after truncate on {table} "
            f"for each statement execute function pgq.{function}('{self.name}')"
        )

    def tick(self) -> None:
        """Make a tick, so that consumers see what was inserted; pgqd may just have made it.

        Sometimes PgQ sees no need for a tick and has to be forced: when pgqd made one during an insert, which
        counts the event but does not show it, and for a queue's very first event, which is not counted.
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
        """The last tick that a consumer finished."""
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
        """Put an event into the queue, without a trigger; returns its id."""
        event: Any = self.source.value(
            "select pgq.insert_event(%s, %s, %s, %s, null, null, null)", self.name, type_, data, table
        )
        return int(event)
