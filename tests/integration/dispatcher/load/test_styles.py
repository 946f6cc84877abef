"""Times and money are what the producer meant, in whichever style its database or its role writes them.

psycopg2 sets DateStyle to ISO in each new session, so producers set it again.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from harness.rows.check import examined
from harness.rows.job import drain, job_keys
from harness.rows.pipeline import Pipeline, Table
from harness.servers.database import Database
from harness.servers.queue import Queue

COLUMNS = (
    "id int primary key, day date, at timestamp, atz timestamptz, clock timetz, gap interval, "
    "gaps interval[], span daterange, price money, note text"
)

DATE_STYLES = ["ISO, DMY", "German", "SQL, DMY", "SQL, MDY", "Postgres, DMY", "Postgres, MDY"]
INTERVAL_STYLES = ["postgres", "postgres_verbose", "sql_standard", "iso_8601"]

FILL = """
    insert into t
    select g, date '2026-01-01' + g, timestamp '2026-01-01 03:04:05.678' + g * interval '7 hours',
        timestamptz '2026-01-01 13:04:05+00' + g * interval '1 day 3 hours', '10:11:12.5+02',
        make_interval(%s, %s, 0, %s, %s, %s, %s), array[make_interval(0, 0, 0, -%s, 0, -%s), '-1 day'],
        daterange(date '2026-01-01' + g, date '2026-02-01' + g), g * 1234.5, '05/06/2026'
    from generate_series(%s::int, %s::int) g"""


def fill(producer: Database, first: int = 1, count: int = 120) -> None:
    """Insert rows with intervals of all signs."""
    rng = random.Random(first)  # noqa: S311 (the same values in every run)
    for number in range(first, first + count):
        parts = [rng.choice([-1, 0, 0, 1]) * rng.randint(1, 20) for _ in range(6)]
        producer.execute(FILL, *parts, rng.randint(0, 3), rng.randint(1, 90), number, number)


def set_for_database(database: Database, **settings: str) -> None:
    """Set what new sessions of a database begin with."""
    name = database.value("select current_database()")
    for setting, value in settings.items():
        database.execute(f"alter database \"{name}\" set {setting} = '{value}'")


def make(source: Database, target: Database, queue: Queue, columns: str = COLUMNS) -> dict[str, object]:
    """Make the table in both; returns keys of a job that loads it by day, whose consumer is registered."""
    for database in (source, target):
        database.execute(f"create table t ({columns})")
    queue.attach("t")
    keys = job_keys(source, target, part_field="day", part_limit=1000)
    drain(**keys)
    return keys


def rows(database: Database) -> list[tuple[Any, ...]]:
    """All rows, as the test's own session writes them."""
    database.execute(
        "set DateStyle = ISO; set IntervalStyle = postgres; set lc_monetary = 'C'; set TimeZone = UTC"
    )
    return database.rows("select t::text from t order by id")


@pytest.mark.parametrize(
    ("date_style", "interval_style"), list(zip(DATE_STYLES, INTERVAL_STYLES * 2, strict=False))
)
def test_values_arrive_in_every_style_of_the_database(
    source: Database, target: Database, queue: Queue, date_style: str, interval_style: str
) -> None:
    """Dates, times, intervals, arrays and ranges, routed to partitions and loaded; texts stay as they are."""
    set_for_database(
        source, DateStyle=date_style, IntervalStyle=interval_style, TimeZone="Europe/Berlin", lc_monetary="C"
    )
    set_for_database(target, IntervalStyle="iso_8601", DateStyle="German")
    keys = make(source, target, queue)
    with source.another() as producer:
        producer.execute(f"set DateStyle = {date_style}")
        fill(producer)
        producer.execute("update t set at = at + interval '1 minute', day = day + 1 where id % 10 = 0")
        producer.execute("delete from t where id % 10 = 1")
    queue.tick()
    values = drain(**keys)
    assert values["dead_letters"] == 0
    assert rows(target) == rows(source)
    where = "select id, day from t where tableoid::regclass::text <> 't_' || to_char(day, 'YYYY_MM_DD')"
    assert target.rows(where) == []


def by_role(source: Database, role: str) -> None:
    """Let a role write as sql_standard does."""
    source.execute(
        f"alter role {role} set IntervalStyle = sql_standard; alter role {role} set DateStyle = 'SQL, DMY'"
    )


@pytest.fixture
def role(source: Database) -> Any:
    """A role that may insert into ``t``."""
    name = "producer_" + source.value("select current_database()").replace("-", "_")
    source.execute(f'create role "{name}"')
    yield f'"{name}"'
    source.execute(f'drop owned by "{name}"; drop role "{name}"')


def test_a_role_s_own_style_is_followed(source: Database, target: Database, queue: Queue, role: str) -> None:
    """What the server says of roles counts, and the check tells of it."""
    by_role(source, role)
    keys = make(source, target, queue)
    with source.another() as producer:
        fill(producer)
        producer.execute("set DateStyle = 'SQL, DMY'; set IntervalStyle = sql_standard")
        fill(producer, 200)
    queue.tick()
    assert drain(**keys)["dead_letters"] == 0
    assert rows(target) == rows(source)
    notes, _faults = examined(keys)
    told = "\n".join(notes)
    assert "dates are read as the source writes them: DateStyle SQL, DMY" in told
    assert "IntervalStyle sql_standard; roles differ: postgres, sql_standard" in told


