"""Jobs beside other jobs, other processes and failing servers."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from harness.rows.job import RunningJob, drain
from harness.rows.oracle import Oracle
from harness.servers.database import Database
from harness.servers.pgq_ext import PGQ_EXT
from harness.servers.queue import Queue
from tdsup.sandbox import Sandbox

TEMPLATE = "create table _DEST_TABLE (primary key (_PKEY)) inherits (_PARENT)"


@pytest.fixture
def queue(source: Database) -> Queue:
    """A queue that the table orders feeds."""
    queue = Queue(source, "sourceq")
    queue.create()
    source.execute("create table orders (id int primary key, day date)")
    queue.attach("orders")
    return queue


@pytest.fixture
def keys(source: Database, target: Database, queue: Queue) -> dict[str, object]:
    """A job that loads orders by day."""
    target.execute("create table orders (id int, day date)")
    return {
        "src_db": source.dsn,
        "dst_db": target.dsn,
        "pgq_queue_name": queue.name,
        "dest_table": "orders",
        "part_field": "day",
        "part_template": TEMPLATE,
    }


def insert(source: Database, queue: Queue, first: int, last: int) -> None:
    """Orders of 30 days with those ids, in one tick."""
    source.execute(
        "insert into orders select g, date '2026-11-01' + g %% 30 from generate_series(%s, %s) g", first, last
    )
    queue.tick()


def test_eight_jobs_race_for_new_partitions(source: Database, target: Database, queue: Queue) -> None:
    """Eight jobs that need the same thirty new tables at once: each is created once, nobody sees an error."""
    target.execute("create table orders (id int, day date, job int)")
    jobs = []
    for number in range(8):
        source.execute(f"create table orders{number} (id int primary key, day date, job int)")
        queue.attach(f"orders{number}")
        jobs.append(
            {
                "job_name": f"job{number}",
                "src_db": source.dsn,
                "dst_db": target.dsn,
                "pgq_queue_name": queue.name,
                "dest_table": "orders",
                "table_filter": f"orders{number}",
                "part_field": "day",
                "part_template": "create table _DEST_TABLE () inherits (_PARENT)",
            }
        )
    for job in jobs:
        drain(**job)
    for number in range(8):
        source.execute(
            f"insert into orders{number} select g, date '2026-11-01' + g % 30, {number} "
            "from generate_series(1, 600) g"
        )
    queue.tick()
    with ExitStack() as stack:
        running = [stack.enter_context(RunningJob(**job)) for job in jobs]
        for each in running:
            each.wait_for("running", rows=600)
    assert sum(each.context.values["partitions"] for each in running) == 30
    assert target.rows("select job, count(*), count(distinct id) from orders group by 1 order by 1") == [
        (number, 600, 600) for number in range(8)
    ]


def test_a_second_process_of_a_consumer_stands_by(
    source: Database, target: Database, queue: Queue, keys: dict[str, object]
) -> None:
    """One works, the other says who does; it takes over when the first ends, and nothing doubles."""
    with RunningJob(**keys) as worker:
        worker.wait_for("running")
        with RunningJob(**keys) as standby:
            standby.wait_for("standby", reason="consumer job works elsewhere: tdsup job (backend ")
            insert(source, queue, 1, 300)
            worker.wait_for("running", rows=300)
            worker.context.stop()
            standby.wait_for("running")
            insert(source, queue, 301, 600)
            standby.wait_for("running", rows=300)
    assert Oracle(source, target, "orders", queue="sourceq", consumer="job").check().clean


def test_consumers_of_one_name_in_pgq_ext_do_not_mix(
    source: Database, target: Database, queue: Queue, keys: dict[str, object]
) -> None:
    """pgq_ext knows consumers by name alone: of two queues' jobs with one name, one stands by."""
    target.execute(PGQ_EXT.read_text())
    other = Queue(source, "otherq")
    other.create()
    with RunningJob(**keys) as first:
        first.wait_for("running")
        with RunningJob(**{**keys, "pgq_queue_name": "otherq"}) as second:
            second.wait_for("standby", reason="consumer job works elsewhere")


def test_the_parent_is_not_locked_while_a_batch_loads(
    source: Database, target: Database, queue: Queue, keys: dict[str, object]
) -> None:
    """While a batch that created partitions waits in its load, the parent can be altered."""
    drain(**keys)
    with target.another() as blocker:
        target.execute("create table orders_2026_11_30 (primary key (id)) inherits (orders)")
        blocker.execute("begin; lock table orders_2026_11_30 in exclusive mode")
        with RunningJob(**keys) as job:
            job.wait_for("running")
            insert(source, queue, 1, 60)
            target.wait_for(
                "select exists (select from pg_stat_activity where wait_event_type = 'Lock' "
                "and query ilike 'copy%orders_2026_11_30%')"
            )
            target.execute(
                "set lock_timeout = '2s'; alter table only orders add constraint c check (id > 0) no inherit"
            )
            blocker.execute("rollback")
            job.wait_for("running", rows=60)


def test_a_refusing_server_is_tried_ever_less(
    source: Database,
    target: Database,
    queue: Queue,
    keys: dict[str, object],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A read-only target makes one line in the log, whatever the tries, and the batch loads in the end."""
    drain(**keys)
    name = target.value("select current_database()")
    target.execute(f"alter database {name} set default_transaction_read_only = on")
    with caplog.at_level("INFO", "job"), RunningJob(**keys) as job:
        insert(source, queue, 1, 10)
        job.wait_for("retrying", reason="read-only transaction")
        tries = len(job.context.reports)
        job.wait_for("retrying")
        source.wait_for("select pg_sleep(1.5) is not null")
        conditions = {report.condition for report in job.context.reports[tries:]}
        assert conditions == {"retrying"}
        assert caplog.text.count("trying again") == 1
        target.execute("set transaction_read_only = off")
        target.execute(f"begin; set transaction read write; alter database {name} reset all; commit")
        job.wait_for("running", rows=10)
    assert caplog.text.count("works again") == 1


@pytest.mark.parametrize("which", ["source", "target"])
def test_a_killed_server_is_waited_for(
    sandbox: Sandbox, source: Database, target: Database, queue: Queue, keys: dict[str, object], which: str
) -> None:
    """A crashed server makes the job retry, and it goes on by itself when the server is back."""
    cluster = getattr(sandbox, which)
    with RunningJob(**keys) as job:
        job.wait_for("running")
        insert(source, queue, 1, 100)
        job.wait_for("running", rows=100)
        cluster.kill()
        try:
            job.wait_for("retrying", reason=f"cannot connect to the {which} database: ")
        finally:
            cluster.start()
        job.wait_for("running")
        source.reconnect()
        target.reconnect()
        insert(source, queue, 101, 200)
        job.wait_for("running", rows=200)
    assert Oracle(source, target, "orders", queue="sourceq", consumer="job").check().clean
