"""Latency from an event's commit on the source to its row's on the target, by tick period and loop_delay.

Events come at a steady rate, in a hundred transactions a second. The job is a fleet of one; pgqd makes a tick
every period. Times are those of commits (track_commit_timestamp) of the event, of the first tick that holds
it, and of the row; both servers share one clock. They are taken just before the flush to disk, which is
measured separately.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from tdsup.sandbox import Sandbox

sys.path += map(str, (Path(__file__).parents[1], Path(__file__).parents[1] / "tests"))

from harness.programs.fleet import Fleet, fleet
from harness.servers.database import Database

from bench import page

TRANSACTIONS = 100
"""Transactions a second, at any rate: one for each event would measure the source's disk."""

ALLOWANCE = 0.05
"""Seconds that an event may take in addition to the wait for its tick and loop_delay, at the 99th
percentile."""

COMMITS = 500
"""Commits whose flush to disk is measured."""

CATCH_UP = 60.0
"""Seconds within which the last row must arrive."""

TABLE = "create table orders (id bigint primary key, customer int, amount numeric, status text, note text)"

INSERT = (
    "insert into orders select g, g %% 1000, g / 100.0, 'shipped', 'note of order number ' || g "
    "from generate_series(%s, %s) g"
)

# The first tick whose snapshot includes the transaction is the one that delivers its events.
MOMENTS = """
select ids, extract(epoch from pg_xact_commit_timestamp(xid)), made from (
    select xmin xid, array_agg(id) ids from orders where id >= %s group by xmin
) written, lateral (
    select extract(epoch from pg_xact_commit_timestamp(tick.xmin)) made from pgq.tick
    where txid_visible_in_snapshot(xid::text::bigint, tick_snapshot) order by tick_id limit 1
) first
"""


@dataclass(frozen=True)
class Cell:
    """One measurement.

    Attributes:
        rate: events a second.
        period: seconds between two ticks.
        loop_delay: of the job.
    """

    rate: int
    period: float
    loop_delay: float

    @property
    def warm_up(self) -> float:
        """Seconds at the start whose events do not count."""
        return 1 + 2 * (self.period + self.loop_delay)


GRID = (
    *(Cell(1000, period, loop_delay) for period in (1, 0.1, 0.02) for loop_delay in (1, 0.1, 0.02)),
    Cell(100, 0.1, 0.1),
    Cell(5000, 0.1, 0.1),
)

QUICK_GRID = (Cell(1000, 0.1, 0.1), Cell(1000, 0.1, 0.02))


@dataclass(frozen=True)
class Latency:
    """Seconds that a cell's events took, one value for each.

    Attributes:
        total: from commit to commit.
        tick: until their tick was made.
        rest: from their tick to the end.
        rate: events a second that were reached.
    """

    total: Sequence[float]
    tick: Sequence[float]
    rest: Sequence[float]
    rate: float


class Load(threading.Thread):
    """Inserts rows at a steady rate for a while.

    Attributes:
        rows: how many it has inserted.
        rate: events a second that were reached.
    """

    def __init__(self, dsn: str, first: int, rate: int, seconds: float) -> None:
        super().__init__()
        self._dsn, self._first = dsn, first
        self._each, self._count = rate // TRANSACTIONS, int(seconds * TRANSACTIONS)
        self.rows = 0
        self.rate = 0.0

    def run(self) -> None:
        """Insert; after a late transaction the next follows at once."""
        with closing(Database(self._dsn)) as source:
            begun = time.monotonic()
            for number in range(self._count):
                time.sleep(max(0.0, begun + number / TRANSACTIONS - time.monotonic()))
                first = self._first + self.rows
                source.execute(INSERT, first, first + self._each - 1)
                self.rows += self._each
            self.rate = self.rows / (time.monotonic() - begun)


