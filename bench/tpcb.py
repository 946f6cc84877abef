"""A TPC-B load of pgbench: four tables of one queue into four jobs, next to one subscription of these tables.

Transactions run on the source beforehand, by pgbench itself: in one database through PgQ's triggers, in
another one without them, for logical replication. Each transaction is four events. Time counts from when the
jobs have started, or the source has begun to send; the time in which jobs start is that of a run with nothing
to do.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tdsup.sandbox import Cluster, Sandbox

sys.path.append(str(Path(__file__).parents[1]))

from bench.throughput import machine
from bench.throughput.contestants import logical
from bench.throughput.contestants.task import PUBLICATION, QUEUE, SLOT, Task
from bench.throughput.databases import connected, value

TABLES = ("pgbench_accounts", "pgbench_branches", "pgbench_history", "pgbench_tellers")

SCALE = 4
CLIENTS = 4
TICKS = 5
EVENTS = 4
"""Of a transaction."""

PROGRAM = Path(sys.executable).parent / "table_dispatcher"


class Load:
    """Two pairs of databases: ``queue`` for the jobs, ``native`` for logical replication.

    Args:
        box: the servers.
        transactions: how many.
    """

    def __init__(self, box: Sandbox, transactions: int) -> None:
        self._box = box
        self._transactions = transactions
        for name in ("queue", "native"):
            for cluster in (box.source, box.target):
                cluster.create_database(name)
            self._pgbench(box.source, name, "-i", "-s", str(SCALE))
        self.source = connected(box.source, "queue")
        self.native = connected(box.source, "native")
        self._listen()
        for name in ("queue", "native"):
            for _ in range(TICKS):
                each = transactions // TICKS // CLIENTS
                self._pgbench(box.source, name, "-n", "-c", str(CLIENTS), "-t", str(each))
                value(self.source, f"select pgq.ticker('{QUEUE}')")
        self.end = str(value(self.native, "select pg_current_wal_lsn()"))

    @property
    def events(self) -> int:
        """How many there are."""
        return self._transactions // TICKS // CLIENTS * TICKS * CLIENTS * EVENTS

    def _listen(self) -> None:
        """Let triggers feed the queue, and the WAL be kept for logical replication."""
        with self.source.cursor() as cursor:
            cursor.execute("select pgq.create_queue(%s)", (QUEUE,))
            cursor.execute("select pgq.set_queue_config(%s, 'ticker_max_count', '1')", (QUEUE,))
            for table in TABLES:
                cursor.execute(
                    f"create trigger queue after insert or update or delete on {table} "
                    f"for each row execute function pgq.logutriga('{QUEUE}')"
                )
        self._first = value(self.source, "select max(tick_id) from pgq.tick")
        with self.native.cursor() as cursor:
            cursor.execute(f"create publication {PUBLICATION} for table {', '.join(TABLES)}")
            cursor.execute("select pg_create_logical_replication_slot(%s, 'pgoutput')", (SLOT,))

    def reset(self, name: str) -> None:
        """Let a target have the tables as they were."""
        self._pgbench(self._box.target, name, "-i", "-s", str(SCALE))
        with connected(self._box.target, name) as connection, connection.cursor() as cursor:
            cursor.execute("drop schema if exists tdsup cascade")
        if name == "queue":
            for table in TABLES:
                value(self.source, f"select pgq.register_consumer_at('{QUEUE}', '{table}', {self._first})")
        for cluster in (self._box.source, self._box.target):
            with connected(cluster, name).cursor() as cursor:
                cursor.execute("checkpoint")

    def check(self, name: str) -> None:
        """Fail unless each table is the source's."""
        for table in TABLES:
            query = f"select count(*), md5(string_agg(t::text, ' ' order by t::text)) from {table} t"
            source, target = (
                value(connected(cluster, name), query) for cluster in (self._box.source, self._box.target)
            )
            assert source == target, f"{name}, {table}: {target} instead of {source}"

    def _pgbench(self, cluster: Cluster, name: str, *arguments: str) -> None:
        program = cluster.binaries.postgres.with_name("pgbench")
        subprocess.run(  # noqa: S603 (a program of the server)
            [program, *arguments, cluster.dsn(name)],
            env={**os.environ, "PGOPTIONS": "-c synchronous_commit=off"},
            check=True,
            capture_output=True,
        )


def jobs(box: Sandbox, directory: Path) -> Iterator[list[str]]:
    """The commands of four jobs."""
    for table in TABLES:
        path = directory / f"{table}.ini"
        path.write_text(
            f"[table_dispatcher]\njob_name = {table}\nsrc_db = {box.source.dsn('queue')}\n"
            f"dst_db = {box.target.dsn('queue')}\npgq_queue_name = {QUEUE}\ndest_table = {table}\n"
            f"table_filter = {table}\nloop_delay = 0\nstart = registered\n",
            encoding="utf-8",
        )
        yield [str(PROGRAM), "--quiet", str(path)]


def drained(commands: list[list[str]]) -> tuple[float, float]:
    """Seconds that jobs take together until the queue is empty, and CPU seconds of their processes."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    processes = [subprocess.Popen(command) for command in commands]  # noqa: S603 (programs of ours)
    for process in processes:
        assert process.wait() == 0
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(box: Sandbox, transactions: int, rounds: int) -> None:
    """Measure and print."""
    load = Load(box, transactions)
    ratios = []
    with tempfile.TemporaryDirectory(prefix="tdsup-bench-") as name:
        commands = list(jobs(box, Path(name)))
        for number in range(rounds):
            load.reset("queue")
            seconds, cpu = drained(commands)
            idle, idle_cpu = drained(commands)
            load.check("queue")
            load.reset("native")
            dsns = box.source.dsn("native"), box.target.dsn("native")
            task = Task(f"bench_{number}", *dsns, 0, partitioned=False, directory=load.end)
            native = logical.prepare(task)()
            load.check("native")
            ours, theirs = load.events / (seconds - idle), load.events / native
            ratios.append(ours / theirs)
            print(
                f"round {number + 1}: tdsup {ours:,.0f} events/s, worker CPU "
                f"{(cpu - idle_cpu) / load.events * 1e6:.2f} s per million; "
                f"logical replication {theirs:,.0f}; times {ratios[-1]:.2f}",
                flush=True,
            )
    times = statistics.median(ratios)
    print(f"{load.events:,} events of four tables; tdsup times logical replication: {times:.2f}")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--transactions", type=int, default=50_000, help="of pgbench (default: 50000)")
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    options = parser.parse_args()
    with Sandbox() as box:
        # Ticks are made by hand, so that jobs find all of them.
        box.ticker.stop()
        machine.check_durable(box)
        machine.log_for_subscriptions(box)
        measure(box, options.transactions, options.rounds)


if __name__ == "__main__":
    main()
