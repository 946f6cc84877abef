"""Tables that are partitioned by lists of values, and by time within them: where each row goes."""

from __future__ import annotations

from urllib.parse import quote_plus

import pytest
from harness.rows.job import Keys, RunningJob, drain, job_keys
from harness.rows.pipeline import Pipeline, Table
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.errors import SetupError

COLUMNS = "id int, region text, day date, note text"
PARENT = f"create table t ({COLUMNS}, primary key (id, region, day)) partition by list (region)"
KEYLESS = f"create table t ({COLUMNS}) partition by list (region)"
DAY, NEXT = "2026-11-24", "2026-11-25"


@pytest.fixture
def keys(source: Database, target: Database, queue: Queue) -> Keys:
    """Keys of a job that loads by region and day; its consumer is registered when it is drained first."""
    return job_keys(source, target, part_field="day", part_by="region, day", queue=queue.name)


def load(queue: Queue, keys: Keys, *rows: tuple[str | None, str]) -> int:
    """Send a row for each region and day, and load them; returns the number of dead letters."""
    drain(**keys)
    for number, (region, day) in enumerate(rows, 1):
        its = "region" if region is None else f"region={quote_plus(region)}"
        queue.send(f"id={number}&{its}&day={day}&note=x", tick=False)
    queue.tick()
    dead: int = drain(**keys)["dead_letters"]
    return dead


def where(target: Database) -> list[tuple[int, str]]:
    """The partition of each row."""
    return target.rows("select id, tableoid::regclass::text from t order by id, 2")


def bound(target: Database, table: str) -> str:
    """What a partition takes."""
    text: str = target.value(f"select pg_get_expr(relpartbound, oid) from pg_class where relname = '{table}'")
    return text


@pytest.mark.usefixtures("way")
def test_missing_partitions_are_made(queue: Queue, target: Database, keys: Keys) -> None:
    """Of both kinds; the rows of each value and day are in a partition of their own."""
    target.execute(KEYLESS)
    rows = [("eu", DAY), ("us", DAY), ("eu", NEXT), ("us", DAY)]
    assert load(queue, keys, *rows) == 0
    eu, us = "t_eu_2026_11_24", "t_us_2026_11_24"
    assert where(target) == [(1, eu), (2, us), (3, "t_eu_2026_11_25"), (4, us)]
    assert bound(target, "t_eu") == "FOR VALUES IN ('eu')"
    assert load(queue, keys, ("asia", DAY), ("eu", DAY)) == 0
    assert where(target)[:2] == [(1, "t_asia_2026_11_24"), (1, eu)]


@pytest.mark.usefixtures("way")
def test_rows_move_between_regions_and_days(queue: Queue, target: Database) -> None:
    """An update that changes either moves the row; a delete finds it wherever it is."""
    target.execute(PARENT)
    pipeline = Pipeline(
        queue, target, Table(columns="id int primary key, region text, day date, note text", parent=""),
        part_field="day", part_by="region, day",
    )  # fmt: skip
    pipeline.drain()
    source = pipeline.source
    source.execute(
        f"insert into t values (1, 'eu', '{DAY}', 'a'), (2, 'eu', '{DAY}', 'a'), (3, 'us', '{NEXT}', 'a'), "
        f"(4, 'us', '{DAY}', 'a'), (5, 'eu', '{NEXT}', 'a')"
    )
    queue.tick()
    pipeline.drain()
    source.execute("update t set region = 'us' where id = 1")
    source.execute(f"update t set region = 'asia', day = '{NEXT}', note = 'b' where id = 2")
    source.execute(f"update t set day = '{DAY}' where id = 3")
    source.execute("delete from t where id = 4")
    source.execute("update t set note = 'c' where id = 5; update t set region = 'us' where id = 5")
    queue.tick()
    assert pipeline.drain()["dead_letters"] == 0
    assert where(target) == [
        (1, "t_us_2026_11_24"),
        (2, "t_asia_2026_11_25"),
        (3, "t_us_2026_11_24"),
        (5, "t_us_2026_11_25"),
    ]
    assert target.rows("select * from t order by id") == source.rows("select * from t order by id")


