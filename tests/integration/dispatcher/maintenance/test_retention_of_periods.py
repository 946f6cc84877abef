"""Partitions of hours, of zones, of numbers and with names of one's own are made, kept, and go in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from harness.rows.job import HostContext
from harness.servers.database import Database
from tdsup.dispatcher.maintenance import Care, Maintenance, Present
from tdsup.dispatcher.metrics import Tally
from tdsup.dispatcher.partitions import LateRow, Lifespan, MissingTable, Partitioning, Permit, Tables
from tdsup.dispatcher.postgres import Connection, TableName

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

KINDS = {
    "native": "create table t (id int, at {}) partition by range (at)",
    "beside a default": "create table t (id int, at {}) partition by range (at); "
    "create table rest partition of t default",
    "inherited": "create table t (id int, at {})",
    "alone": "create table t (id int, at {})",
}


@dataclass(frozen=True)
class Stretch:
    """A partition as it should be: its name, and the moments from which and up to which it has rows."""

    name: str
    start: datetime
    end: datetime


def stretches(first: datetime, last: datetime, named: Callable[[datetime], str]) -> list[Stretch]:
    """What clocks show from one moment to another, by what they call each quarter of an hour."""
    found: list[Stretch] = []
    now = first
    while now < last:
        if found and found[-1].name == named(now):
            found[-1] = Stretch(found[-1].name, found[-1].start, now + HOUR / 4)
        else:
            found.append(Stretch(named(now), now, now + HOUR / 4))
        now += HOUR / 4
    # The outer ones may be cut.
    return found[1:-1]


class Times:
    """The work between batches, as a clock of the test's own goes on."""

    def __init__(self, connection: Connection, kind: str, period: str, **how: Any) -> None:
        alone = {"kind": "alone"} if kind == "alone" else {}
        how = {"method": "daily", "template": "", **alone, **how}
        self._care = Care(
            Partitioning(TableName("public", "t"), "at", **how), Lifespan(1, period, "drop", limit=99), "UTC"
        )
        self._connection, self._context = connection, HostContext()

    def pass_to(self, now: datetime, behind: timedelta = timedelta()) -> None:
        """It is so late now, and the last batch is of so much earlier."""
        clock, applied = now.timestamp(), (now - behind).timestamp()
        made = Maintenance(
            self._connection,
            lambda: [self._care],
            lambda: Present(clock, applied),
            "job",
            self._context,
            Tally(),
        )
        made.work(lambda: None)
        assert not made.trouble, made.trouble


def partitions(target: Database) -> list[str]:
    """The names of partitions."""
    return target.column(
        "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' "
        "and relname not in ('t', 'rest')"
    )


def watch(
    target: Database,
    times: Times,
    wanted: Sequence[Stretch],
    moments: Sequence[datetime],
    horizon: Callable[[datetime], datetime],
) -> None:
    """At each moment there are those that are kept by then, from the first on, and the next one."""
    first = next(each for each in wanted if each.end > moments[0])
    for now in moments:
        times.pass_to(now)
        number = next(number for number, each in enumerate(wanted) if each.start <= now < each.end)
        kept = [
            each.name
            for each in wanted[: number + 2]
            if each.start >= first.start and each.end > horizon(now)
        ]
        assert sorted(partitions(target)) == sorted(kept), now


NIGHTS = {
    "clocks go back": ("Europe/Tallinn", datetime(2024, 10, 26, 20, 30, tzinfo=UTC)),
    "clocks go forward": ("Europe/Tallinn", datetime(2024, 3, 30, 20, 30, tzinfo=UTC)),
    "by half an hour": ("Australia/Lord_Howe", datetime(2024, 4, 6, 10, 45, tzinfo=UTC)),
    "no midnight": ("Africa/Cairo", datetime(2024, 4, 25, 18, 30, tzinfo=UTC)),
}
"""The zone, and a moment some hours before."""


@pytest.mark.parametrize("night", NIGHTS)
@pytest.mark.parametrize("kind", KINDS)
def test_hours_of_a_zone(target: Database, connection: Connection, kind: str, night: str) -> None:
    """An hour of retention has 60 minutes; an hour that clocks show twice is one partition, and ends once."""
    zone, first = NIGHTS[night]
    target.execute(KINDS[kind].format("timestamptz"))

    def named(now: datetime) -> str:
        return f"t_{now.astimezone(ZoneInfo(zone)):%Y_%m_%d_%H}"

    wanted = stretches(first.replace(minute=0) - 9 * HOUR, first.replace(minute=0) + DAY, named)
    moments = [first + number * HOUR for number in range(12)]
    times = Times(connection, kind, "3 hours", method="hourly", zone=zone)
    watch(target, times, wanted, moments, lambda now: now - 3 * HOUR)


@pytest.mark.parametrize("night", NIGHTS)
@pytest.mark.parametrize("kind", ["native", "inherited"])
def test_days_of_a_zone(target: Database, connection: Connection, kind: str, night: str) -> None:
    """A day of retention is one of the calendar, of 23 or 25 hours."""
    zone, first = NIGHTS[night]
    target.execute(KINDS[kind].format("timestamptz"))
    there = ZoneInfo(zone)

    def named(now: datetime) -> str:
        return f"t_{now.astimezone(there):%Y_%m_%d}"

    def horizon(now: datetime) -> datetime:
        before = now.astimezone(there).replace(tzinfo=None) - 2 * DAY
        return before.replace(tzinfo=there).astimezone(UTC)

    wanted = stretches(first.replace(minute=0) - 7 * DAY, first.replace(minute=0) + 7 * DAY, named)
    moments = [first - 2 * DAY + number * 11 * HOUR for number in range(12)]
    watch(target, Times(connection, kind, "2 days", zone=zone), wanted, moments, horizon)


