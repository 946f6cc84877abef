"""Events of a real queue become rows of a real target."""

from __future__ import annotations

import sys

import pytest
from harness.rows.job import RunningJob, drain
from harness.rows.oracle import Oracle
from harness.servers.database import Database
from harness.servers.pgq_ext import PGQ_EXT
from harness.servers.queue import Queue
from tdsup.dispatcher.errors import DataError, LostPosition, SetupError

DDL = "create table orders (id int primary key, order_date timestamp, customer_name text)"

NATIVE = """
     create table orders (id int, order_date timestamp, customer_name text, primary key (id, order_date))
     partition by range (order_date)
"""

TEMPLATE = """
     create table _DEST_TABLE () inherits (orders);
     alter table only _DEST_TABLE add constraint _DEST_TABLE_pkey primary key (id);
"""


@pytest.fixture
def queue(source: Database) -> Queue:
    """A queue that the table orders feeds."""
    queue = Queue(source, "sourceq")
    queue.create()
    source.execute(DDL)
    queue.attach("orders")
    return queue


@pytest.fixture
def keys(source: Database, target: Database, queue: Queue) -> dict[str, object]:
    """The keys of a job that loads orders by day; its consumer is registered."""
    target.execute("create table orders (id int, order_date timestamp, customer_name text)")
    keys: dict[str, object] = {
        "src_db": source.dsn,
        "dst_db": target.dsn,
        "pgq_queue_name": queue.name,
        "dest_table": "orders",
        "part_field": "order_date",
        "part_template": TEMPLATE,
    }
    drain(**keys)
    return keys


def by_day(source: Database, target: Database, table: str) -> dict[str, object]:
    """Keys of a job that loads orders by day into clones of a table."""
    return {
        "src_db": source.dsn,
        "dst_db": target.dsn,
        "pgq_queue_name": "sourceq",
        "dest_table": table,
        "part_field": "order_date",
    }


def insert(source: Database, queue: Queue, first: int, last: int, day: str = "2026-11-24") -> None:
    """Insert orders with those ids, a minute apart, and close the tick."""
    source.execute(
        "insert into orders select g, %s::timestamp + g * interval '1 min', 'name ' || g "
        "from generate_series(%s, %s) g",
        day,
        first,
        last,
    )
    queue.tick()


def verdict(source: Database, target: Database) -> Oracle:
    """The oracle over orders, for the consumer of the tests."""
    return Oracle(source, target, "orders", queue="sourceq", consumer="job")


def test_rows_arrive_once_in_daily_partitions(
    source: Database, target: Database, queue: Queue, keys: dict[str, object]
) -> None:
    """Every event becomes one row in the table of its day, created with its primary key."""
    insert(source, queue, 1, 3000)
    values = drain(**keys)
    assert (values["events"], values["rows"], values["batches"], values["partitions"]) == (3000, 3000, 1, 3)
    assert verdict(source, target).check().clean
    assert target.column("select conname from pg_constraint where conname ~ '^orders.*_pkey' order by 1") == [
        "orders_2026_11_24_pkey",
        "orders_2026_11_25_pkey",
        "orders_2026_11_26_pkey",
    ]
    assert target.value("select count(*) from orders where tableoid = 'orders_2026_11_25'::regclass") == 1440


def test_position_is_kept_in_our_own_schema(
    source: Database, target: Database, queue: Queue, keys: dict[str, object]
) -> None:
    """Without pgq_ext, the target's position is in tdsup.completed_tick, and equals the source's."""
    insert(source, queue, 1, 10)
    drain(**keys)
    rows = target.rows("select queue_name, consumer_name, last_tick_id from tdsup.completed_tick")
    assert rows == [("sourceq", "job", queue.last_tick("job"))]


def test_position_is_kept_in_pgq_ext(source: Database, target: Database, queue: Queue) -> None:
    """With pgq_ext in the target the position is there, and no schema of ours appears."""
    target.execute(PGQ_EXT.read_text())
    target.execute(DDL)
    keys = {"src_db": source.dsn, "dst_db": target.dsn, "queue_name": queue.name, "dest_table": "orders"}
    drain(**keys)
    insert(source, queue, 1, 10)
    drain(**keys)
    assert target.value("select pgq_ext.get_last_tick('job')") == queue.last_tick("job")
    assert target.value("select to_regnamespace('tdsup')") is None


def test_fields_are_selected_and_renamed(source: Database, target: Database, queue: Queue) -> None:
    """`fields = id, customer_name:who` loads these two columns only."""
    target.execute("create table people (id int, who text, order_date timestamp)")
    keys = {
        "src_db": source.dsn,
        "dst_db": target.dsn,
        "pgq_queue_name": queue.name,
        "dest_table": "people",
        "fields": "id, customer_name:who",
    }
    drain(**keys)
    insert(source, queue, 1, 2)
    drain(**keys)
    assert target.rows("select * from people order by id") == [(1, "name 1", None), (2, "name 2", None)]


