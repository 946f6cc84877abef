"""Partitions by hours, zones, numbers and the times of batches."""

from __future__ import annotations

import pytest
from harness.rows.job import Keys, act, drain, job_keys
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.errors import SetupError

NATIVE = "create table t (id int, at {} not null, note text) partition by range (at)"
PLAIN = "create table t (id int, at {}, note text)"


@pytest.fixture
def keys(source: Database, target: Database, queue: Queue) -> Keys:
    """Keys of a job that loads by the column ``at``; times of the source are Berlin's."""
    name = source.value("select current_database()")
    source.execute(f"alter database \"{name}\" set TimeZone = 'Europe/Berlin'")
    return job_keys(source, target, part_field="at", queue=queue.name)


def load(queue: Queue, keys: Keys, *values: str) -> int:
    """Send a row for each value, and load them; returns the number of dead letters."""
    drain(**keys)
    for number, value in enumerate(values, 1):
        queue.send(f"id={number}&at={value.replace('+', '%2b')}&note=x", tick=False)
    queue.tick()
    dead: int = drain(**keys)["dead_letters"]
    return dead


def where(target: Database) -> list[str]:
    """The end of the name of each row's partition."""
    tables = target.column("select tableoid::regclass::text from t order by id")
    return [table.removeprefix("t_") for table in tables]


def bounds(target: Database, name: str) -> str:
    """Those of a partition, in UTC."""
    with target.another() as session:
        session.execute("set TimeZone = 'UTC'")
        query = "select pg_get_expr(relpartbound, oid) from pg_class where relname = %s"
        found: str = session.value(query, name)
    return found


@pytest.mark.parametrize("parent", [PLAIN.format("timestamp"), NATIVE.format("timestamp")])
def test_hours(queue: Queue, target: Database, keys: Keys, parent: str) -> None:
    """As they are written; a leap second and what is rounded up are of the next one."""
    target.execute(parent)
    values = ["2026-11-24 13:00:00", "2026-11-24T13:59:59.5", "2026-11-24 14:00", "2026-11-24"]
    assert load(queue, {**keys, "part_method": "hourly"}, *values, "2026-11-24 22:59:60") == 0
    assert where(target) == [f"2026_11_24_{hour}" for hour in ("13", "13", "14", "00", "23")]


def test_hours_of_moments(queue: Queue, target: Database, keys: Keys) -> None:
    """The hour that clocks show twice is one partition of two hours."""
    target.execute(NATIVE.format("timestamptz"))
    values = [f"2026-10-25 {clock}" for clock in ("01:30:00+02", "02:30:00+02", "02:30:00+01", "03:30:00+01")]
    assert load(queue, {**keys, "part_method": "hourly"}, *values) == 0
    assert where(target) == [f"2026_10_25_{hour}" for hour in ("01", "02", "02", "03")]
    wanted = "FOR VALUES FROM ('2026-10-25 00:00:00+00') TO ('2026-10-25 02:00:00+00')"
    assert bounds(target, "t_2026_10_25_02") == wanted


@pytest.mark.parametrize("parent", [PLAIN, NATIVE])
def test_days_of_a_zone(queue: Queue, target: Database, keys: Keys, parent: str) -> None:
    """Whatever offset a moment is written with; a day without midnight begins when clocks are changed."""
    target.execute(parent.format("timestamptz"))
    values = ["04 03:59:59+01", "04 04:00:00+01", "03 23:59:59-03", "05 01:59:59+00"]
    values = [f"2018-11-{value}" for value in values]
    assert load(queue, {**keys, "part_time_zone": "America/Sao_Paulo"}, *values) == 0
    assert where(target) == [f"2018_11_{day}" for day in ("03", "04", "03", "04")]
    if parent is NATIVE:
        wanted = "FOR VALUES FROM ('2018-11-04 03:00:00+00') TO ('2018-11-05 02:00:00+00')"
        assert bounds(target, "t_2018_11_04") == wanted


