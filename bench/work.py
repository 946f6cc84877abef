"""Instructions that a worker executes for one event, next to those of a loop of plain Python.

Wall time and CPU seconds depend on the machine and its load; instructions hardly do. The worker is the
installed program, which drains a queue of a real server under valgrind. Each figure is the difference of two
runs, one over twice as many events as the other, so that start and end cancel out. Dividing it by the loop's
figure removes most of what depends on the build of Python. Exits 1 if a figure is not what is committed here.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2.extensions import cursor as Cursor
from tdsup.sandbox import Sandbox

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from harness.measure.bound import Bound, Verdict

INSERT = (
    "insert into orders select g, timestamp '2026-11-01' + g %% 7 * interval '1 day', g %% 1000, g / 100.0, "
    "'shipped', 'note of order number ' || g from generate_series(%s, %s) g"
)

UPDATE = "update orders set status = 'returned' where id between %s and %s"


@dataclass(frozen=True, slots=True)
class Case:
    """Events of one kind, loaded in one way.

    Attributes:
        name: for people.
        decoder: which one is used.
        statement: makes the events, with ids from %s to %s.
        events: of the smaller run.
        alone: whether each event is a batch; otherwise all are one batch.
        keyed: whether the target has unique indexes; without one, changes are for the row path.
        bound: instructions of an event, in turns of the loop.
    """

    name: str
    decoder: str
    statement: str
    events: int
    alone: bool
    bound: Bound
    keyed: bool = True


CASES = (
    Case("compiled", "compiled", INSERT, 30_000, False, Bound(1.475)),
    Case("pure", "pure", INSERT, 5_000, False, Bound(52)),
    Case("update", "compiled", UPDATE, 30_000, False, Bound(2.21)),
    Case("one_by_one", "compiled", UPDATE, 1_000, False, Bound(75), keyed=False),
    Case("batch_each", "compiled", INSERT, 50, True, Bound(475)),
)
"""The committed figures: between those of Debian's Python 3.11, and of one built without optimizing."""

PYTHON = (3, 11)
"""The version that they are of: in others some are more than the margin off."""

COLUMNS = "id bigint primary key, created timestamp, customer int, amount numeric, status text, note text"

DAYS = 7

TURNS = 20_000
"""Of the loop's smaller run."""

VALGRIND = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
"""The quickest of its tools that count instructions."""

COUNTED = Path(__file__).with_name("counted.py")


@dataclass(frozen=True, slots=True)
class Run:
    """One size of a case: a queue, a job and a table with the same name."""

    case: Case
    events: int

    @property
    def name(self) -> str:
        """The name of all three."""
        return f"{self.case.name}_{self.events}"

    def fill(self, cursor: Cursor) -> None:
        """Make the queue with its events on the source."""
        cursor.execute(f"drop table if exists orders; create table orders ({COLUMNS})")
        if self.case.statement == UPDATE:
            cursor.execute(INSERT, (1, self.events))
        cursor.execute("select pgq.create_queue(%s), pgq.register_consumer(%s, %s)", (self.name,) * 3)
        cursor.execute("select pgq.set_queue_config(%s, 'ticker_max_count', '1')", (self.name,))
        cursor.execute(
            "create trigger queue after insert or update on orders "
            f"for each row execute function pgq.logutriga('{self.name}')"
        )
        size = 1 if self.case.alone else self.events
        for first in range(1, self.events + 1, size):
            cursor.execute(self.case.statement, (first, first + size - 1))
            cursor.execute("select pgq.ticker(%s)", (self.name,))

    def make_table(self, cursor: Cursor) -> None:
        """Create the table on the target, with its partitions and the rows that will be updated."""
        cursor.execute(f"create table {self.name} ({COLUMNS})")
        for day in range(DAYS):
            partition = f"{self.name}_2026_11_{day + 1:02}"
            key = "primary key (id)" if self.case.keyed else ""
            cursor.execute(f"create table {partition} ({key}) inherits ({self.name})")
            if self.case.statement == UPDATE:
                cursor.execute(
                    f"insert into {partition} select g, timestamp '2026-11-01' + interval '{day} day' "
                    f"from generate_series({day or DAYS}, {self.events}, {DAYS}) g"
                )

    def check(self, cursor: Cursor) -> None:
        """Check that each event had its effect."""
        status = "returned" if self.case.statement == UPDATE else "shipped"
        cursor.execute(f"select count(*) from {self.name} where status = '{status}'")
        (rows,) = cursor.fetchone() or (0,)
        assert rows == self.events, f"{self.name}: {rows} of {self.events} rows"

    def job(self, directory: Path, source: str, target: str) -> str:
        """Write the job's file; returns its path."""
        path = directory / f"{self.name}.ini"
        keys = {
            "job_name": self.name,
            "src_db": source,
            "dst_db": target,
            "pgq_queue_name": self.name,
            "dest_table": self.name,
            "part_field": "created",
            "row_mode": "plain",
            "loop_delay": "0",
            "merge_events": "0",
            "start": "registered",
        }
        lines = [f"{key} = {value}\n" for key, value in keys.items()]
        path.write_text("".join(["[table_dispatcher]\n", *lines]), encoding="utf-8")
        return str(path)


