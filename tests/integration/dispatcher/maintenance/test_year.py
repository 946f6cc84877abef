"""A year of days passes: partitions are made ahead, old ones go, and rows come late."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from harness.rows.job import HostContext
from harness.servers.database import Database
from tdsup.dispatcher.maintenance import Care, Maintenance, Present
from tdsup.dispatcher.metrics import Tally
from tdsup.dispatcher.partitions import Lifespan, MissingTable, Partitioning, TableMaker, Tables, period_of
from tdsup.dispatcher.postgres import Connection, TableName

FIRST = date(2027, 1, 1)
AHEAD = 3

KINDS = {
    "native": "create table t (id int, day date) partition by range (day)",
    "beside a default": "create table t (id int, day date) partition by range (day); "
    "create table t_rest partition of t default",
    "inherited": "create table t (id int, day date)",
}


class Year:
    """The job's work on each day, by a clock of the test's own."""

    def __init__(self, connection: Connection, lifespan: Lifespan) -> None:
        partitioning = Partitioning(TableName("public", "t"), "day", "daily", "")
        self.care = Care(partitioning, lifespan, "UTC")
        self.connection, self.tally, self.context = connection, Tally(), HostContext()
        self.today = FIRST
        self.created = 0

    def present(self) -> Present:
        """Noon."""
        noon = datetime(self.today.year, self.today.month, self.today.day, 12, tzinfo=UTC).timestamp()
        return Present(noon, noon)

    def maintain(self) -> Maintenance:
        """One look, as that of a new process."""
        made = Maintenance(
            self.connection, lambda: [self.care], self.present, "job", self.context, self.tally
        )
        made.work(lambda: None)
        return made

    def load(self, day: date, count: int) -> None:
        """Rows of a day come, whose partition is made if need be."""
        tables = Tables(self.connection, self.care.partitioning)
        period = period_of(day.isoformat().encode(), "daily")
        with self.connection:
            place = tables.place(period)
        if place.table is None:
            missing = MissingTable(tables.name_for(period), period, (), place.gap)
            self.created += TableMaker(self.connection, tables, self.care.partitioning, "UTC").create(missing)
        with self.connection, self.connection.cursor() as cursor:
            named = self.care.partitioning.partition(period)
            cursor.execute(
                f"insert into {named.sql} select g, %s from generate_series(1, %s) g", [day, count]
            )


def names(target: Database) -> set[str]:
    """The partitions that there are, wherever."""
    return set(
        target.column(
            "select relname from pg_class where relkind = 'r' and relname ~ '^t_2' "
            "and relnamespace in ('public'::regnamespace, to_regnamespace('archive'))"
        )
    )


def expected(first: date, last: date) -> set[str]:
    """The names of the partitions from one day to another."""
    return {f"t_{first + timedelta(days=n):%Y_%m_%d}" for n in range((last - first).days + 1)}


@pytest.mark.parametrize(("kind", "days", "kept"), [("native", 365, 90), *((kind, 40, 15) for kind in KINDS)])
def test_a_year_of_days(target: Database, connection: Connection, kind: str, days: int, kept: int) -> None:
    """In the end there are exactly the days that are kept, today and those ahead; each was made ahead."""
    target.execute(KINDS[kind])
    year = Year(connection, Lifespan(AHEAD, f"{kept} days", "drop"))
    for number in range(days):
        year.today = FIRST + timedelta(days=number)
        assert not year.maintain().trouble
        assert f"t_{year.today + timedelta(days=AHEAD):%Y_%m_%d}" in names(target)
        year.load(year.today, 99 + (number % 10 > 0))
        if number % 10 == 0:
            # One row in a thousand comes late, and finds its day gone every other time.
            year.load(year.today - timedelta(days=kept // 2 if number % 20 else kept + 5), 1)
    assert not year.maintain().trouble
    first, last = year.today - timedelta(days=kept), year.today
    # A day goes when all of it, up to the next midnight, is older than that.
    assert names(target) == expected(first, last + timedelta(days=AHEAD))
    assert year.tally.premade == days + AHEAD
    assert year.tally.removed["drop"] == year.tally.premade + year.created - len(names(target))
    assert target.value("select min(day) from t") >= first
