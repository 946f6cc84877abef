"""The databases of a fleet's benchmark, and one queue for each job."""

from __future__ import annotations

from harness.paths import PGQ_EXT
from harness.rows.job import job_keys
from harness.servers.database import Database
from tdsup.sandbox import Cluster, Sandbox

from ..throughput import servers

CONNECTIONS = 1500
"""Most of each server."""

OTHERS = "select count(*) from pg_stat_activity where backend_type = 'client backend'"


class Queues:
    """A source with queues that are read, and a target that takes their rows.

    Attributes:
        box: the servers.
        source: connection to the source.
        target: connection to the target.
    """

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self._made = 0
        for cluster in (box.source, box.target):
            _configure(cluster)
        # It waits long before it connects again.
        box.ticker.stop()
        box.source.create_database("source")
        box.target.create_database("target")
        self.source = Database(box.source.dsn("source"))
        self.target = Database(box.target.dsn("target"))
        self.target.execute(PGQ_EXT.read_text(encoding="utf-8"))
        self.target.execute("create table orders (id bigint primary key, note text)")

    def close(self) -> None:
        """Close the connections."""
        self.source.close()
        self.target.close()

    def keys(self, number: int) -> dict[str, object]:
        """The keys of a job, the same for both fleets."""
        return job_keys(
            self.source,
            self.target,
            queue=f"q{number}",
            table="orders",
            job_name=f"job{number:04}",
            start="registered",
        )

    def feed(self, jobs: int) -> None:
        """Register each consumer again, and give it one event to read."""
        # A tick by pgqd at the same moment as one made here might leave an event out.
        self.box.ticker.stop()
        self.target.execute("truncate orders, pgq_ext.completed_tick; drop schema if exists tdsup cascade")
        for number in range(jobs):
            queue, consumer = f"q{number}", f"job{number:04}"
            if number == self._made:
                self.source.execute("select pgq.create_queue(%s)", queue)
                self._made += 1
            self._tick(queue)
            self.source.execute("select pgq.unregister_consumer(%s, %s)", queue, consumer)
            self.source.execute("select pgq.register_consumer(%s, %s)", queue, consumer)
            self.insert(queue, -number)
            self._tick(queue)
        self.box.ticker.start()

    def insert(self, queue: str, number: int) -> int:
        """Insert an event; returns its transaction."""
        txid: int = self.source.value(
            "select txid_current() from pgq.insert_event(%s, 'I:id', %s, 'public.orders', null, null, null)",
            queue,
            f"id={number}&note=x",
        )
        return txid

    def connections(self) -> int:
        """Connections of both servers, without those of this benchmark."""
        return sum(database.value(OTHERS) - 1 for database in (self.source, self.target))

    def cpu_of_source(self) -> float:
        """CPU seconds of the source's server so far."""
        return servers.cpu(self.box.source)

    def _tick(self, queue: str) -> None:
        self.source.execute("select pgq.force_tick(%s)", queue)
        self.source.execute("select pgq.ticker(%s)", queue)


def _configure(cluster: Cluster) -> None:
    with (cluster.data / "postgresql.conf").open("a", encoding="utf-8") as settings:
        settings.write(f"track_commit_timestamp = on\nmax_connections = {CONNECTIONS}\n")
    cluster.restart()