class Bench:
    """The two databases."""

    def __init__(self, box: Sandbox) -> None:
        self._box = box
        for cluster in (box.source, box.target):
            with (cluster.data / "postgresql.conf").open("a", encoding="utf-8") as settings:
                settings.write("track_commit_timestamp = on\n")
            cluster.restart()
            cluster.create_database("bench")
        self._source, self._target = Database(box.source.dsn("bench")), Database(box.target.dsn("bench"))
        self._target.execute(TABLE)
        self._source.execute(f"{TABLE}; select pgq.create_queue('orders')")
        self._source.execute("select pgq.set_queue_config('orders', 'ticker_max_count', '1')")
        self._source.execute(
            "create trigger queue after insert on orders "
            "for each row execute function pgq.logutriga('orders')"
        )
        self._next = 1

    def close(self) -> None:
        """Close the connections."""
        self._source.close()
        self._target.close()

    def run(self, cell: Cell, made: Fleet, seconds: float) -> Latency:
        """Let the job run under that load; returns what the events took."""
        self._box.ticker.stop()
        self._box.ticker.start(cell.period)
        made.write_job(
            "orders",
            "table_dispatcher",
            src_db=self._source.dsn,
            dst_db=self._target.dsn,
            pgq_queue_name="orders",
            dest_table="orders",
            loop_delay=cell.loop_delay,
        )
        made.start()
        made.wait_all()
        load = Load(self._source.dsn, self._next, cell.rate, cell.warm_up + seconds)
        load.start()
        load.join()
        self._target.wait_for("select max(id) = %s from orders", self._next + load.rows - 1, seconds=CATCH_UP)
        made.stop()
        first = self._next + int(cell.warm_up * cell.rate)
        self._next += load.rows
        return self._latency(first, load.rate)

    def commit(self) -> str:
        """How long a commit of one row takes on the target, with its flush."""
        self._target.execute("create table small (number int)")
        took = []
        for number in range(COMMITS):
            begun = time.perf_counter()
            self._target.execute("insert into small values (%s)", number)
            took.append(time.perf_counter() - begun)
        hundredths = statistics.quantiles(took, n=100)
        return f"{1000 * hundredths[49]:.1f} ms, p99 {1000 * hundredths[98]:.1f} ms"

    def _latency(self, first: int, rate: float) -> Latency:
        shown = dict(
            self._target.rows(
                "select id, extract(epoch from pg_xact_commit_timestamp(xmin)) from orders where id >= %s",
                first,
            )
        )
        moments = [
            (float(written), float(ticked), float(shown.pop(number)))
            for numbers, written, ticked in self._source.rows(MOMENTS, first)
            for number in numbers
        ]
        assert not shown, f"{len(shown)} rows are of no event"
        return Latency(
            total=[visible - written for written, _ticked, visible in moments],
            tick=[ticked - written for written, ticked, _visible in moments],
            rest=[visible - ticked for _written, ticked, visible in moments],
            rate=rate,
        )


HEADINGS = (
    "| events/s | tick every | loop_delay | total p50 | p99 | until the tick p50 | p99 "
    "| from then on p50 | p99 | allowed | |"
)


def line(cell: Cell, found: Latency) -> str:
    """A row of the table, in milliseconds."""
    values = []
    for sample in (found.total, found.tick, found.rest):
        hundredths = statistics.quantiles(sample, n=100)
        values += [hundredths[49], hundredths[98]]
    allowed = cell.loop_delay + ALLOWANCE
    reached = "reached" if values[-1] <= allowed else "**missed**"
    shown = " | ".join(f"{1000 * value:.0f}" for value in (*values, allowed))
    delays = f"{1000 * cell.period:.0f} | {1000 * cell.loop_delay:.0f}"
    return f"| {found.rate:,.0f} | {delays} | {shown} | {reached} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, help="seconds that count of each (default: 20)")
    parser.add_argument("--quick", action="store_true", help="half a minute: two of the grid, shortly")
    parser.add_argument("--write", action="store_true", help="write the table into docs/performance.md")
    options = parser.parse_args()
    seconds = options.seconds or (4 if options.quick else 20)
    lines = [HEADINGS, "|" + "---|" * (HEADINGS.count("|") - 1)]
    print("\n".join(lines), flush=True)
    with ExitStack() as stack:
        box = stack.enter_context(Sandbox())
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="tdsup-bench-"))
        bench = stack.enter_context(closing(Bench(box)))
        made = stack.enter_context(fleet(Path(directory)))
        for cell in QUICK_GRID if options.quick else GRID:
            lines.append(line(cell, bench.run(cell, made, seconds)))
            print(lines[-1], flush=True)
        lines += ["", f"Milliseconds. A commit of one row alone, with its flush: median {bench.commit()}."]
    print("\n".join(lines[-2:]))
    if options.write:
        page.write({"latency": "\n".join([*lines, ""])})


if __name__ == "__main__":
    main()