def test_updates_that_tell_only_what_changes(queue: Queue, target: Database) -> None:
    """Those of sqltriga change and move rows, into partitions that are there; deletes tell only the key."""
    target.execute(PARENT)
    columns = "id int primary key, region text, day date, note text"
    pipeline = Pipeline(
        queue,
        target,
        Table(columns=columns, parent=""),
        ("sqltriga",),
        part_field="day",
        part_by="region, day",
    )
    pipeline.drain()
    regions = "values (1, 'eu', %s::date, 'a'), (2, 'us', %s, 'a'), (3, 'eu', %s, 'a'), (4, 'us', %s, 'a')"
    pipeline.source.execute(f"insert into t {regions}", DAY, DAY, DAY, DAY)
    queue.tick()
    pipeline.drain()
    pipeline.source.execute(
        "update t set note = 'b' where id = 1; update t set region = 'eu' where id = 2; "
        "update t set region = 'asia' where id = 3; delete from t where id = 4"
    )
    queue.tick()
    assert pipeline.drain()["dead_letters"] == 1
    eu = "t_eu_2026_11_24"
    assert where(target) == [(1, eu), (2, eu), (3, eu)]
    assert target.column("select note from t order by id") == ["b", "a", "a"]


ODD = [
    "'); drop table t; --",
    '"; drop table t',
    "a b",
    "a_b",
    "A",
    "a",
    "",
    " ",
    "null",
    "default",
    "NULL",
    None,
    "ä",
    "东京",
    "x" * 100,
    "x" * 101,
    "back\\slash",
    "line\nbreak\ttab\rreturn",
    "%s %(x)s {x}",
    "2026_11_24",
    "$$",
    "E'x'",
]


@pytest.mark.usefixtures("way")
def test_values_are_only_values(queue: Queue, target: Database, keys: Keys) -> None:
    """Whatever they look like, each has a list partition that takes it alone, with a name of its own."""
    target.execute(KEYLESS)
    assert load(queue, keys, *((value, DAY) for value in ODD)) == 0
    assert target.rows("select id, region from t order by id") == list(enumerate(ODD, 1))
    assert len({table for _, table in where(target)}) == len(ODD)
    names = [name for (name,) in target.rows("select relname::text from pg_class where relname ~ '^t_'")]
    assert len(names) == 2 * len(ODD)
    assert all(name.isascii() and name.replace("_", "").isalnum() and name == name.lower() for name in names)
    again = [(value, DAY) for value in ODD]
    assert load(queue, keys, *again) == 0
    assert target.value("select count(*) from pg_class where relname ~ '^t_'") == len(names)


def test_a_value_that_is_too_long(queue: Queue, target: Database, keys: Keys) -> None:
    """It gets no partition of its own, and goes into the default one if there is one."""
    target.execute(KEYLESS)
    assert load(queue, keys, ("x" * 256, DAY), ("eu", DAY)) == 1
    assert where(target) == [(2, "t_eu_2026_11_24")]
    target.execute("create table rest partition of t default")
    assert load(queue, keys, ("x" * 256, DAY)) == 0
    assert where(target)[0] == (1, "rest")


def test_a_list_partition_of_several_values(queue: Queue, target: Database, keys: Keys) -> None:
    """It takes all of them, NULL too; its days are called after it."""
    target.execute(
        f"{KEYLESS}; create schema old; "
        "create table old.europe partition of t for values in ('de', 'fr', null) partition by range (day)"
    )
    assert load(queue, keys, ("de", DAY), (None, DAY), ("fr", NEXT), ("us", DAY)) == 0
    assert where(target) == [
        (1, "old.europe_2026_11_24"),
        (2, "old.europe_2026_11_24"),
        (3, "old.europe_2026_11_25"),
        (4, "t_us_2026_11_24"),
    ]


@pytest.mark.parametrize("how", ["", " partition by range (day)"])
def test_a_default_list_partition(queue: Queue, target: Database, keys: Keys, how: str) -> None:
    """It takes the values that no other one has: beside it none is made; its days are, if it has any."""
    target.execute(
        f"{KEYLESS}; create table rest partition of t default{how}; "
        "create table eu partition of t for values in ('eu')"
    )
    assert load(queue, keys, ("eu", DAY), ("us", DAY), (None, DAY)) == 0
    rest = "rest_2026_11_24" if how else "rest"
    assert where(target) == [(1, "eu"), (2, rest), (3, rest)]


