"""A year of days passes: partitions are made ahead, old ones go, and rows come late."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tdsup.dispatcher.address import Address
from tdsup.dispatcher.maintenance import Care, Maintenance, Present
from tdsup.dispatcher.metrics import Tally
from tdsup.dispatcher.partitions import Lifespan, MissingTable, Partitioning, TableMaker, Tables, period_of
from tdsup.dispatcher.postgres import Connection, TableName, connected
from tdsup.sandbox import Sandbox

from harness.rows.job import HostContext
from harness.servers.database import Database

FIRST = date(2027, 1, 1)
AHEAD = 3

KEPT = 90
"""Most days for which partitions are kept."""

ROWS = 100
"""Of each day; one of every tenth day's comes late."""

KINDS = {
    "native": "create table t (id int, day date) partition by range (day)",
    "beside a default": "create table t (id int, day date) partition by range (day); "
    "create table t_rest partition of t default",
    "inherited": "create table t (id int, day date)",
}
"""What the table is."""


class Year:
    """The job's work on each day, by a clock of the trial's own.

    Args:
        target: the database.
        connection: to it, as jobs have.
        kind: of `KINDS`.
        kept: for how many days partitions are kept.
    """

    def __init__(self, target: Database, connection: Connection, kind: str, kept: int) -> None:
        target.execute(KINDS[kind])
        partitioning = Partitioning(TableName("public", "t"), "day", "daily", "")
        self._care = Care(partitioning, Lifespan(AHEAD, f"{kept} days", "drop"), "UTC")
        self._target, self._connection, self._kept = target, connection, kept
        self._tally, self._context = Tally(), HostContext()
        self._today = FIRST
        self._created = 0
        self._rows: Counter[date] = Counter()

    def run(self, days: int) -> str:
        """Let days pass; in the end there are exactly the days that are kept, today and those ahead."""
        late = 0
        for number in range(days):
            self._today = FIRST + timedelta(days=number)
            self._maintain()
            assert f"t_{self._today + timedelta(days=AHEAD):%Y_%m_%d}" in self._names()
            is_late = number % 10 == 0
            created = self._created
            self._load(self._today, ROWS - is_late)
            assert self._created == created, f"{self._today} was not made ahead"
            if is_late:
                # It finds its day gone every other time.
                late += 1
                before = self._kept // 2 if number % 20 else self._kept + 5
                self._load(self._today - timedelta(days=before), 1)
        self._maintain()
        self._check(days)
        return f"{days} days, {late} late rows, {self._tally.removed['drop']} partitions gone"

    def _check(self, days: int) -> None:
        # A day goes when all of it, up to the next midnight, is older than that.
        first = self._today - timedelta(days=self._kept)
        last = self._today + timedelta(days=AHEAD)
        left = {f"t_{first + timedelta(days=n):%Y_%m_%d}" for n in range((last - first).days + 1)}
        assert self._names() == left
        rows = dict(self._target.rows("select day, count(*) from t group by day"))
        assert rows == {day: count for day, count in self._rows.items() if day >= first}
        assert self._tally.premade == days + AHEAD
        assert self._tally.removed["drop"] == self._tally.premade + self._created - len(left)

    def _present(self) -> Present:
        """Noon."""
        noon = datetime(self._today.year, self._today.month, self._today.day, 12, tzinfo=UTC).timestamp()
        return Present(noon, noon)

    def _maintain(self) -> None:
        """One look, as that of a new process."""
        made = Maintenance(
            self._connection, lambda: [self._care], self._present, "job", self._context, self._tally
        )
        made.work(lambda: None)
        assert not made.trouble, made.trouble

    def _load(self, day: date, count: int) -> None:
        """Rows of a day come, whose partition is made if need be."""
        tables = Tables(self._connection, self._care.partitioning)
        period = period_of(day.isoformat().encode(), "daily")
        with self._connection:
            place = tables.place(period)
        if place.table is None:
            missing = MissingTable(tables.name_for(period), period, (), place.gap)
            self._created += TableMaker(self._connection, tables, self._care.partitioning, "UTC").create(
                missing
            )
        named = self._care.partitioning.partition(period).sql
        insert = f"insert into {named} select g, %s from generate_series(1, %s) g"
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(insert, [day, count])
        self._rows[day] += count

    def _names(self) -> set[str]:
        """The partitions that there are."""
        query = "select relname from pg_class where relkind = 'r' and relname ~ '^t_2'"
        return set(self._target.column(query))


def run(_directory: Path, times: int) -> str:
    """Of each kind of table, the partitions of a year are made ahead, kept, and gone, all on their days.

    Args:
        times: how many days; a quarter of them is kept, and no more than `KEPT`.
    """
    found = []
    with Sandbox() as box:
        for kind in KINDS:
            name = kind.replace(" ", "_")
            box.target.create_database(name)
            dsn = box.target.dsn(name)
            with closing(Database(dsn)) as target, connected(Address("target", dsn), "year") as connection:
                found.append(f"{kind}: {Year(target, connection, kind, min(times // 4, KEPT)).run(times)}")
    return "; ".join(found)