def test_roles_that_differ_leave_dates_to_dead_letters(
    source: Database, target: Database, queue: Queue, role: str
) -> None:
    """Day and month are never guessed; `date_style` decides."""
    by_role(source, role)
    set_for_database(source, DateStyle="SQL, MDY")
    keys = make(source, target, queue)
    with source.another() as producer:
        producer.execute("set DateStyle = SQL, MDY")
        producer.execute("insert into t (id, day) values (1, '2026-05-06')")
    queue.tick()
    assert drain(**keys)["dead_letters"] == 1
    assert any("roles differ (SQL, MDY; SQL, DMY); date_style decides" in note for note in examined(keys)[0])
    with source.another() as producer:
        producer.execute("set DateStyle = SQL, MDY")
        producer.execute("insert into t (id, day) values (2, '2026-05-06')")
    queue.tick()
    drain(**keys, date_style="SQL, MDY")
    assert target.rows("select id, day::text from t") == [(2, "2026-05-06")]


@pytest.mark.parametrize("way", ["blocks", "rows"])
def test_a_sign_that_two_styles_read_differently(
    source: Database, target: Database, queue: Queue, way: str
) -> None:
    """A producer's own style is not guessed: its interval is a dead letter until `interval_style` says so."""
    keys = make(source, target, queue)
    with source.another() as producer:
        producer.execute("set IntervalStyle = sql_standard")
        producer.execute("insert into t (id, day, gap) values (1, '2026-05-06', '-1 day -02:03:04')")
        producer.execute("insert into t (id, day, gaps) values (2, '2026-05-06', '{1 day,-1 day -02:03:04}')")
        producer.execute("insert into t (id, day, gap) values (3, '2026-05-06', '-1 day +02:03:04')")
        producer.execute("insert into t (id, day, note) values (4, '2026-05-06', '-1 2:03:04')")
        if way == "rows":
            producer.execute("update t set note = 'x' where id = 3")
    queue.tick()
    drain(**keys)
    reasons = target.column("select reason from tdsup.dead_letter order by ev_id")
    assert reasons[0].startswith("its interval begins with a sign as IntervalStyle sql_standard writes it")
    assert reasons[0].endswith(": '-1 2:03:04'")
    assert len(reasons) == 2
    assert target.column("select id from t order by id") == [3, 4]
    with source.another() as producer:
        producer.execute("set IntervalStyle = sql_standard")
        producer.execute("insert into t (id, day, gap) values (5, '2026-05-06', '-1 day -02:03:04')")
    queue.tick()
    drain(**keys, interval_style="sql_standard")
    assert target.value("select gap::text from t where id = 5") == "-1 days -02:03:04"


def test_own_texts_are_read_as_the_database_reads_them(
    source: Database, target: Database, queue: Queue
) -> None:
    """An interval in words means what the source's own style makes of it."""
    keys = make(source, target, queue)
    row = "id={}&day=2026-05-06&gap=-1+day+02%3a03%3a04"
    queue.send(row.format(1))
    drain(**keys)
    assert target.value("select gap::text from t") == "-1 days +02:03:04"
    set_for_database(source, IntervalStyle="sql_standard")
    queue.send(row.format(2))
    drain(**keys)
    assert target.value("select gap::text from t where id = 2") == "-1 days -02:03:04"


def test_an_abbreviation_of_a_time_zone_is_the_source_s(
    source: Database, target: Database, queue: Queue
) -> None:
    """IST is India's time there, and never becomes Israel's."""
    set_for_database(source, DateStyle="SQL, DMY", TimeZone="Asia/Kolkata")
    keys = make(source, target, queue)
    # What the job's own session has says nothing of the producers'.
    keys["src_db"] = f"{keys['src_db']} options='-c TimeZone=UTC'"
    with source.another() as producer:
        producer.execute("set DateStyle = SQL, DMY")
        producer.execute("insert into t (id, day, atz) values (1, '2026-05-06', '2026-05-06 12:00+05:30')")
        producer.execute("insert into t (id, day, note) values (2, '2026-05-06', 'IST')")
    queue.tick()
    drain(**keys)
    arrived = target.rows("select id, extract(epoch from atz)::int8 from t order by id")
    reasons = target.column("select reason from tdsup.dead_letter")
    if reasons:
        assert arrived == [(2, None)]
        assert reasons[0].startswith("its time zone may be IST, which the target takes for another one")
    else:
        assert arrived == [(1, 1778049000), (2, None)]


def test_money_of_a_locale_that_the_target_lacks(source: Database, target: Database, queue: Queue) -> None:
    """It is not read by another locale's rules."""
    keys = make(source, target, queue)
    name = source.value("select current_database()")
    source.execute(
        "insert into pg_db_role_setting (setdatabase, setrole, setconfig) "
        f"select oid, 0, '{{lc_monetary=xx_XX.utf8}}' from pg_database where datname = '{name}'"
    )
    try:
        queue.send("id=1&day=2026-05-06&price=1.000%2c00", "id=2&day=2026-05-06&note=1")
        drain(**keys)
    finally:
        source.execute("delete from pg_db_role_setting where '{lc_monetary=xx_XX.utf8}' = setconfig")
    assert target.column("select id from t") == [2]
    (reason,) = target.column("select reason from tdsup.dead_letter")
    assert "lc_monetary = xx_XX.utf8, which the target's server does not have" in reason


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("date_style", "french", "must be a DateStyle of PostgreSQL"),
        ("interval_style", "sql", "must be one of postgres, postgres_verbose, sql_standard, iso_8601"),
    ],
)
def test_a_style_that_there_is_not(
    queue: Queue, target: Database, key: str, value: str, message: str
) -> None:
    """It is refused with the words that are known."""
    with pytest.raises(ValueError, match=message):
        Pipeline(queue, target, Table()).drain(**{key: value})