def test_a_default_partition_of_days(queue: Queue, target: Database, keys: Keys) -> None:
    """One that holds rows of a day takes the new ones too; other days get a partition."""
    target.execute(
        f"{KEYLESS}; create table eu partition of t for values in ('eu') partition by range (day); "
        f"create table eu_rest partition of eu default; insert into t values (9, 'eu', '{DAY}', 'old')"
    )
    assert load(queue, keys, ("eu", DAY), ("eu", NEXT), ("us", DAY)) == 0
    assert where(target) == [(1, "eu_rest"), (2, "eu_2026_11_25"), (3, "t_us_2026_11_24"), (9, "eu_rest")]


def test_lists_in_lists(queue: Queue, source: Database, target: Database) -> None:
    """Two columns have lists; one of the partitions of the first one has days at once."""
    target.execute(
        "create table t (id int, region text, kind int, day date) partition by list (region); "
        "create table flat partition of t for values in ('flat') partition by range (day); "
        "create table t_eu partition of t for values in ('eu') partition by list (kind); "
        "create table small partition of t_eu for values in (1, 2) partition by range (day)"
    )
    keys = job_keys(source, target, part_field="day", part_by="region,kind,day")
    drain(**keys)
    for number, (region, kind) in enumerate(
        [("eu", "1"), ("eu", "02"), ("eu", "3"), ("us", "1"), ("flat", "7"), ("us", "-1")], 1
    ):
        queue.send(f"id={number}&region={region}&kind={kind}&day={DAY}", tick=False)
    queue.tick()
    assert drain(**keys)["dead_letters"] == 0
    assert [table for _, table in where(target)][:5] == [
        "small_2026_11_24",
        "small_2026_11_24",
        "t_eu_3_2026_11_24",
        "t_us_1_2026_11_24",
        "flat_2026_11_24",
    ]
    assert where(target)[5][1].startswith("t_us_1__")


@pytest.mark.parametrize(
    "by", ["range (day)", "list (note)", "list (lower(region))", "hash (region)", ""]
)  # fmt: skip
def test_tables_that_are_partitioned_otherwise(queue: Queue, target: Database, keys: Keys, by: str) -> None:
    """The job is blocked, and says what it wants."""
    target.execute(f"create table t ({COLUMNS})" + (f" partition by {by}" if by else ""))
    with pytest.raises(SetupError, match=r"the partitions of public\.t: it is not partitioned by list"):
        load(queue, keys, ("eu", DAY))


def test_tables_that_are_no_partitions(queue: Queue, target: Database, keys: Keys) -> None:
    """What is called as a day would be without lists is another table, whose rows are left alone."""
    target.execute(f"{PARENT}; create table t_2026_11_24 ({COLUMNS}); insert into t_2026_11_24 values (1)")
    assert load(queue, keys, ("eu", DAY)) == 0
    for _ in range(2):
        queue.send(f"id=1&region=eu&day={DAY}", type_="D:id")
        assert drain(**keys)["dead_letters"] == 0
        assert where(target) == []
    assert target.column("select id from t_2026_11_24") == [1]


def test_a_table_that_has_the_name_of_a_list_partition(queue: Queue, target: Database, keys: Keys) -> None:
    """It is left alone; the partition is called otherwise."""
    target.execute(
        f"{KEYLESS}; create table t_archive (note text); create table t_us () inherits (t_archive)"
    )
    assert load(queue, keys, ("archive", DAY), ("us", DAY)) == 0
    assert all(table.startswith(("t_archive__", "t_us__")) for _, table in where(target))
    assert target.value("select count(*) from t_archive") == 0


@pytest.mark.usefixtures("way")
def test_lists_that_somebody_changes(queue: Queue, target: Database, keys: Keys) -> None:
    """While the job runs a value gets a partition of its own, and others another one: rows follow."""
    target.execute(
        f"{KEYLESS}; create table rest partition of t default; "
        "create table eu partition of t for values in ('de', 'fr') partition by range (day)"
    )
    drain(**keys)
    rows = [("de", DAY), ("fr", DAY), ("us", DAY)]

    def send() -> None:
        for number, (region, day) in enumerate(rows, 1):
            queue.send(f"id={number}&region={region}&day={day}&note=x", tick=False)
        queue.tick()

    with RunningJob(**keys) as job:
        send()
        job.wait_for("running", rows=3)
        target.execute(
            "truncate t; alter table t detach partition eu; drop table eu; "
            "create table de partition of t for values in ('de'); "
            "create table us partition of t for values in ('us')"
        )
        send()
        job.wait_for("running", rows=6)
        assert job.context.values["dead_letters"] == 0
    assert where(target) == [(1, "de"), (2, "rest"), (3, "us")]
