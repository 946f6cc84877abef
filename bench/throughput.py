"""Throughput of the dispatcher next to the limit that PostgreSQL itself sets.

The limit: the batch's events copied out of the source while the same rows, already decoded, are copied into
the same partitions of the target, one commit a batch. Both run in every round over the same events, so that
the ratio holds when the machine's speed drifts.
"""

from __future__ import annotations

import argparse
import io
import logging
import statistics
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection
from tdsup.dispatcher.job import TABLE_DISPATCHER
from tdsup.dispatcher.settings import Settings
from tdsup.sandbox import Sandbox

DAYS = 7
TABLE = (
    "create table orders (id bigint primary key, created timestamp, customer int, amount numeric, "
    "status text, note text)"
)
INSERT = (
    "insert into orders select g, timestamp '2026-11-01' + g %% %s * interval '1 day', g %% 1000, g / 100.0, "
    "'shipped', 'note of order number ' || g from generate_series(%s, %s) g"
)


@dataclass(frozen=True)
class Workload:
    """Events in the queue: `ticks` ticks of `size` events."""

    ticks: int
    size: int

    @property
    def events(self) -> int:
        """All of them."""
        return self.ticks * self.size


class Bench:
    """The two databases, filled, and the contestants."""

    def __init__(self, box: Sandbox, workload: Workload) -> None:
        self._workload = workload
        # Ticks are made here, so that each holds what it is meant to hold.
        box.ticker.stop()
        box.source.create_database("bench")
        box.target.create_database("bench")
        self._dsns = box.source.dsn("bench"), box.target.dsn("bench")
        self._source, self._target = (psycopg2.connect(dsn) for dsn in self._dsns)
        self._source.autocommit = True
        self._fill()

    def close(self) -> None:
        """Close the connections."""
        self._source.close()
        self._target.close()

    def limit(self) -> float:
        """Seconds that PostgreSQL needs at least."""
        return self._timed("limit", self._copy_batches)

    def dispatcher(self) -> float:
        """Seconds that the dispatcher needs."""
        return self._timed("tdsup", self._run_dispatcher)

    def _fill(self) -> None:
        with self._source.cursor() as cursor:
            cursor.execute(f"{TABLE}; select pgq.create_queue('orders')")
            cursor.execute(
                "create trigger queue after insert on orders "
                "for each row execute function pgq.logutriga('orders')"
            )
            cursor.execute("select pgq.set_queue_config('orders', 'ticker_max_count', '1')")
            cursor.execute("select pgq.register_consumer('orders', 'limit')")
            cursor.execute("select pgq.register_consumer('orders', 'tdsup')")
            for tick in range(self._workload.ticks):
                first = tick * self._workload.size + 1
                cursor.execute(INSERT, (DAYS, first, first + self._workload.size - 1))
                cursor.execute("select pgq.ticker('orders')")
            cursor.execute("select sub_last_tick from pgq.subscription limit 1")
            (self._start,) = cursor.fetchone() or (None,)
        self._rows = [self._decoded(tick) for tick in range(self._workload.ticks)]
        with self._target, self._target.cursor() as cursor:
            cursor.execute(TABLE)
            for day in range(DAYS):
                cursor.execute(f"create table {_partition(day)} (primary key (id)) inherits (orders)")

    def _decoded(self, tick: int) -> Mapping[str, bytes]:
        first = tick * self._workload.size + 1
        rows = {}
        with self._source.cursor() as cursor:
            for day in range(DAYS):
                text = io.BytesIO()
                where = f"id between {first} and {first + self._workload.size - 1} and id % {DAYS} = {day}"
                cursor.copy_expert(f"copy (select * from orders where {where} order by id) to stdout", text)
                rows[_partition(day)] = text.getvalue()
        return rows

    def _timed(self, consumer: str, run: Callable[[], object]) -> float:
        with self._target, self._target.cursor() as cursor:
            cursor.execute("truncate orders; drop schema if exists tdsup cascade")
        with self._target.cursor() as cursor:
            self._target.rollback()
            self._target.autocommit = True
            cursor.execute("checkpoint")
            self._target.autocommit = False
        with self._source.cursor() as cursor:
            cursor.execute("select pgq.register_consumer_at('orders', %s, %s)", (consumer, self._start))
        started = time.perf_counter()
        run()
        seconds = time.perf_counter() - started
        with self._target, self._target.cursor() as cursor:
            cursor.execute("select count(*) from orders")
            (count,) = cursor.fetchone() or (0,)
        assert count == self._workload.events, f"{consumer} loaded {count} of {self._workload.events} rows"
        return seconds

    def _copy_batches(self) -> None:
        for rows in self._rows:
            with self._source.cursor() as cursor:
                cursor.execute("select pgq.next_batch('orders', 'limit')")
                (batch,) = cursor.fetchone() or (None,)
                cursor.execute("select pgq.batch_event_sql(%s)", (batch,))
                (query,) = cursor.fetchone() or ("",)
                reader = threading.Thread(target=_drain, args=(self._source, query))
                reader.start()
                with self._target, self._target.cursor() as target:
                    for table, text in rows.items():
                        target.copy_expert(f"copy {table} from stdin", io.BytesIO(text), 1 << 18)
                reader.join()
                cursor.execute("select pgq.finish_batch(%s)", (batch,))

    def _run_dispatcher(self) -> None:
        settings = {
            "job_name": "tdsup",
            "src_db": self._dsns[0],
            "dst_db": self._dsns[1],
            "pgq_queue_name": "orders",
            "dest_table": "orders",
            "part_field": "created",
            "loop_delay": "0",
        }
        TABLE_DISPATCHER.run(Settings.model_validate(settings), _Host())


class _Host:
    """A host that never stops a job."""

    logger = logging.getLogger("bench")
    board = None

    def report(self, snapshot: Mapping[str, Any]) -> None:
        """Nobody listens."""

    def stopping(self) -> bool:
        return False

    def wait(self, seconds: float) -> bool:
        time.sleep(seconds)
        return False


def _partition(day: int) -> str:
    return f"orders_2026_11_{day + 1:02}"


def _drain(source: Connection, query: str) -> None:
    with source.cursor() as cursor, open("/dev/null", "wb") as nowhere:  # noqa: PTH123 (a device)
        cursor.copy_expert(f"copy ({query}) to stdout", nowhere)


def main() -> None:
    """Run all rounds and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--rounds", type=int, default=5, help="rounds, each with every contestant (default: 5)"
    )
    parser.add_argument("--events", type=int, default=300_000, help="events in the queue (default: 300000)")
    arguments = parser.parse_args()
    print(f"{'events/tick':>11} {'contestant':<11} {'events/s':>9} {'min':>9} {'max':>9} {'of limit':>9}")
    for size in (50_000, 500):
        # Small ticks are slow to make and to take; a tenth of the events tells as much.
        events = arguments.events if size > 500 else arguments.events // 10
        workload = Workload(max(1, events // size), size)
        with Sandbox() as box:
            bench = Bench(box, workload)
            try:
                seconds = [(bench.limit(), bench.dispatcher()) for _ in range(arguments.rounds)]
            finally:
                bench.close()
        ratio = statistics.median(limit / ours for limit, ours in seconds)
        for number, (name, share) in enumerate((("limit", 1.0), ("tdsup", ratio))):
            rates = sorted(workload.events / round_[number] for round_ in seconds)
            print(
                f"{size:>11,} {name:<11} {statistics.median(rates):>9,.0f} {rates[0]:>9,.0f} "
                f"{rates[-1]:>9,.0f} {share:>9.2f}"
            )


if __name__ == "__main__":
    main()