def test_all_template_words_and_event_time(source: Database, target: Database, queue: Queue) -> None:
    """_DEST_TABLE, _PARENT, _PKEY and _SCHEMA_TABLE create a monthly partition of the event's own time."""
    target.execute("create schema archive; create table archive.orders (id int, order_date timestamp)")
    keys = {
        "src_db": source.dsn,
        "dst_db": target.dsn,
        "pgq_queue_name": queue.name,
        "dest_table": "archive.orders",
        "fields": "id, order_date",
        "part_field": "_EVTIME",
        "part_method": "monthly",
        "part_template": "create table _DEST_TABLE (primary key (_PKEY)) inherits (_PARENT);"
        "create index _SCHEMA_TABLE_day on _DEST_TABLE (order_date)",
    }
    drain(**keys)
    insert(source, queue, 1, 5, day="1999-01-01")
    drain(**keys)
    month = source.value("select to_char(min(ev_time), 'YYYY_MM') from pgq.event_template")
    assert target.value("select count(*) from only archive.orders") == 0
    assert target.value(f"select count(*) from archive.orders_{month}") == 5
    assert target.value(f"select to_regclass('archive.archive__orders_{month}_day') is not null")


@pytest.mark.parametrize("parent", [NATIVE, DDL], ids=["native", "inherited"])
def test_without_template_the_parent_is_cloned(
    source: Database, target: Database, queue: Queue, parent: str
) -> None:
    """A native partition is attached with the day's bounds; an ordinary parent gets a child with its key."""
    target.execute(parent)
    keys = by_day(source, target, "orders")
    drain(**keys)
    insert(source, queue, 1, 2000)
    assert drain(**keys)["partitions"] == 2
    assert verdict(source, target).check().clean
    children = target.column("select inhrelid::regclass::text from pg_inherits order by 1")
    assert [name for name in children if "pkey" not in name] == ["orders_2026_11_24", "orders_2026_11_25"]
    assert (
        target.value(
            "select count(*) from pg_index where indisprimary and indrelid::regclass::text ~ '^orders_'"
        )
        == 2
    )


def test_every_code_point_survives(source: Database, target: Database, queue: Queue) -> None:
    """All characters that PostgreSQL can hold come through decoding and COPY unchanged."""
    ddl = "create table chars (id int primary key, c text)"
    source.execute(ddl)
    target.execute(ddl)
    queue.attach("chars")
    keys = {
        "src_db": source.dsn,
        "dst_db": target.dsn,
        "pgq_queue_name": queue.name,
        "dest_table": "chars",
    }
    drain(**keys)
    source.execute(
        "insert into chars select block, string_agg(chr(point), '' order by point) "
        "from generate_series(0, %s / 4096) block, generate_series(block * 4096, block * 4096 + 4095) point "
        "where point > 0 and point <= %s and point not between 55296 and 57343 group by block",
        sys.maxunicode,
        sys.maxunicode,
    )
    source.execute(r"insert into chars values (-1, '\N'), (-2, '\.'), (-3, ''), (-4, null), (-5, '+ %20&=')")
    queue.tick()
    drain(**keys)
    expected = source.rows("select id, md5(c), length(c) from chars order by id")
    assert target.rows("select id, md5(c), length(c) from chars order by id") == expected
    assert sum(length or 0 for _, _, length in expected) > 1_100_000


def test_columns_that_change_within_a_batch_load(
    source: Database, target: Database, queue: Queue, keys: dict[str, object]
) -> None:
    """Rows of one batch that have different columns lose none of them."""
    target.execute("alter table orders add note text")
    insert(source, queue, 1, 5)
    source.execute("alter table orders add note text")
    source.execute("insert into orders values (6, '2026-11-24', 'n', 'noted')")
    queue.tick()
    drain(**keys)
    assert target.column("select note from orders order by id") == [None] * 5 + ["noted"]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ("(7, null, 'n')", "its partition value is NULL"),
        ("(7, 'infinity', 'n')", "'infinity' is no date"),
        ("(1, '2026-11-24', 'twice')", "duplicate key value"),
    ],
)
def test_a_bad_event_stops_the_job_if_so_set(
    source: Database, target: Database, queue: Queue, keys: dict[str, object], values: str, reason: str
) -> None:
    """The error names queue, batch and event; nothing of the batch is loaded, and the position stays."""
    target.execute("create table orders_2026_11_24 (like orders, primary key (id)) inherits (orders)")
    target.execute("insert into orders_2026_11_24 values (1, '2026-11-24', 'already here')")
    before = target.rows("table tdsup.completed_tick")
    # One statement: no tick of the daemon's comes between.
    source.execute(f"insert into orders values (5, '2026-11-24', 'good'), {values}")
    queue.tick()
    event = source.value("select max(ev_id) from pgq.event_template")
    with pytest.raises(
        DataError, match=rf"cannot load event {event} of batch \d+ of queue sourceq: .*{reason}"
    ):
        drain(**{**keys, "bad_events": "stop"})
    assert target.column("select id from orders") == [1]
    assert target.rows("table tdsup.completed_tick") == before