@pytest.mark.parametrize("night", NIGHTS)
def test_late_hours_of_a_zone(target: Database, connection: Connection, night: str) -> None:
    """A row is late if retention would have let its hour go."""
    zone, first = NIGHTS[night]
    target.execute(KINDS["native"].format("timestamptz"))
    how = Partitioning(TableName("public", "t"), "at", "hourly", "", zone=zone)
    lifespan = Lifespan(0, "3 hours", "drop", late="dead_letter")
    periods, tables = how.periods("UTC"), Tables(connection, how)
    for now in (first + number * HOUR for number in range(12)):
        permit = Permit(tables, how, lifespan, now.timestamp())
        for each in (first + number * HOUR / 2 for number in range(-8, 24)):
            period = periods.at(each.timestamp())
            assert period.until is not None
            with connection:
                is_late = _is_late(permit, MissingTable(how.partition(period), period, ()))
            assert is_late == (period.until <= (now - 3 * HOUR).timestamp()), (now, each)


def _is_late(permit: Permit, missing: MissingTable) -> bool:
    try:
        permit.table(missing)
    except LateRow:
        return True
    return False


def test_hours_while_the_job_sleeps(target: Database, connection: Connection) -> None:
    """Ticks without events may be unread for an hour: partitions are made ahead of the clock."""
    target.execute(KINDS["native"].format("timestamptz"))
    times, behind = Times(connection, "native", "2 hours", method="hourly"), timedelta(minutes=50)
    for hour in range(4, 20):
        times.pass_to(datetime(2027, 1, 1, hour, 40, tzinfo=UTC), behind)
        # The last batch is of the hour before, and two hours before that the one before had not ended.
        kept = range(max(hour - 3, 3), hour + 2)
        assert sorted(partitions(target)) == [f"t_2027_01_01_{number:02}" for number in kept], hour


@pytest.mark.parametrize("unit", ["seconds", "milliseconds"])
@pytest.mark.parametrize("type_", ["bigint", "numeric", "float8"])
@pytest.mark.parametrize("kind", ["native", "alone"])
def test_days_of_numbers(target: Database, connection: Connection, kind: str, type_: str, unit: str) -> None:
    """Bounds that are numbers are moments of the zone's days."""
    target.execute(KINDS[kind].format(type_))
    zone, first = "America/New_York", datetime(2027, 3, 12, 16, 30, tzinfo=UTC)

    def named(now: datetime) -> str:
        return f"t_{now.astimezone(ZoneInfo(zone)):%Y_%m_%d}"

    wanted = stretches(first.replace(minute=0) - 7 * DAY, first.replace(minute=0) + 9 * DAY, named)
    times = Times(connection, kind, "48 hours", zone=zone, epoch=unit)
    moments = [first + number * 11 * HOUR for number in range(11)]
    watch(target, times, wanted, moments, lambda now: now - 2 * DAY)


NAMES = {
    "weekly": "%(parent)s from %(year)s-%(month)s-%(day)s",
    "monthly": "m%(month)s_%(year)s of %(parent)s",
    # A word twice, and a digit after it.
    "quarterly": "%(parent)s_q%(quarter)sof%(year)s-%(quarter)s0",
    "yearly": 'y%(year)s "%(parent)s"',
}


LONGEST = {"weekly": 7, "monthly": 31, "quarterly": 92, "yearly": 366}
"""Days of a period at most."""


@pytest.mark.parametrize("method", NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_names_of_ones_own(target: Database, connection: Connection, kind: str, method: str) -> None:
    """Partitions without bounds are known by the names that the file gives them."""
    target.execute(KINDS[kind].format("timestamp"))

    def start(now: datetime) -> datetime:
        day = now.replace(hour=0, minute=0)
        if method == "weekly":
            return day - day.weekday() * DAY
        months = {"monthly": 1, "quarterly": 3, "yearly": 12}[method]
        return day.replace(month=(day.month - 1) // months * months + 1, day=1)

    def named(now: datetime) -> str:
        first = start(now)
        quarter = (first.month + 2) // 3
        return NAMES[method] % {
            "parent": "t",
            "year": f"{first.year}",
            "month": f"{first.month:02}",
            "day": f"{first.day:02}",
            "quarter": quarter,
        }

    wanted = []
    now, longest = datetime(2024, 1, 1, tzinfo=UTC), LONGEST[method] * DAY
    while now.year < 2040:
        after = start(now + longest)
        wanted.append(Stretch(named(now), now, after))
        now = after
    step = longest * 0.6
    moments = [datetime(2027, 1, 2, 16, 30, tzinfo=UTC) + number * step for number in range(8)]
    times = Times(connection, kind, "21 days", method=method, name=NAMES[method])
    watch(target, times, wanted, moments, lambda now: now - 21 * DAY)
