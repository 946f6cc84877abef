"""Rows of natively partitioned tables go where PostgreSQL would put them, whoever has made the partitions."""

from __future__ import annotations

import pytest
from harness.rows.check import fine
from harness.rows.job import Keys, drain, job_keys
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.address import Address
from tdsup.dispatcher.errors import SetupError
from tdsup.dispatcher.partitions import MissingTable, Partitioning, TableMaker, Tables, period_of
from tdsup.dispatcher.postgres import TableName, connected

DATES = "create table t (id int, day date, note text, primary key (id, day)) partition by range (day)"
MOMENTS = (
    "create table t (id int, day timestamptz, note text, primary key (id, day)) partition by range (day)"
)


@pytest.fixture
def keys(source: Database, target: Database, queue: Queue) -> Keys:
    """Keys of a job that loads by day; times of the source are Berlin's."""
    name = source.value("select current_database()")
    source.execute(f"alter database \"{name}\" set TimeZone = 'Europe/Berlin'")
    return job_keys(source, target, part_field="day", queue=queue.name)


def load(queue: Queue, keys: Keys, *days: str) -> int:
    """Send a row for each day, and load them; returns the number of dead letters."""
    drain(**keys)
    for number, day in enumerate(days, 1):
        queue.send(f"id={number}&day={day.replace('+', '%2b')}&note=x", tick=False)
    queue.tick()
    dead: int = drain(**keys)["dead_letters"]
    return dead


def where(target: Database) -> list[tuple[int, str]]:
    """The partition of each row."""
    return target.rows("select id, tableoid::regclass::text from t order by id")


def test_a_default_partition_that_holds_rows_of_the_day(queue: Queue, target: Database, keys: Keys) -> None:
    """It takes the new ones too; other days get a partition."""
    target.execute(f"{DATES}; create table rest partition of t default")
    target.execute("insert into t values (9, '2026-11-24', 'old')")
    assert load(queue, keys, "2026-11-24", "2026-11-25") == 0
    assert where(target) == [(1, "rest"), (2, "t_2026_11_25"), (9, "rest")]


def test_a_default_partition_that_is_filled_meanwhile(queue: Queue, target: Database, keys: Keys) -> None:
    """A second job, with a row of a day that has come into the default partition since the first one."""
    target.execute(f"{DATES}; create table rest partition of t default")
    assert load(queue, keys, "2026-11-24") == 0
    target.execute("insert into t values (9, '2026-11-26', 'new')")
    queue.send("id=3&day=2026-11-26&note=x")
    assert drain(**keys)["dead_letters"] == 0
    assert where(target) == [(1, "t_2026_11_24"), (3, "rest"), (9, "rest")]


def test_partitions_made_by_others(queue: Queue, target: Database, keys: Keys) -> None:
    """By their bounds, whatever they are called: a month by hand, a day by pg_partman; gaps are filled."""
    target.execute(
        f"{DATES}; create table november partition of t for values from ('2026-11-01') to ('2026-11-20'); "
        "create table t_p20261124 partition of t for values from ('2026-11-24') to ('2026-11-25'); "
        "create table later partition of t for values from ('2027-01-01') to (maxvalue)"
    )
    assert load(queue, keys, "2026-11-05", "2026-11-24", "2026-11-25", "2030-01-01") == 0
    assert where(target) == [(1, "november"), (2, "t_p20261124"), (3, "t_2026_11_25"), (4, "later")]


def test_bounds_of_another_zone(queue: Queue, target: Database, keys: Keys) -> None:
    """A day of the source lies in two days of theirs: each row goes where it belongs; the gap is filled."""
    target.execute(f"set TimeZone = 'UTC'; {MOMENTS}")
    for day in (23, 24):
        target.execute(
            f"create table t_2026_11_{day} partition of t "
            f"for values from ('2026-11-{day}') to ('2026-11-{day + 1}')"
        )
    days = [
        "2026-11-24 00:30:00+01",
        "2026-11-24 12:00:00+01",
        "2026-11-25 00:30:00+01",
        "2026-11-25 12:00:00+01",
    ]
    assert load(queue, keys, *days) == 0
    assert where(target) == [
        (1, "t_2026_11_23"),
        (2, "t_2026_11_24"),
        (3, "t_2026_11_24"),
        (4, "t_2026_11_25"),
    ]
    bounds = "select pg_get_expr(relpartbound, oid) from pg_class where relname = 't_2026_11_25'"
    assert target.value(bounds) == "FOR VALUES FROM ('2026-11-25 00:00:00+00') TO ('2026-11-25 23:00:00+00')"


def test_a_producer_in_another_zone(queue: Queue, target: Database, keys: Keys) -> None:
    """Its row goes to the day of its moment, which is made if need be."""
    target.execute(MOMENTS)
    assert load(queue, keys, "2026-11-24 23:30:00-08", "2026-11-24 12:00:00+01") == 0
    assert where(target) == [(1, "t_2026_11_25"), (2, "t_2026_11_24")]


def test_a_day_that_lies_partly_in_a_neighbour(queue: Queue, target: Database, keys: Keys) -> None:
    """A partition by hand ends at noon: the rest of the day gets its own, even if the name is taken."""
    times = MOMENTS.replace("timestamptz", "timestamp")
    target.execute(
        f"{times}; create table t_2026_11_24 partition of t "
        "for values from ('2026-11-20') to ('2026-11-24 12:00')"
    )
    assert load(queue, keys, "2026-11-24 10:00:00", "2026-11-24 13:00:00") == 0
    assert where(target) == [(1, "t_2026_11_24"), (2, "t_2026_11_24_rest")]