def test_times_without_an_offset_in_a_zone(queue: Queue, target: Database, keys: Keys) -> None:
    """They are taken as they are written, beside moments."""
    target.execute(PLAIN.format("text"))
    values = ["2026-11-24 23:30:00", "2026-11-24 23:30:00+00", "2026-11-24"]
    assert load(queue, {**keys, "part_time_zone": "Asia/Kolkata"}, *values) == 0
    assert where(target) == [f"2026_11_{day}" for day in (24, 25, 24)]


def test_a_target_to_which_offsets_are_of_no_matter(queue: Queue, target: Database, keys: Keys) -> None:
    """A row goes where the target's own key says, which is made if need be."""
    target.execute(NATIVE.format("timestamp"))
    values = ["2026-11-24 23:30:00+00", "2026-11-24 10:00:00+00"]
    assert load(queue, {**keys, "part_time_zone": "Asia/Kolkata"}, *values) == 0
    assert where(target) == ["2026_11_24", "2026_11_24"]


@pytest.mark.parametrize(
    ("type_", "unit", "factor"),
    [
        ("bigint", "seconds", 1),
        ("int", "seconds", 1),
        ("numeric", "milliseconds", 1000),
        ("text", "seconds", 1),
    ],
)
def test_numbers_since_1970(
    queue: Queue, target: Database, keys: Keys, type_: str, unit: str, factor: int
) -> None:
    """Their days are the source's; a native parent has numbers for bounds, and gaps are filled."""
    midnight = 1_795_474_800  # 2026-11-24 in Berlin
    target.execute((PLAIN if type_ == "text" else NATIVE).format(type_))
    numbers = [midnight - 1, midnight, midnight + 86399, midnight + 86400]
    if type_ == "numeric":
        first, last = (str(number * factor) for number in (midnight, midnight + 9))
        target.execute(f"create table mine partition of t for values from ({first}) to ({last})")
    values = [str(number * factor) for number in numbers]
    if type_ in {"numeric", "text"}:
        values[0] += ".75"
    assert load(queue, {**keys, "part_epoch": unit}, *values) == 0
    days = ["2026_11_23", "mine" if type_ == "numeric" else "2026_11_24", "2026_11_24", "2026_11_25"]
    assert where(target) == days
    if type_ != "text":
        first, last = (str((midnight + day * 86400) * factor) for day in (1, 2))
        assert bounds(target, "t_2026_11_25").replace("'", "") == f"FOR VALUES FROM ({first}) TO ({last})"


def test_numbers_that_are_none(queue: Queue, target: Database, keys: Keys) -> None:
    """They become dead letters, and the rest is loaded."""
    target.execute(PLAIN.format("text"))
    values = ["2026-11-24", "", "1e5", "1795474800"]
    assert load(queue, {**keys, "part_epoch": "seconds"}, *values) == 3
    assert where(target) == ["2026_11_24"]
    reasons = target.column("select reason from tdsup.dead_letter order by ev_id")
    assert reasons[0] == "its partition value is '2026-11-24', no number of seconds of the years 1 to 9998"


def test_the_time_of_an_event_in_a_zone(queue: Queue, target: Database, keys: Keys) -> None:
    """It is a moment: the zone says of which hour, and so it does when a dead letter is tried again."""
    target.execute("create table t (id int, at text, note text check (id <> 1))")
    mine = {**keys, "part_field": "_EVTIME", "part_method": "hourly", "part_time_zone": "Asia/Kolkata"}
    assert load(queue, mine, "a", "b") == 1
    (name,) = where(target)
    target.execute(
        f"alter table t drop constraint t_id_check; alter table t_{name} drop constraint t_id_check"
    )
    assert act("replay", mine)[-1] == "loaded 1 of 1"
    wanted = queue.source.value(
        f"select to_char(ev_time at time zone 'Asia/Kolkata', 'YYYY_MM_DD_HH24') from {events(queue)} limit 1"
    )
    assert where(target) == [wanted, wanted] == [name, name]


def events(queue: Queue) -> str:
    """The table of a queue's events."""
    found: str = queue.source.value("select queue_data_pfx from pgq.queue where queue_name = %s", queue.name)
    return found