def count(decoder: str, runs: list[str]) -> dict[str, int]:
    """Instructions of each run, as bench/counted.py knows it, all with one start.

    Raises:
        RuntimeError: one failed; the message is what it said.
    """
    done = subprocess.run(  # noqa: S603 (our own program)
        [*VALGRIND, sys.executable, COUNTED, decoder, *runs],
        # Hashes decide how often names collide in dicts.
        env={"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"cannot count instructions: {done.stderr}")
    said = re.findall(r"^==(\d+)== I +refs: +([\d,]+)$", done.stderr, re.MULTILINE)
    counts = {pid: int(digits.replace(",", "")) for pid, digits in said}
    processes = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    return {run: counts[pid] for pid, run in processes.items()}


def measure(box: Sandbox, directory: Path) -> tuple[float, dict[Case, float]]:
    """Instructions of a turn of the loop, and of an event of each case."""
    # Ticks are made here, so that each holds what it is meant to hold.
    box.ticker.stop()
    box.source.create_database("bench")
    box.target.create_database("bench")
    dsns = box.source.dsn("bench"), box.target.dsn("bench")
    source, target = (psycopg2.connect(dsn) for dsn in dsns)
    source.autocommit = target.autocommit = True
    runs = [Run(case, size) for case in CASES for size in (case.events, 2 * case.events)]
    with source.cursor() as queues, target.cursor() as tables:
        for run in runs:
            run.fill(queues)
            run.make_table(tables)
        jobs = {run: run.job(directory, *dsns) for run in runs}
        groups = {"compiled": [str(TURNS), str(2 * TURNS)], "pure": []}
        for run, job in jobs.items():
            groups[run.case.decoder].append(job)
        with ThreadPoolExecutor() as pool:
            counted = list(pool.map(count, groups.keys(), groups.values()))
        for run in runs:
            run.check(tables)
    source.close()
    target.close()
    counts = {run: number for group in counted for run, number in group.items()}
    loop = (counts[str(2 * TURNS)] - counts[str(TURNS)]) / TURNS
    work = {}
    for small, large in zip(runs[::2], runs[1::2], strict=True):
        work[small.case] = (counts[jobs[large]] - counts[jobs[small]]) / small.events
    return loop, work


def main() -> int:
    """Measure, print and judge."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None).parse_args()
    with Sandbox() as box, tempfile.TemporaryDirectory(prefix="tdsup-bench-") as name:
        loop, work = measure(box, Path(name))
    print(f"a turn of the loop: {loop:,.0f} instructions")
    print(f"{'an event':<10} {'instructions':>12} {'of the loop':>11} {'committed':>9}  verdict")
    verdicts = []
    for case, instructions in work.items():
        ratio = instructions / loop
        verdicts.append(case.bound.judge(ratio))
        print(
            f"{case.name:<10} {instructions:>12,.0f} {ratio:>11.3f} {case.bound.committed:>9.3f}  "
            f"{verdicts[-1].value}"
        )
    if sys.version_info[:2] != PYTHON:
        print(f"the committed figures are of Python {'.'.join(map(str, PYTHON))}: this run tells nothing")
        return 0
    return int(any(verdict is not Verdict.GOOD for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())