@pytest.mark.parametrize("length", [53, 63])
def test_a_name_that_the_server_would_cut_off_is_refused(
    source: Database, target: Database, queue: Queue, length: int
) -> None:
    """No row lands in another table because PostgreSQL shortens the partition's name."""
    name = "o" * length
    target.execute(f"create table {name} (id int, order_date timestamp, customer_name text)")
    keys = by_day(source, target, name)
    drain(**keys)
    insert(source, queue, 1, 2)
    with pytest.raises(SetupError, match="the name is longer than PostgreSQL's 63 bytes"):
        drain(**keys)
    assert target.value(f"select count(*) from {name}") == 0


def test_a_generated_column_is_cloned(source: Database, target: Database, queue: Queue) -> None:
    """A native parent with a generated column gets its partitions like any other."""
    target.execute(
        "create table orders (id int, order_date timestamp, customer_name text, "
        "twice int generated always as (id * 2) stored) partition by range (order_date)"
    )
    keys = by_day(source, target, "orders")
    drain(**keys)
    insert(source, queue, 1, 2)
    drain(**keys)
    assert target.column("select twice from orders_2026_11_24 order by 1") == [2, 4]


def test_a_position_that_does_not_fit_stops_the_job(
    source: Database, target: Database, queue: Queue, keys: dict[str, object]
) -> None:
    """A lost position is never guessed; the message has the command that repairs it, and that works."""
    insert(source, queue, 1, 10)
    drain(**keys)
    target.execute("update tdsup.completed_tick set last_tick_id = 999")
    insert(source, queue, 11, 20)
    with pytest.raises(LostPosition, match=r"Lost position: batch .* dst has 999") as caught:
        drain(**keys)
    target.execute(str(caught.value).rpartition("run on the target: ")[2])
    drain(**keys)
    assert verdict(source, target).check().clean


def test_a_queue_that_is_created_anew_is_not_taken_for_the_old_one(
    source: Database, target: Database, queue: Queue, keys: dict[str, object]
) -> None:
    """Its ticks begin with 1 again; an event whose batch ends at a tick of an old number is not skipped."""
    insert(source, queue, 1, 10)
    drain(**keys)
    source.execute("select pgq.drop_queue(%s, true)", queue.name)
    queue.create()
    source.execute("select pgq.register_consumer(%s, 'job')", queue.name)
    first = queue.last_tick("job")
    insert(source, queue, 11, 20)
    target.execute("update tdsup.completed_tick set last_tick_id = %s", first + 1)
    message = (
        rf"Lost position: batch {first}..{first + 1}, dst has {first + 1} of another time, as if the queue"
    )
    with pytest.raises(LostPosition, match=message) as caught:
        drain(**keys)
    target.execute(str(caught.value).rpartition("run on the target: ")[2])
    drain(**keys)
    assert target.value("select count(*) from orders_2026_11_24") == 20


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pgq_queue_name": "nix"}, r"cannot read queue nix: .* no such queue; .* pgq.create_queue\('nix'\)"),
        (
            {"dest_table": "nix", "part_template": ""},
            "cannot create tables for public.nix: it does not exist",
        ),
        ({"fields": "id:nix, order_date"}, "orders_2026_11_24 has no column nix, which fields names"),
        (
            {"part_template": "create table _DEST_TABLE (nonsense)"},
            "cannot create table public.orders_2026_11_24",
        ),
        ({"part_template": "select 1"}, "part_template does not create it"),
    ],
)
def test_a_wrong_set_up_says_what_is_wrong(
    source: Database, queue: Queue, keys: dict[str, object], change: dict[str, object], message: str
) -> None:
    """A mistake of the set-up is one clear line and exit status 78, not a retry."""
    insert(source, queue, 1, 10)
    with pytest.raises(SetupError, match=message) as caught:
        drain(**{**keys, **change})
    assert caught.value.exit_code == 78
    assert "\n" not in str(caught.value)


def test_a_source_without_pgq_is_named(target: Database, keys: dict[str, object]) -> None:
    """A database that is no PgQ database is a mistake of the set-up that says so."""
    with pytest.raises(SetupError, match="cannot read queue sourceq: the source database has no PgQ"):
        drain(**{**keys, "src_db": target.dsn})


def test_a_dropped_partition_is_created_again(
    source: Database, target: Database, queue: Queue, keys: dict[str, object]
) -> None:
    """What a job remembers of its tables is forgotten when the target contradicts it."""
    with RunningJob(**keys) as job:
        insert(source, queue, 1, 10)
        job.wait_for("running", rows=10)
        target.execute("drop table orders_2026_11_24")
        insert(source, queue, 11, 20)
        job.wait_for("running", rows=20)
    assert target.value("select count(*) from orders_2026_11_24") == 10
