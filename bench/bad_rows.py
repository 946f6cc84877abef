"""What it costs to find bad rows: by the line that COPY names, or by halving.

Every round loads the same rows both ways through the dispatcher's buffers. Ratios compare with as many good
rows, loaded with the same care.
"""

from __future__ import annotations

import argparse
import statistics
import time
from unittest import mock

import psycopg2
from psycopg2.extensions import connection as Connection
from tdsup.dispatcher.events.event import COLUMNS, Event
from tdsup.dispatcher.load.buffers import Buffers
from tdsup.dispatcher.load.outcome import Outcome
from tdsup.dispatcher.postgres import copytext
from tdsup.dispatcher.postgres.identifier import TableName
from tdsup.dispatcher.route import Shape, WritePlan
from tdsup.dispatcher.route.routes import Routed
from tdsup.dispatcher.write import refusal
from tdsup.dispatcher.write.writer import Insert
from tdsup.sandbox import Sandbox

EVENT = Event.from_line(copytext.line([b"1", *[None] * (len(COLUMNS) - 1)]))

SHAPE = Shape(Insert, None, (b"id", b"n", b"note"))

PLAN = WritePlan(Insert(TableName("public", "orders"), ("id", "n", "note")), None, names_rows=False)


def load(connection: Connection, rows: int, every: int) -> tuple[float, int]:
    """Load rows of which one in `every` is bad (0: none); returns the seconds, and how many were found."""
    bad: list[Event] = []
    with connection, connection.cursor() as cursor:
        cursor.execute("truncate orders")
        reject = bad.append
        buffers = Buffers(
            cursor, Outcome(), lambda event, _reason, _state: reject(event), 16 << 20, lambda _line: None
        )
        buffer = buffers.make(0, SHAPE, PLAN)
        started = time.perf_counter()
        for number in range(rows):
            n = b"x" if every and number % every == every // 2 else b"1"
            buffers.add(buffer, EVENT, Routed(SHAPE, [b"%d" % number, n, b"note of order"]), ())
        buffers.flush()
        return time.perf_counter() - started, len(bad)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds (default: 5)")
    parser.add_argument("--rows", type=int, default=50_000, help="rows a load (default: 50000)")
    options = parser.parse_args()
    with Sandbox() as box:
        connection = psycopg2.connect(box.target.dsn("postgres"))
        with connection, connection.cursor() as cursor:
            cursor.execute("create table orders (id bigint primary key, n int, note text)")
        print(
            f"{options.rows} rows, medians of {options.rounds} rounds: seconds, and times those of good rows"
        )
        for every in (10, 100, 1000):
            times: dict[str, list[float]] = {"good": [], "line": [], "halving": []}
            for _ in range(options.rounds):
                times["good"].append(load(connection, options.rows, 0)[0])
                seconds, found = load(connection, options.rows, every)
                assert found == options.rows // every
                times["line"].append(seconds)
                with mock.patch.object(refusal, "row_of", return_value=None):
                    seconds, found = load(connection, options.rows, every)
                assert found == options.rows // every
                times["halving"].append(seconds)
            good = statistics.median(times["good"])
            told = ", ".join(
                f"{name} {statistics.median(found):.2f} s ({statistics.median(found) / good:.1f})"
                for name, found in times.items()
            )
            print(f"1 bad in {every}: {told}")
        connection.close()


if __name__ == "__main__":
    main()
