"""The demo's three tables: a load in the source, and a count of what arrives in the target."""

from __future__ import annotations

import time
from dataclasses import dataclass

import psycopg2
from psycopg2.extensions import connection as Connection
from tdsup.sandbox import Sandbox

SOURCE, TARGET = "shop", "archive"
"""The databases."""


@dataclass(frozen=True)
class Table:
    """One table of the load; its job and its queue have the same name.

    Attributes:
        name: of all three.
        source: columns in the source.
        target: statements that create the parent in the target.
        values: the row with number g.
    """

    name: str
    source: str
    target: str
    values: str


TABLES = (
    Table(
        "orders",
        "id int primary key, order_date timestamp, customer_name text, note text",
        "create role reporting; create table orders (id int, order_date timestamp, customer_name text)",
        "g, localtimestamp - g %% 3 * interval '1 day', 'customer ' || g %% 100, 'ü & co.'",
    ),
    Table(
        "clicks",
        "id bigint primary key, clicked_at timestamptz, url text",
        "create table clicks (id bigint, clicked_at timestamptz, page text, primary key (id, clicked_at)) "
        "partition by range (clicked_at)",
        "g, now() - g %% 2 * interval '1 month', '/page?item=' || g",
    ),
    Table(
        "payments",
        "id int primary key, payer text, amount numeric(10, 2)",
        "create table payments (id int, payer text, amount numeric(10, 2))",
        "g, 'payer ' || g %% 50, g / 100.0",
    ),
)


class Shop:
    """The source with its load, and the target to compare with it."""

    def __init__(self, box: Sandbox, rate: float) -> None:
        self._rate = rate
        self._made = 0
        self._began = time.monotonic()
        box.source.create_database(SOURCE)
        box.target.create_database(TARGET)
        self._source = _connect(box.source.dsn(SOURCE))
        self._target = _connect(box.target.dsn(TARGET))
        for table in TABLES:
            _execute(self._target, table.target)
            _execute(self._source, f"create table {table.name} ({table.source})")
            _execute(self._source, f"select pgq.create_queue('{table.name}')")
            _execute(
                self._source,
                f"create trigger queue after insert on {table.name} "
                f"for each row execute function pgq.logutriga('{table.name}')",
            )

    def close(self) -> None:
        """Close both connections."""
        self._source.close()
        self._target.close()

    def begin(self) -> None:
        """Start the load now, or go on with it."""
        self._began = time.monotonic() - self._made / self._rate

    def work(self) -> None:
        """Insert as many rows as are due."""
        due = int((time.monotonic() - self._began) * self._rate)
        for table in TABLES:
            query = f"insert into {table.name} select {table.values} from generate_series(%s, %s) g"
            _execute(self._source, query, self._made + 1, due)
        self._made = due

    def arrived(self) -> int:
        """Rows in the target."""
        return sum(_value(self._target, f"select count(*) from {table.name}") for table in TABLES)

    @property
    def sent(self) -> int:
        """Rows in the source."""
        return self._made * len(TABLES)

    def count(self, table: Table) -> tuple[int, int, int, int]:
        """Events in the source, rows in the target, lost and doubled ones; compares the ids."""
        sent = set(_column(self._source, f"select id from {table.name}"))
        rows = _column(self._target, f"select id from {table.name}")
        return len(sent), len(rows), len(sent - set(rows)), len(rows) - len(set(rows))


def _connect(dsn: str) -> Connection:
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    return connection


def _execute(connection: Connection, statement: str, *parameters: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)


def _column(connection: Connection, query: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [row[0] for row in cursor.fetchall()]


def _value(connection: Connection, query: str) -> int:
    return _column(connection, query)[0]