def test_a_month_with_gaps_between_days(queue: Queue, target: Database, keys: Keys) -> None:
    """After a change from days to months, each gap of the month gets a partition, and each its own name."""
    weekdays = (day for day in range(2, 28) if day % 7 not in {0, 1})
    target.execute(
        DATES
        + "".join(
            f"; create table t_2026_11_{day:02} partition of t "
            f"for values from ('2026-11-{day:02}') to ('2026-11-{day + 1:02}')"
            for day in weekdays
        )
    )
    keys = {**keys, "part_method": "monthly"}
    assert load(queue, keys, "2026-11-30", "2026-11-01", "2026-11-14", "2026-11-27") == 0
    assert where(target) == [
        (1, "t_2026_11_rest_2026_11_28"),
        (2, "t_2026_11"),
        (3, "t_2026_11_rest_2026_11_14"),
        (4, "t_2026_11_27"),
    ]


def test_a_month_with_many_gaps(queue: Queue, target: Database, keys: Keys) -> None:
    """Each is seen when the one before it is filled: all are, for one batch."""
    parts = "".join(
        f"create table p{day} partition of t for values from ('2026-10-{day}') to ('2026-10-{day + 1}');"
        for day in range(2, 29, 2)
    )
    target.execute(f"{DATES}; {parts}")
    keys = {**keys, "part_method": "monthly"}
    assert load(queue, keys, *(f"2026-10-{day:02}" for day in range(1, 32))) == 0
    assert target.value("select count(distinct tableoid) from t") == 29
    assert target.value("select count(*) from t") == 31


@pytest.mark.parametrize(
    "by", ["list (note)", "hash (id)", "range (id)", "range (day, id)", "range ((day + 1))"]
)
def test_tables_that_are_partitioned_otherwise(queue: Queue, target: Database, keys: Keys, by: str) -> None:
    """PostgreSQL routes the rows; those without a partition are dead letters."""
    part = {"list": "in ('x')", "hash": "with (modulus 1, remainder 0)"}.get(by.split()[0], "")
    if not part:
        low, high = {"range (id)": ("0", "2"), "range (day, id)": ("'2026-11-24', 0", "'2026-11-24', 2")}.get(
            by, ("'2026-11-25'", "'2026-11-26'")
        )
        part = f"from ({low}) to ({high})"
    target.execute(f"create table t (id int, day date, note text) partition by {by}")
    target.execute(f"create table part partition of t for values {part}")
    assert load(queue, keys, "2026-11-24", "2026-11-25") == (1 if "range" in by else 0)
    assert where(target)[0] == (1, "part")


def test_a_table_that_is_partitioned_by_another_time(queue: Queue, target: Database, keys: Keys) -> None:
    """A partition for the range of the time would have the bounds of the other one: none is made."""
    target.execute(
        "create table t (id int, day date, made date) partition by range (made); "
        "create table part partition of t for values from ('2026-11-01') to ('2026-12-01')"
    )
    keys = {**keys, "part_template": ""}
    drain(**keys)
    queue.send("id=1&day=2026-10-24&made=2026-11-03", tick=False)
    queue.send("id=2&day=2026-11-24&made=2026-12-03")
    assert "is partitioned by RANGE (made), and not by the time that part_field tells" in fine(keys)
    assert drain(**keys)["dead_letters"] == 1
    assert where(target) == [(1, "part")]
    assert target.value("select count(*) from pg_inherits") == 1


def test_a_partition_that_another_job_has_just_made(target: Database) -> None:
    """It is used, though it was missing a moment ago."""
    target.execute("create table t (id int, day date)")
    partitioning = Partitioning(TableName("public", "t"), "day", "daily", "")
    period = period_of(b"2026-11-24", "daily")
    with connected(Address("target", target.dsn), "test") as connection:
        tables = Tables(connection, partitioning)
        maker = TableMaker(connection, tables, partitioning, "UTC")
        with connection:
            assert tables.place(period).table is None
        target.execute("create table t_2026_11_24 () inherits (t)")
        named = TableName("public", "t_2026_11_24")
        assert not maker.create(MissingTable(named, period, ()))
        with connection:
            assert tables.place(period).table == named


def test_a_role_that_may_make_none(queue: Queue, target: Database, source: Database, keys: Keys) -> None:
    """With a default partition its rows go there; without one the job is blocked, and says what it lacks."""
    name = "loader_" + target.value("select current_database()")
    target.execute(f"create role {name} login; {DATES}; grant all on t to {name}")
    target.execute(f"grant create on database {target.value('select current_database()')} to {name}")
    mine = {**keys, "dst_db": target.dsn.replace("user=postgres", f"user={name}")}
    try:
        drain(**mine)
        queue.send("id=1&day=2026-11-24&note=x")
        with pytest.raises(SetupError, match=r"cannot create table public\.t_2026_11_24: permission denied"):
            drain(**mine)
        target.execute("create table rest partition of t default")
        assert drain(**mine)["dead_letters"] == 0
        assert where(target) == [(1, "rest")]
    finally:
        target.execute(f"drop owned by {name} cascade; drop role {name}")


def test_a_column_that_a_primary_key_only_includes(target: Database) -> None:
    """It is no key there: its values are equal as its own unique index has it."""
    target.execute(
        "create type pair as (a int, b int); create table t (id int, p pair, primary key (id) include (p)); "
        "create unique index on t (p record_image_ops)"
    )
    with connected(Address("target", target.dsn), "test") as connection:
        named = TableName("public", "t")
        columns = Tables(connection, Partitioning(named, "", "daily", "")).columns(named)
    assert columns["p"].equals == "operator(pg_catalog.*=)"