@pytest.mark.usefixtures("without_pgqd")
@pytest.mark.parametrize("mode", ["append", "plain"])
def test_the_time_of_a_batch(queue: Queue, target: Database, keys: Keys, mode: str) -> None:
    """All its rows are of its tick, by the source's clock; a changed row is where its change came."""
    target.execute("create table t (id int primary key, at text, note text)")
    mine = {**keys, "part_field": "_BATCHTIME", "part_time_zone": "Asia/Kolkata", "row_mode": mode}
    drain(**mine)
    tables = []
    for number, ago in enumerate((3, 2), 1):
        queue.send(f"id={number}&at=x&note=a", tick=False)
        if mode == "plain" and number == 2:
            queue.send("id=1&at=x&note=b", type_="U:id", tick=False)
        queue.tick()
        queue.source.execute(
            "update pgq.tick set tick_time = now() - %s * interval '1 day' where tick_id = "
            "(select max(tick_id) from pgq.tick) and tick_queue = (select queue_id from pgq.queue "
            "where queue_name = %s)",
            ago,
            queue.name,
        )
        time = "(now() - %s * interval '1 day') at time zone 'Asia/Kolkata'"
        tables.append(queue.source.value(f"select to_char({time}, 'YYYY_MM_DD')", ago))
        assert drain(**mine)["dead_letters"] == 0
    assert where(target) == ([tables[1]] * 2 if mode == "plain" else tables)


@pytest.mark.usefixtures("without_pgqd")
def test_batches_are_not_merged_whose_time_counts(queue: Queue, target: Database, keys: Keys) -> None:
    """Rows are of their own tick, however far behind the job is."""
    target.execute("create table t (id int primary key, at text, note text)")
    mine = {**keys, "part_field": "_BATCHTIME", "part_time_zone": "UTC"}
    drain(**mine)
    days = range(2, 8)
    for ago in days:
        queue.send(f"id={ago}&at=x&note=a")
        queue.source.execute(
            "update pgq.tick set tick_time = now() - %s * interval '1 day' "
            "where tick_id = (select max(tick_id) from pgq.tick)",
            10 - ago,
        )
    drain(**mine)
    assert target.value(
        "select bool_and(tableoid::regclass::text = to_char((now() - (10 - id) * interval '1 day') "
        "at time zone 'UTC', '\"t_\"YYYY_MM_DD')) and count(*) = %s from t",
        len(days),
    )


def test_the_present(queue: Queue, target: Database, keys: Keys) -> None:
    """Rows are of the target's time, whatever they hold."""
    target.execute(PLAIN.format("text"))
    mine = {**keys, "part_field": "_NOW", "part_method": "hourly", "part_time_zone": "Asia/Kolkata"}
    hour = "select to_char(now() at time zone 'Asia/Kolkata', 'YYYY_MM_DD_HH24')"
    before = target.value(hour)
    assert load(queue, mine, "2001-01-01") == 0
    assert before <= where(target)[0] <= target.value(hour)


def test_a_source_whose_zone_is_not_known_here(
    queue: Queue, target: Database, source: Database, keys: Keys
) -> None:
    """The job says what to set where it needs one; then it runs."""
    name = source.value("select current_database()")
    source.execute(f"alter database \"{name}\" set TimeZone = '<+05>-5'")
    target.execute(PLAIN.format("text"))
    mine = {**keys, "part_epoch": "seconds"}
    with pytest.raises(SetupError, match=r"the source's TimeZone must be a time zone.* set part_time_zone"):
        load(queue, mine, "0")
    assert load(queue, {**mine, "part_time_zone": "UTC"}, "0") == 0
    assert load(queue, {**keys, "part_method": "hourly"}, "2026-11-24 10:00") == 0


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"part_epoch": "seconds"}, "alter table public.t attach partition public.t_"),
        ({"part_epoch": "seconds", "part_method": "hourly"}, " for values from ('"),
    ],
)
def test_the_check_shows_bounds(
    queue: Queue, target: Database, keys: Keys, changes: dict[str, str], wanted: str
) -> None:
    """Those that the job would make, though no event has come."""
    target.execute(NATIVE.format("bigint"))
    drain(**keys, **changes)
    lines = [line for line in act("check", {**keys, **changes}) if "attach partition" in line]
    assert len(lines) == 1
    assert wanted in lines[0]
    assert lines[0].split("('")[1].split("')")[0].isdigit()
